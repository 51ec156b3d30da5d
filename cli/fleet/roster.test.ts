import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXIT, LabError, labNamePattern } from '@handwired/host';
import { loadRoster, nameLab, parseRoster, computeUpLimit } from './roster.ts';

const read = (text: string) => parseRoster(text, 'roster.csv', 'fleet');

const refused = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof LabError);
  assert.equal(error.exit, EXIT.config);
  assert.match(error.message, pattern);
  return true;
};

test('the student column is found by its name, whatever stands beside it', () => {
  const students = read('group,student\r\n1,ann\r\n2,"Lee, Ben"\r\n');
  assert.deepEqual(
    students.map(({ student, line }) => [student, line]),
    [
      ['ann', 2],
      ['Lee, Ben', 3],
    ],
  );
});

test('a byte order mark, spaces and empty lines do no harm', () => {
  assert.equal(read('\uFEFFstudent \n ann \n\n ben\n').length, 2);
});

test('every problem is told at once, with its line', () => {
  assert.throws(
    () => read('student,x\nann,1\n,2\nann,3\nb\u0007n,4\n'),
    refused(/line 3: .*empty; line 4: ann is there already, in line 2; line 5: .*control/),
  );
});

test('a roster without the column, without students or that is no CSV is refused', () => {
  assert.throws(() => read('name\nann\n'), refused(/line 1: .*student/));
  assert.throws(() => read(''), refused(/line 1/));
  assert.throws(() => read('student\n'), refused(/no students/));
  assert.throws(() => read('student\n"ann\n'), refused(/not CSV/));
});

test('the column may be capitalised, and a header without it is shown', () => {
  assert.equal(read('Student\nann\n').length, 1);
  assert.throws(() => read('student;mail\nann;a@x\n'), refused(/no column named student; it is: student;mail/));
});

test('what is not UTF-8, not a file or endless is refused, and no next command writes over what is there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'handwired-roster-'));
  try {
    const file = join(folder, 'a b.csv');
    const load = (path: string) => loadRoster(path, 'fleet');
    const errorOf = (path: string) =>
      load(path).then(
        () => assert.fail(path),
        (error: unknown) => error as LabError,
      );
    const absent = await errorOf(file);
    assert.match(absent.next, /^printf .* > '.*a b\.csv'$/);
    for (const [content, what] of [
      [Buffer.from('student\nJos\xe9\n', 'latin1'), /not UTF-8/],
      [Buffer.from('student\nann\n', 'utf16le'), /no column|not UTF-8|not CSV/],
      ['student\n"ann\n', /^not CSV/],
      ['', /no column/],
    ] as const) {
      await writeFile(file, content);
      const error = await errorOf(file);
      assert.match(error.message, what);
      assert.ok(error.message.length < 200);
      assert.doesNotMatch(error.next, />/);
    }
    for (const path of [folder, '/dev/null', '/dev/zero']) assert.doesNotMatch((await errorOf(path)).next, />/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a lab name is the student where that is a DNS label', () => {
  assert.equal(nameLab('ann', 'fleet'), 'fleet-ann');
});

test('any other student gets a DNS label of their own', () => {
  const odd = ['Ann Lee', 'ann.lee', 'ANN-LEE', '李', '=cmd()', '../..', 'Ångström', 'x'.repeat(128), '-', '--help'];
  const names = odd.map((student) => nameLab(student, 'fleet'));
  for (const name of names) assert.match(name, labNamePattern);
  assert.equal(new Set(names).size, odd.length);
});

test('the longest prefix leaves room for a label', () => {
  assert.match(nameLab('Some Student With A Name', 'p'.repeat(16)), labNamePattern);
});

test('memory bounds how many VMs are brought up at once', () => {
  assert.equal(computeUpLimit('vm', 512, { cores: 16, freeMiB: 2_000 }), 2);
});

test('cores bound it where memory is plenty, and a sandbox costs less than a VM', () => {
  const machine = { cores: 2, freeMiB: 24_000 };
  assert.equal(computeUpLimit('vm', 512, machine), 2);
  assert.equal(computeUpLimit('sandbox', 512, machine), 4);
});

test('one lab at a time is the least, however small the machine', () => {
  assert.equal(computeUpLimit('vm', 4096, { cores: 1, freeMiB: 100 }), 1);
});
