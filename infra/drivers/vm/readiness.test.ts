import assert from 'node:assert/strict';
import test from 'node:test';
import { Conditions, defaultPlan, type LabSpec, type Progress } from '@handwired/host';
import { type Condition, seatTrouble, type Target, waitUntilReady } from './readiness.ts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seatPort } from './record.ts';

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
  probe: () => Promise.resolve(answers.length > 1 ? answers.shift() : answers[0]),
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
    probe: () => {
      abort.abort(new Error('enough'));
      return Promise.resolve('no');
    },
  };
  const work = { progress, signal: abort.signal };
  await assert.rejects(waitUntilReady(target(abort.signal), work, [endless]), /enough/);
});

const right = `92 48 254:32 / / ro,nodev,relatime shared:43 - ext4 /proc/self/fd/3 ro,norecovery
93 92 0:6 / /dev rw,relatime shared:44 master:2 - devtmpfs dev rw,size=233272k,mode=755
97 92 0:33 / /proc rw,nosuid,nodev,noexec,relatime shared:48 - proc proc rw
98 92 0:34 / /run rw,nosuid,nodev shared:49 - tmpfs tmpfs rw,mode=755
100 98 254:0 /etc/handwired /run/seat ro,noatime shared:51 master:1 - ext4 /dev/vda rw
106 92 0:23 / /sys rw,nosuid,nodev,noexec,relatime shared:57 master:6 - sysfs sysfs rw
113 92 0:36 / /tmp rw,nodev shared:64 - tmpfs tmpfs rw
disk 254:0 0 
disk 254:16 1 
disk 254:32 1 handwired-seat
`;

test('a seat whose root is the read-only disk is right', () => {
  assert.equal(seatTrouble(right), undefined);
});

test('a seat on the overlay, or on a disk that can be written to, is told apart', () => {
  const overlay = right.replace('254:32 / /', '254:0 / /');
  assert.match(seatTrouble(overlay) ?? '', /its root is not the disk handwired-seat but .* \(254:0\)/);
  assert.match(seatTrouble(right.replace('254:32 1', '254:32 0')) ?? '', /can be written to/);
});

test('what is mounted over a program, over all of the root or over /proc is seen', () => {
  const over = (at: string): string => `120 92 254:0 /root/liar ${at} rw - ext4 /dev/vda rw\n`;
  assert.equal(seatTrouble(right + over('/usr/bin/python3.13')), 'something is mounted on /usr/bin/python3.13');
  assert.match(seatTrouble(right + over('/')) ?? '', /its root is not the disk/);
  assert.equal(seatTrouble(right + over('/proc')), '/proc is a ext4');
});

test('an answer that is none is trouble too', () => {
  for (const answer of ['', '\n\n', 'sh: cat: not found', 'disk - -'])
    assert.equal(typeof seatTrouble(answer), 'string', answer);
});

test('the unit listens where the endpoint says', () => {
  const unit = join(import.meta.dirname, '../../../cloud-init/vm/rootfs/etc/systemd/system/lab-seat.socket');
  assert.match(readFileSync(unit, 'utf8'), new RegExp(`^ListenStream=0\\.0\\.0\\.0:${seatPort}$`, 'm'));
});
