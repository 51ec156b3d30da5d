import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { emptyRecord, noteBegun, saveRecord } from '@handwired/checker';
import { chapterIds, derivePlan, readHistory, recordFile, run, saveSpec } from '@handwired/host';
import { testSpec } from './driver-labs.ts';
import { labCommand, runInProcess } from './lab.ts';
import { onTerminal } from './sandbox/terminal.ts';

const state = await mkdtemp(join(tmpdir(), 'handwired-test-'));
after(() => rm(state, { recursive: true, force: true }));
const env = { XDG_STATE_HOME: state, LAB_NAME: '', NO_COLOR: '', FORCE_COLOR: '' };
const lab = (...words: string[]) => runInProcess(words, env);

test('lab guide without a chapter says which there are, and what to read first', async () => {
  const { code, stdout } = await lab('guide');
  assert.equal(code, 0);
  assert.match(stdout, /^00 tour .* next$/m);
  assert.ok(stdout.includes(`\n${chapterIds.length - 1} cleanup `));
  assert.match(stdout, /there is no lab named lab yet: lab up$/m);
  assert.match(stdout, /^read: lab guide tour$/m);
});

test('A chapter is read without a lab, with the default values, by its id or its number', async () => {
  const { code, stdout, stderr } = await lab('guide', 'tour');
  assert.equal(code, 0);
  assert.equal(stderr, '');
  assert.match(stdout, /^Chapter 00: /);
  assert.match(stdout, /the values of the default plan/);
  // The command as a user types it says the same.
  assert.equal((await run([labCommand, 'guide', '0'], { env })).stdout, stdout);
});

test('A chapter that can not start yet is shown, and stderr says what is missing and how to get there', async () => {
  const { code, stdout, stderr } = await lab('guide', 'addressing');
  assert.equal(code, 0);
  assert.match(stdout, /^Chapter 04: /);
  assert.match(
    stderr,
    /^chapter addressing can't start yet: it stands on 01 namespaces, 02 bridge, 03 veth, and there is no lab/,
  );
  assert.match(stderr, /lab up, then lab guide namespaces; or .* lab up, then lab build --through veth$/m);
});

test('Cleaning up can not start before something was built', async () => {
  const { code, stderr } = await lab('guide', 'cleanup');
  assert.equal(code, 0);
  assert.match(stderr, /^chapter cleanup can't start yet: there is no lab named lab yet\n.*lab up, then lab next;/);
});

test('A word that is no chapter is a usage error with the nearest, a lab that does not exist is one too', async () => {
  const unknown = await lab('guide', 'brigde');
  assert.equal(unknown.code, 64);
  assert.match(unknown.stderr, /did you mean bridge\?.*\n +next: +lab guide$/m);
  assert.equal((await lab('guide', String(chapterIds.length))).code, 64);
  const missing = await lab('guide', 'bridge', '--lab', 'nosuch');
  assert.equal(missing.code, 78);
  assert.match(missing.stderr, /no lab named nosuch/);
});

test("With a lab a guide has the lab's values, knows what was begun in it, and is remembered as read", async () => {
  process.env['XDG_STATE_HOME'] = state;
  const plan = derivePlan('someone');
  await saveSpec(testSpec('sandbox', 'mine', { plan, phase: 'ready' }));
  const first = await lab('guide', 'addressing', '--lab', 'mine');
  assert.match(first.stdout, /^with the values of lab mine; type first on your own machine: export LAB_NAME=mine$/m);
  assert.ok(first.stdout.includes(`ip -n ct1 addr add ${plan.ct1.address}/16 dev eth0`));
  assert.match(first.stdout, /^next: lab guide connectivity --lab mine$/m);
  assert.match(first.stderr, /it stands on 01 .*, of which lab check has seen nothing in lab mine$/m);
  assert.match(
    first.stderr,
    /^how to get there: lab guide namespaces --lab mine; or .* lab build mine --through veth$/m,
  );
  const record = emptyRecord();
  noteBegun(record, ['namespaces', 'bridge']);
  await saveRecord(recordFile('mine'), record);
  assert.match((await lab('guide', 'addressing', '--lab', 'mine')).stderr, /it stands on 03 veth, of which/);
  noteBegun(record, ['veth']);
  await saveRecord(recordFile('mine'), record);
  assert.equal((await lab('guide', 'addressing', '--lab', 'mine')).stderr, '');
  const read = (await readHistory('mine')).filter(({ kind }) => kind === 'guide');
  assert.equal(read.length, 3);
});

test('On a terminal a guide is paged by $PAGER, and Ctrl-C is the pager’s', async () => {
  const page = `sh -c 'trap "" INT; head -n 1; echo page; read -r line </dev/tty'`;
  const terminal = onTerminal(['guide', 'tour'], { ...env, PAGER: page });
  await terminal.shows(/Chapter 00.*\s+page/);
  terminal.send('\x03');
  terminal.send('q\r');
  assert.deepEqual(await terminal.ended, { code: 0, raw: false, restored: true });
});

test('less is told to let colours and drawings through, unless the user tells it otherwise', async () => {
  const PAGER = 'cat > /dev/null; echo "less $LESS $LESSCHARSET."';
  for (const [settings, told] of [
    [{ LESS: '', LESSCHARSET: '' }, /less R utf-8\./],
    [{ LESS: '-i', LESSCHARSET: 'latin1' }, /less -i latin1\./],
  ] as const) {
    const terminal = onTerminal(['guide', 'tour'], { ...env, PAGER, ...settings });
    await terminal.shows(told);
    assert.equal((await terminal.ended).code, 0);
  }
});

test('Where there is no pager, a guide is printed', async () => {
  const terminal = onTerminal(['guide', 'tour'], { ...env, PAGER: '/nosuch/pager' });
  await terminal.shows(/Chapter 00/);
  await terminal.shows(/next: lab guide namespaces/);
  assert.equal((await terminal.ended).code, 0);
});
