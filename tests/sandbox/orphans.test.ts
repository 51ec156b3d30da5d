import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { findProcesses } from '@handwired/host';
import { sandbox } from '../../infra/drivers/sandbox/index.ts';
import { runApart, type Said } from './apart.ts';
import { noSandbox, work } from './sandbox.ts';

interface Orphan {
  name: string;
  detail: string;
  next: string;
}

/** What `lab status -o json` said of a lost lab. */
const orphanOf = ({ out }: Said, lab: string): Orphan | undefined =>
  (JSON.parse(out) as { orphans: Orphan[] }).orphans.find(({ name }) => name === lab);

const instanceOf = (lab: string): string =>
  `say instance grep -o '"instance": "[0-9a-f]*"' "$1/state/handwired/labs/${lab}/lab.json"`;

/** Nothing carries the instance any more: no process, no cgroup. */
async function assertGone({ out }: Said): Promise<void> {
  const instance = /"instance": "([0-9a-f]+)"/.exec(out)?.[1] ?? assert.fail(out);
  assert.deepEqual(await findProcesses('cmdline', (word) => word === `handwired-sandbox=${instance}`), []);
  for (const tree of ['', 'pids', 'memory', 'unified'])
    for (const lab of ['lost', 'kept']) {
      const folder = join('/sys/fs/cgroup', tree, `handwired-${lab}-${instance}`);
      assert.ok(!existsSync(folder), folder);
    }
}

test('a sandbox whose state was removed is found by status and doctor, named by up, and removed by destroy', {
  skip: noSandbox,
}, async () => {
  const said = await runApart(`say up lab up lost --driver sandbox
say other lab up kept --driver sandbox
${instanceOf('lost')}
rm -r "$1/state/handwired/labs/lost"
say status lab status -o json
say doctor lab doctor
say again lab up lost --driver sandbox
say destroy lab destroy lost
say after lab status -o json
say anew lab up lost --driver sandbox`);
  assert.equal(said('up').code, 0, said('up').err);
  const orphan = orphanOf(said('status'), 'lost');
  assert.equal(orphan?.next, 'lab destroy lost');
  assert.match(orphan.detail, /process \d+ with its namespaces.*cgroup .*its state folder \S+ has lost it/);
  assert.equal(orphanOf(said('status'), 'kept'), undefined);
  assert.match(said('doctor').out, /^warn +lost labs: .*\blost: process \d+/m);
  assert.equal(said('again').code, 78);
  assert.match(said('again').err, /an earlier lab lost has lost its state folder[^]*next: {2}lab destroy lost/);
  assert.equal(said('destroy').code, 0, said('destroy').err);
  assert.match(said('destroy').out, /^what was left of lab lost is gone; removed:\n {2}process \d+/);
  assert.equal(orphanOf(said('after'), 'lost'), undefined);
  assert.match(said('after').out, /"name": "kept",\s+"driver": "sandbox",\s+"state": "up"/);
  assert.equal(said('anew').code, 0, said('anew').err);
  await assertGone(said('instance'));
});

test('a lab of another state folder is none while it is well, and is removed by --all once that folder is gone', {
  skip: noSandbox,
}, async () => {
  const said = await runApart(`say up lab up lost --driver sandbox
${instanceOf('lost')}
export XDG_STATE_HOME="$1/elsewhere"
say well lab status -o json
say named lab destroy lost
say all lab destroy --all
say running env XDG_STATE_HOME="$1/state" lab status lost
rm -r "$1/state/handwired"
say lost lab status -o json
say own lab up lost --driver sandbox
say both lab status -o json
say removed lab destroy --all`);
  assert.equal(orphanOf(said('well'), 'lost'), undefined);
  assert.equal(said('named').code, 78);
  assert.match(
    said('named').err,
    /belongs to another state folder[^]*next: {2}XDG_STATE_HOME=\S+\/state lab destroy lost/,
  );
  assert.match(said('running').out, /lost +sandbox +up/);
  assert.equal(orphanOf(said('lost'), 'lost')?.next, 'lab destroy lost');
  assert.equal(said('own').code, 0, said('own').err);
  assert.match(orphanOf(said('both'), 'lost')?.next ?? '', /^XDG_STATE_HOME=\S+\/state lab destroy lost$/);
  assert.equal(said('removed').code, 0, said('removed').err);
  assert.match(said('removed').out, /lab lost is gone; removed:[^]*what was left of lab lost is gone; removed:/);
  await assertGone(said('instance'));
});

test('a lab whose state folder was moved goes on from there, and no orphan is seen', { skip: noSandbox }, async () => {
  const said = await runApart(`say up lab up lost --driver sandbox
say build lab build lost --through bridge
cp -a "$1/state" "$1/elsewhere"
rm -r "$1/state/handwired"
export XDG_STATE_HOME="$1/elsewhere"
say status lab status -o json
say again lab up lost
say check lab check lost
say exec lab exec lost -- true
say destroy lab destroy lost`);
  assert.equal(orphanOf(said('status'), 'lost'), undefined);
  assert.match(said('status').out, /"next": "lab up lost"/);
  for (const name of ['again', 'check', 'exec', 'destroy']) assert.equal(said(name).code, 0, said(name).err);
});

