import assert from 'node:assert/strict';
import test from 'node:test';
import { defaultPlan, Conditions, type LabSpec, type Progress } from '@handwired/host';
import type { Condition, Target } from './readiness.ts';
import { waitUntilReady } from './wait.ts';

const spec: LabSpec = {
  schemaVersion: 1,
  name: 'unit',
  driver: 'vm',
  conditions: Conditions.parse({}),
  plan: defaultPlan,
  cpus: 1,
  memoryMiB: 512,
  instance: '0000',
  owner: 'a@b',
  createdAt: '2026-01-01T00:00:00Z',
  phase: 'creating',
};

const endpoint = { lab: 'unit', driver: 'vm', user: 'root', privateKeyFile: '/none', hostKey: 'none' } as const;

function target(signal: AbortSignal): Target {
  return {
    spec,
    hypervisor: { kind: 'given', uri: 'test:///default' },
    endpoint: { ...endpoint, dial: { command: ['false'] }, seat: { dial: { command: ['false'] }, viewPid: 1 } },
    address: '10.213.0.2',
    signal,
  };
}

const { signal } = new AbortController();

function recorder(): { progress: Progress; seen: string[] } {
  const seen: string[] = [];
  const progress: Progress = {
    stage: async (title, task) => {
      seen.push(title);
      return task((text) => seen.push(`  ${text}`));
    },
    note: () => undefined,
  };
  return { progress, seen };
}

const row = (what: string, answers: (string | undefined)[], deadlineMs = 10_000): Condition => ({
  what,
  how: () => Promise.resolve(answers.length > 1 ? answers.shift() : answers[0]),
  hint: 'look there',
  deadlineMs,
});

test('rows are waited for in their order, each a stage with the reason why not yet', async () => {
  const { progress, seen } = recorder();
  await waitUntilReady(target(signal), { progress, signal }, [
    row('first', ['not yet', undefined]),
    row('second', [undefined]),
  ]);
  assert.deepEqual(seen, ['first', '  not yet', 'second']);
});

test('a row that does not come in time is an error with its hint and the next command', async () => {
  const { progress } = recorder();
  await assert.rejects(waitUntilReady(target(signal), { progress, signal }, [row('never', ['off'], 0)]), {
    name: 'LabError',
    message: 'lab unit is not ready: "never" did not come in 0 s (off)',
    where: 'look there',
    next: 'lab destroy unit, then lab up unit',
  });
});

test('an abort ends the wait with its reason', async () => {
  const { progress } = recorder();
  const abort = new AbortController();
  const endless: Condition = {
    ...row('endless', ['no']),
    how: () => {
      abort.abort(new Error('enough'));
      return Promise.resolve('no');
    },
  };
  const work = { progress, signal: abort.signal };
  await assert.rejects(waitUntilReady(target(abort.signal), work, [endless]), /enough/);
});
