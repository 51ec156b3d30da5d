import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { Conditions, defaultPlan, type LabSpec } from '@handwired/host';
import { ensureKeyPair, renderLabEnv, renderEnv } from '../shared/lab-files.ts';
import { listFiles, prepare } from './index.ts';

const spec: LabSpec = {
  schemaVersion: 1,
  name: 'lab',
  driver: 'sandbox',
  conditions: Conditions.parse({ 'forward-policy': 'drop', resolver: 'file' }),
  plan: defaultPlan,
  cpus: 1,
  memoryMiB: 256,
  instance: 'abc',
  owner: 'test@test',
  createdAt: '2026-01-01T00:00:00Z',
  phase: 'creating',
};

it('writes the conditions as lines that the boot scripts can source', () => {
  assert.equal(
    renderEnv(renderLabEnv(spec)),
    'LAB_NAME=lab\nLAB_DRIVER=sandbox\nFORWARD_POLICY=drop\nBRIDGE_NF=0\nRESOLVER=file\nIP_FORWARD=0\n',
  );
});

it('makes keys once, for us alone, and keeps them', async () => {
  const state = await mkdtemp(join(tmpdir(), 'handwired-prepare-'));
  const { XDG_STATE_HOME: previous } = process.env;
  process.env['XDG_STATE_HOME'] = state;
  try {
    const files = listFiles('lab');
    await prepare(spec, files, AbortSignal.timeout(10_000));
    const key = await ensureKeyPair(files.hostKey, 'lab');
    assert.match(key, /^ssh-ed25519 [A-Za-z0-9+/=]+$/);
    for (const file of [files.privateKey, files.hostKey, files.env]) {
      assert.equal((await stat(file)).mode & 0o777, 0o600);
    }
    assert.equal(await readFile(files.authorizedKeys, 'utf8'), await readFile(`${files.privateKey}.pub`, 'utf8'));
    await prepare(spec, files, AbortSignal.timeout(10_000));
    assert.equal(await ensureKeyPair(files.hostKey, 'lab'), key);
  } finally {
    if (previous === undefined) delete process.env['XDG_STATE_HOME'];
    else process.env['XDG_STATE_HOME'] = previous;
    await rm(state, { recursive: true, force: true });
  }
});