for (const [title, damage] of [
  [
    'a damaged spec and spare',
    'for file in lab.json lab.spare.json; do echo "{" >"$1/state/handwired/labs/lost/$file"; done',
  ],
  [
    'folders in the place of spec and spare',
    'cd "$1/state/handwired/labs/lost" && rm lab*.json && mkdir lab.json lab.spare.json',
  ],
  [
    'another instance in its spec',
    'sed -i \'s/"instance": "./"instance": "0/\' "$1/state/handwired/labs/lost/lab.json" "$1/state/handwired/labs/lost/lab.spare.json"',
  ],
  [
    'another instance in one of them',
    'sed -i \'s/"instance": "./"instance": "0/\' "$1/state/handwired/labs/lost/lab.json"',
  ],
] as const)
  test(`a lab with ${title} is destroyed with all that carries its mark`, { skip: noSandbox }, async () => {
    const said = await runApart(`say up lab up lost --driver sandbox
${instanceOf('lost')}
${damage}
say status lab status
say destroy lab destroy lost
say after lab status -o json`);
    assert.match(said('status').out, /lab destroy lost|lab ssh lost/);
    assert.equal(said('destroy').code, 0, said('destroy').err);
    assert.match(said('destroy').out, /process \d+ with its namespaces/);
    assert.match(said('destroy').out, /state folder \S+\/lost/);
    assert.doesNotMatch(said('after').out, /"name": "lost"/);
    await assertGone(said('instance'));
  });

test('a lab that root made is named for a plain user, with what removes it', { skip: noSandbox }, async (t) => {
  const plain = 'setpriv --reuid 65534 --regid 65534 --clear-groups env HOME="$1/home" XDG_CACHE_HOME="$1/home"';
  const said = await runApart(`chmod 755 "$1" && mkdir "$1/home" && chown 65534 "$1/home"
say can ${plain} test -x "$2"
say up lab up kept --driver sandbox
say shared ${plain} lab status
say named ${plain} lab destroy kept
say own ${plain} XDG_STATE_HOME="$1/home" lab status
say other ${plain} XDG_STATE_HOME="$1/home" lab destroy kept`);
  if (said('can').code !== 0) {
    t.skip('a plain user may not read this checkout');
    return;
  }
  assert.equal(said('shared').code, 78);
  assert.match(
    said('shared').err,
    /made by root[^]*next: {2}sudo env XDG_STATE_HOME=\S+\/state "\$\(command -v lab\)" status/,
  );
  assert.match(said('named').err, /made by root[^]*next: {2}sudo env XDG_STATE_HOME=\S+\/state .* destroy kept/);
  assert.match(said('own').out, /there is no lab[^]*labs of other users: .*\bkept \(root\)[^]*next: sudo .* status/);
  assert.match(said('other').err, /one belongs to root[^]*next: {2}sudo .* destroy kept/);
});

test('an engine that outlived its command and its lab is found and ended', { skip: noSandbox }, async () => {
  const said = await runApart(`view="$(readlink /proc/self/ns/mnt) $(stat -c %d:%i /)"
env HANDWIRED_ENGINE=0123456789abcdef HANDWIRED_LAB=lost HANDWIRED_STATE="$1/state/handwired" "HANDWIRED_VIEW=$view" \\
  sleep 300 >/dev/null 2>&1 &
say status lab status -o json
say destroy lab destroy lost
say left sh -c 'kill -0 $1 2>/dev/null; echo $?' sh $!`);
  assert.match(orphanOf(said('status'), 'lost')?.detail ?? '', /^process \d+, an engine; /);
  assert.equal(said('destroy').code, 0, said('destroy').err);
  assert.equal(said('left').out.trim(), '1');
});

test('cgroups without a sandbox are found and removed, with a program that had entered one', {
  skip: noSandbox,
}, async (t) => {
  const instance = `${Date.now().toString(16)}00`;
  const parents = ['', 'pids', 'memory', 'unified'].map((tree) => join('/sys/fs/cgroup', tree));
  const folders = parents
    .filter((parent) => existsSync(join(parent, 'cgroup.procs')))
    .map((parent) => join(parent, `handwired-lost-${instance}`));
  const find = async () => (await sandbox.find(work().signal)).find((each) => each.instance === instance);
  try {
    for (const folder of folders) await mkdir(folder);
  } catch (error) {
    t.skip(`cgroups can't be made here: ${String(error)}`);
    return;
  }
  assert.equal(await find(), undefined, 'one that was made just now may get its sandbox');
  const program = spawn('sleep', ['300']);
  await once(program, 'spawn');
  for (const folder of folders) {
    await writeFile(join(folder, 'cgroup.procs'), String(program.pid));
    await utimes(folder, 0, 0);
  }
  const ended = once(program, 'exit');
  // Another test's destroy --all may be faster: then what is to be shown is shown.
  const found = await find();
  if (found) {
    assert.deepEqual(
      await found.list(work().signal),
      folders.map((folder) => `cgroup ${folder}`),
    );
    await found.remove(work());
  }
  assert.deepEqual(await ended, [null, 'SIGKILL']);
  assert.equal(await find(), undefined);
});
