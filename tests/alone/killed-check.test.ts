import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { diffFacts, observeFacts } from '@handwired/checker';
import { Endpoint, LabSpec, openSeat } from '@handwired/host';
import { type Lab, withLabs } from '../lab.ts';
import { noSandbox, traces } from '../sandbox/sandbox.ts';

const times = 50;

interface Process {
  pid: number;
  parent: number;
  session: number;
  command: string;
}

/** Every process of this machine: proc(5) stat, fields 4 and 6. */
async function processes(): Promise<Process[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const command = stat.slice(stat.indexOf('('), stat.lastIndexOf(')') + 1);
      return fields[0] === 'Z' || stat === '' ? [] : [{ pid, parent: fields[1], session: fields[3], command }];
    }),
  );
  return found.flat().map((each) => ({
    ...each,
    pid: Number(each.pid),
    parent: Number(each.parent),
    session: Number(each.session),
  }));
}

/** Sessions of all that came from a process: what it runs is in sessions of their own, and its children in theirs. */
async function sessionsBelow(pid: number): Promise<Set<number>> {
  const all = await processes();
  const below = new Set([pid]);
  for (let size = 0; size !== below.size; ) {
    size = below.size;
    for (const each of all) if (below.has(each.parent)) below.add(each.pid);
  }
  const own = all.find((each) => each.pid === pid)?.session;
  return new Set(all.filter((each) => below.has(each.pid) && each.session !== own).map(({ session }) => session));
}

/** Passes when none of those sessions has a process any more, in ten seconds. */
async function allEnded(sessions: ReadonlySet<number>): Promise<void> {
  const end = Date.now() + 10_000;
  for (;;) {
    const running = (await processes()).filter(({ session }) => sessions.has(session));
    if (running.length === 0) return;
    assert.ok(Date.now() < end, `still running: ${running.map(({ pid, command }) => `${pid} ${command}`).join(', ')}`);
    await delay(10);
  }
}

/** What can be seen of this lab on the machine. Other users' things are left out. */
const left = async (spec: LabSpec): Promise<string[]> => Object.values(await traces(spec)).flat();

const stateOf = async (lab: Lab, file: string): Promise<unknown> =>
  JSON.parse(await readFile(join(lab.state, 'handwired/labs/lab', file), 'utf8'));

test(`A check that is killed at any of ${times} moments leaves the lab host as it was`, { skip: noSandbox }, (t) =>
  withLabs(async (lab) => {
    assert.equal((await lab('up', '--driver', 'sandbox')).code, 0);
    assert.equal((await lab('build')).code, 0);
    const seat = await openSeat(Endpoint.parse(await stateOf(lab, 'endpoint.json')));
    const spec = LabSpec.parse(await stateOf(lab, 'lab.json'));
    const began = performance.now();
    assert.equal((await lab('check')).code, 0);
    // The first check is slower than the others: the shortest one that ends says how long a check takes.
    let whole = performance.now() - began;
    const [before, there] = [await observeFacts(seat), await left(spec)];
    let killed = 0;
    for (let at = 0; at < times; at += 1) {
      const started = performance.now();
      const check = lab.start(['check']);
      const ended = check.ended.then(() => performance.now() - started);
      await Promise.race([delay((whole * (at + Math.random())) / times), ended]);
      const sessions = await sessionsBelow(check.pid);
      check.kill('SIGKILL');
      if ((await check.ended).code === null) killed += 1;
      else whole = Math.min(whole, await ended);
      await allEnded(sessions);
      assert.deepEqual(diffFacts(before, await observeFacts(seat)), [], `after ${at} of ${times}`);
      assert.deepEqual(await left(spec), there, `after ${at} of ${times}`);
    }
    t.diagnostic(`killed before its end: ${killed} of ${times}`);
    assert.ok(killed > times / 2, 'most of them came before the end');
    const after = await lab('check');
    assert.equal(after.code, 0, after.stdout);
    seat.close();
  }),
);
