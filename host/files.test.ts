import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { makeFolder, writeAtomic } from './files.ts';

test('Folders that are missing are made with their mode, and one that is there stays', async () => {
  const top = await mkdtemp(join(tmpdir(), 'folder-'));
  try {
    makeFolder(join(top, 'a/b'), 0o700);
    makeFolder(join(top, 'a/b'), 0o700);
    for (const name of ['a', 'a/b']) assert.equal((await stat(join(top, name))).mode & 0o777, 0o700);
  } finally {
    await rm(top, { recursive: true });
  }
});

test('Where no folder can be made, that is an error with the folder and the next command, at once', async () => {
  assert.throws(() => makeFolder('/proc/none/inner'), /ENOENT.*\/proc\/none/);
  await assert.rejects(writeAtomic('/proc/none/inner/file', ''), {
    message: /cannot write: ENOENT.*\/proc\/none/,
    next: /XDG_STATE_HOME=/,
  });
});

test('A command works in a home where nothing can be kept', async () => {
  const lab = join(import.meta.dirname, '../cli/lab.sh');
  const { stdout } = await promisify(execFile)('/bin/sh', [lab, '--version'], {
    env: { PATH: process.env.PATH, HOME: '/proc' },
    timeout: 30_000,
  });
  assert.match(stdout, /\d/);
});
