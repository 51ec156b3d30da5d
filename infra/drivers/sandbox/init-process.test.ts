import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { endMarked, type InitProcess, isRunning, readMark, readInit } from './init-process.ts';

/** This test's own process, as init.sh would write it. */
async function self(): Promise<InitProcess> {
  const stat = await readFile('/proc/self/stat', 'utf8');
  const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  return { pid: process.pid, start, boot: (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim() };
}

describe('the identity of an init process', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'handwired-init-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('is read back from the file that init.sh writes', async () => {
    const init = await self();
    await writeFile(join(folder, 'init'), `${init.pid} ${init.start} ${init.boot}\n`);
    assert.deepEqual(await readInit(join(folder, 'init')), init);
  });

  it('is unknown when the file is absent, cut off or garbage', async () => {
    assert.equal(await readInit(join(folder, 'none')), undefined);
    for (const text of ['', '12', '12 34 ', '0x12 3 00000000-0000-0000-0000-000000000000\n', '\0\0\0']) {
      await writeFile(join(folder, 'bad'), text);
      assert.equal(await readInit(join(folder, 'bad')), undefined, JSON.stringify(text));
    }
  });

  it('holds for the running process only, not for another with its pid', async () => {
    const init = await self();
    assert.equal(await isRunning(init), true);
    assert.equal(await isRunning({ ...init, start: '1' }), false);
    assert.equal(await isRunning({ ...init, boot: '00000000-0000-0000-0000-000000000000' }), false);
    assert.equal(await isRunning({ ...init, pid: 4_194_304 }), false);
  });

  it('is found by the mark in its arguments, and ended', async () => {
    const mark = readMark(`test-${process.pid}`);
    const child = spawn('/bin/sh', ['-c', 'echo begun; read -r line', 'sh', mark], { stdio: 'pipe' });
    await once(child.stdout, 'data');
    const ended = once(child, 'exit');
    assert.deepEqual(await endMarked(mark), [child.pid]);
    assert.deepEqual(await ended, [null, 'SIGKILL']);
    assert.deepEqual(await endMarked(mark), []);
  });
});
