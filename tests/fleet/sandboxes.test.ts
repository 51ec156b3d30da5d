import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { withLabs } from '../lab.ts';
import { makeMarks } from '../marks.ts';
import { differenceAtRest, takeSnapshot } from '../snapshot.ts';
import { rowsOf, writeRoster } from './roster.ts';

const students = ['ann', 'ben', 'Lee, Cat', '=dan()', 'Eva Ö', 'fay'];

test('six students on sandboxes: who built it right, half or not at all is what the gradebook says', async (t) => {
  const marks = await makeMarks();
  t.after(() => marks.end());
  const before = await takeSnapshot(marks);
  await withLabs(async (lab) => {
    const roster = await writeRoster(lab, students);
    const up = await rowsOf(lab, ['up', roster, '--driver', 'sandbox', '--condition', 'forward-policy=drop'], 0);
    assert.deepEqual(
      up.map(({ student, state }) => [student, state]),
      students.map((student) => [student, 'up']),
    );
    const nameOf = (student: string): string => up.find((row) => row.student === student)?.lab ?? '';
    for (const right of ['ann', '=dan()']) assert.equal((await lab('build', nameOf(right))).code, 0);
    for (const half of ['ben', 'Eva Ö']) {
      assert.equal((await lab('build', nameOf(half), '--through', 'addressing')).code, 0);
    }

    const graded = await rowsOf(lab, ['grade', roster], 1);
    const verdicts = {
      ann: 'pass',
      ben: 'fail',
      'Lee, Cat': 'nothing',
      '=dan()': 'pass',
      'Eva Ö': 'fail',
      fay: 'nothing',
    };
    assert.deepEqual(Object.fromEntries(graded.map(({ student, verdict }) => [student, verdict])), verdicts);
    const [ann, ben, cat] = graded;
    assert.equal(ann?.points, ann?.maxPoints);
    assert.deepEqual([ben?.chapters.addressing, ben?.chapters.publish, cat?.points], [10, 0, 0]);
    // Both have addresses, so 05 is begun; where FORWARD drops, what it takes with bridge-nf 1 is that chapter's own rule.
    assert.match(ben?.detail ?? '', /under FORWARD DROP with bridge-nf 1: ct1 to ct2 ends at FORWARD/);
    assert.ok((ben?.points as number) < (ben?.maxPoints ?? 0));

    const { stdout } = await lab('fleet', 'grade', roster, '-o', 'csv');
    const csv = parse(stdout, { columns: true });
    assert.equal(csv.length, students.length);
    assert.ok(stdout.includes("'=dan()"));

    await oneBreaks(lab, roster, nameOf('ben'), graded);

    const gone = await rowsOf(lab, ['destroy', roster], 0);
    assert.ok(gone.every(({ state }) => state === 'gone'));
    const again = await rowsOf(lab, ['destroy', roster], 0);
    assert.ok(again.every(({ state }) => state === 'absent'));
  }, marks);
  const { own, others } = await differenceAtRest(before, marks);
  t.diagnostic(`of other labs meanwhile: ${others.length} lines`);
  assert.deepEqual(own, []);
});

/** A missing lab host gives its student an error, never zero points. Other students' grades do not change. */
async function oneBreaks(
  lab: Parameters<Parameters<typeof withLabs>[0]>[0],
  roster: string,
  broken: string,
  before: Awaited<ReturnType<typeof rowsOf>>,
): Promise<void> {
  const { stdout } = await lab('status', broken, '-o', 'json');
  process.kill(Number(/init process (\d+)/.exec(stdout)?.[1]), 'SIGKILL');
  const graded = await rowsOf(lab, ['grade', roster], 3);
  const row = graded.find((each) => each.lab === broken);
  assert.deepEqual([row?.verdict, row?.points, row?.chapters.veth], ['error', 'error', 'error']);
  assert.match(row?.detail ?? '', /next: lab up/i);
  const others = (rows: typeof before): unknown[] => rows.filter((each) => each.lab !== broken);
  assert.deepEqual(others(graded), others(before));
  const states = await rowsOf(lab, ['status', roster], 0);
  assert.equal(states.filter(({ state }) => state === 'up').length, students.length - 1);
}

test('a fleet that is cut off while it comes up goes on with the next up', async () => {
  await withLabs(async (lab) => {
    const roster = await writeRoster(lab, students.slice(0, 4));
    const up = lab.start(['fleet', 'up', roster, '--driver', 'sandbox']);
    await up.shows(/sandbox started/);
    up.kill('SIGKILL');
    await up.ended;
    const rows = await rowsOf(lab, ['up', roster, '--driver', 'sandbox'], 0);
    assert.ok(rows.every(({ state }) => state === 'up'));
    const graded = await rowsOf(lab, ['grade', roster], 1);
    assert.ok(graded.every(({ verdict }) => verdict === 'nothing'));
    assert.equal((await lab('fleet', 'destroy', roster)).code, 0);
  });
});

test('one student whose lab can not be made keeps nobody else from theirs', async () => {
  await withLabs(async (lab) => {
    const roster = await writeRoster(lab, ['ann', 'ben']);
    assert.equal((await lab('up', 'fleet-ann', '--driver', 'sandbox', '--condition', 'bridge-nf=1')).code, 0);
    const rows = await rowsOf(lab, ['up', roster, '--driver', 'sandbox', '--condition', 'bridge-nf=0'], 3);
    assert.deepEqual(
      rows.map(({ student, state }) => [student, state]),
      [
        ['ann', 'error'],
        ['ben', 'up'],
      ],
    );
    assert.match(rows[0]?.detail ?? '', /made with other flags.*next: lab destroy fleet-ann/);
  });
});

test('students who have no lab yet are told the command that gives them theirs', async () => {
  await withLabs(async (lab) => {
    const roster = await writeRoster(lab, ['ann']);
    for (const [word, exit] of [
      ['status', 0],
      ['grade', 3],
    ] as const) {
      const [row] = await rowsOf(lab, [word, roster, '--prefix', 'net'], exit);
      assert.ok(row?.detail.includes(`next: lab fleet up ${roster} --prefix net`), row?.detail);
    }
  });
});
