import assert from 'node:assert/strict';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { withLabs, type Lab } from '../lab.ts';
import { noSandbox } from './sandbox.ts';
import { assertClear, ready, sandbox } from './steps.ts';

interface Row {
  name: string;
  state: string;
  next: string;
}

const fileOf = (lab: Lab, file: string): string => join(lab.state, 'handwired/labs/own', file);

async function rowOf(lab: Lab): Promise<Row | undefined> {
  const { stdout } = await lab('status', '-o', 'json');
  return (JSON.parse(stdout) as { labs: Row[] }).labs.find(({ name }) => name === 'own');
}

/** Types a next command that names the lab. */
async function type(lab: Lab, next: string): Promise<void> {
  assert.match(next, /^lab [a-z]+ own$/);
  const { code, stderr } = await lab(...next.split(' ').slice(1));
  assert.equal(code, 0, `${next}: ${stderr}`);
}

test('a lab host without its ssh server is broken for status, up and ssh, and the reset that they name mends it', {
  skip: noSandbox,
}, async () => {
  await withLabs(async (lab) => {
    await ready(lab, 'own');
    assert.equal((await lab('exec', 'own', '--', 'rm', '/usr/sbin/sshd')).code, 0);
    const row = await rowOf(lab);
    assert.deepEqual([row?.state, row?.next], ['broken', 'lab reset own']);
    assertClear(await lab('up', 'own', ...sandbox), 3, /runs, but no ssh server answers on it/, /lab reset own/);
    assertClear(await lab('exec', 'own', '--', 'true'), 3, /removed the lab host's ssh server/, /lab reset own/);
    assert.equal((await lab('check', 'own')).code, 2);
    await type(lab, row?.next ?? '');
    assert.equal((await rowOf(lab))?.state, 'up');
    assert.equal((await lab('exec', 'own', '--', 'true')).code, 0);
  });
});

test('a damaged ssh key stops no check, and the reset that ssh names makes a new one', {
  skip: noSandbox,
}, async () => {
  await withLabs(async (lab) => {
    await ready(lab, 'own');
    const key = await readFile(fileOf(lab, 'sandbox/id_ed25519'), 'utf8');
    for (const damaged of ['garbage\n', key.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA')]) {
      await writeFile(fileOf(lab, 'sandbox/id_ed25519'), damaged);
      assertClear(await lab('exec', 'own', '--', 'true'), 3, /key/, /lab reset own/);
      assert.equal((await lab('check', 'own')).code, 2);
      await type(lab, 'lab reset own');
      assert.equal((await lab('exec', 'own', '--', 'true')).code, 0);
    }
  });
});

for (const file of ['baseline.json', 'endpoint.json'])
  test(`a folder in the place of ${file} is named by status, and what it names mends it`, {
    skip: noSandbox,
  }, async () => {
    await withLabs(async (lab) => {
      await ready(lab, 'own');
      await rm(fileOf(lab, file));
      await mkdir(join(fileOf(lab, file), 'deeper'), { recursive: true });
      const row = await rowOf(lab);
      assert.equal(row?.state, 'damaged');
      await type(lab, row.next);
      assert.equal((await rowOf(lab))?.state, 'up');
      assert.equal((await lab('check', 'own')).code, 2);
    });
  });

test('two ups of one lab at once, one through a symbolic link to the state folder, both end well', {
  skip: noSandbox,
}, async () => {
  await withLabs(async (lab) => {
    const link = `${lab.state}-link`;
    await symlink(lab.state, link);
    try {
      const up = ['up', 'own', ...sandbox];
      const both = [lab.start(up), lab.start(up, { XDG_STATE_HOME: link })];
      for (const { ended } of both) {
        const { code, stderr } = await ended;
        assert.equal(code, 0, stderr);
      }
    } finally {
      await rm(link);
    }
  });
});

test('an up that is refused leaves nothing, and other flags are no obstacle to one that was cut off', {
  skip: noSandbox,
}, async () => {
  await withLabs(async (lab) => {
    assertClear(await lab('up', 'own', '--driver', 'vm', '--uri', 'xen:///'), 78, /labs run on QEMU/, /lab up/);
    assert.match((await lab('status')).stdout, /there is no lab/);
    const up = lab.start(['up', 'own', ...sandbox]);
    await up.shows(/driver sandbox/);
    up.kill('SIGKILL');
    await up.ended;
    await ready(lab, 'own', '--condition', 'forward-policy=drop');
  });
});
