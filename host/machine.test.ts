import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { endProcess, findProcesses, isAlive, readFreeMemoryMiB, readPidFile, readStartTime } from './machine.ts';

test('a process is itself only with its own start time', async () => {
  const start = (await readStartTime(process.pid)) ?? '';
  assert.match(start, /^\d+$/);
  assert.equal(await isAlive({ pid: process.pid, start }), true);
  assert.equal(await isAlive({ pid: process.pid, start: '1' }), false);
});

test('a pid file with the start time of another process names nobody', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'handwired-identity-'));
  try {
    const file = join(folder, 'pid');
    await writeFile(file, `${process.pid} 1\n`);
    assert.equal(await readPidFile(file), undefined);
    await writeFile(file, `${process.pid} ${await readStartTime(process.pid)}\n`);
    assert.equal((await readPidFile(file))?.pid, process.pid);
    await writeFile(file, '-1 x');
    assert.equal(await readPidFile(file), undefined);
    assert.equal(await readPidFile(join(folder, 'none')), undefined);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a process that ignores SIGTERM is ended by SIGKILL', async () => {
  const child = spawn('sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 1; done'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const id = { pid: child.pid ?? 0, start: (await readStartTime(child.pid ?? 0)) ?? '' };
  await endProcess(id, 50);
  assert.equal(await isAlive(id), false);
});

test('a process is found by a word of its arguments or of its environment, and never we ourselves', async () => {
  const mark = `handwired-test-${process.pid}`;
  const child = spawn('sh', ['-c', 'echo ready; read -r line', 'sh', mark], { env: { MARK: mark }, stdio: 'pipe' });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const pids = async (file: 'cmdline' | 'environ', word: string): Promise<number[]> =>
    (await findProcesses(file, (each) => each === word)).map(({ pid }) => pid);
  assert.deepEqual(await pids('cmdline', mark), [child.pid]);
  assert.deepEqual(await pids('environ', `MARK=${mark}`), [child.pid]);
  assert.deepEqual(await pids('cmdline', `${mark}x`), []);
  assert.ok(!(await pids('cmdline', process.argv[0] ?? '')).includes(process.pid));
  child.kill('SIGKILL');
});

test('the machine has some memory free', async () => {
  assert.ok((await readFreeMemoryMiB()) > 0);
});
