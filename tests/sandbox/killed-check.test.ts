import assert from 'node:assert/strict';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { diffFacts, observeFacts } from '@handwired/checker';
import { Endpoint, openSeat } from '@handwired/host';
import { withLabs } from '../lab.ts';
import { builtRight, ready } from './steps.ts';

/** Processes of this machine, and not of the lab host, that are in its network namespace or hold it open: a check's own. */
async function graders(inode: number): Promise<number[]> {
  const net = `net:[${inode}]`;
  const here = await readlink('/proc/self/ns/pid');
  const link = (path: string): Promise<string> => readlink(path).catch(() => '');
  const found: number[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    if ((await link(`/proc/${pid}/ns/pid`)) !== here) continue;
    const fds = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const held = await Promise.all([link(`/proc/${pid}/ns/net`), ...fds.map((fd) => link(`/proc/${pid}/fd/${fd}`))]);
    if (held.includes(net)) found.push(Number(pid));
  }
  return found;
}

async function gone(inode: number): Promise<void> {
  let left: number[] = [];
  for (const end = Date.now() + 5000; Date.now() < end; ) {
    left = await graders(inode);
    if (left.length === 0) return;
  }
  const args = await Promise.all(left.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  assert.fail(`left behind: ${args.map((text) => text.replaceAll('\0', ' ').slice(0, 80)).join('; ')}`);
}

/** Ends a process. Gives false when it has already ended by itself. */
function end(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

test('A check that is killed, here or at its seat, leaves no process, so no copy, and the lab host as it was', () =>
  withLabs(async (lab) => {
    await ready(lab, 'killed');
    assert.equal((await lab('build', 'killed')).code, 0);
    await builtRight(lab, 'killed');
    const file = join(lab.state, 'handwired/labs/killed/endpoint.json');
    const seat = await openSeat(Endpoint.parse(JSON.parse(await readFile(file, 'utf8'))));
    const before = await observeFacts(seat);
    await gone(before.host.inode);
    let most = 0;
    let cut = 0;
    for (let round = 0; round < 8; round += 1) {
      const check = lab.start(['check', 'killed']);
      const ended = check.ended.then(() => true);
      // Its first process at the seat looks, and a child of it; the next one makes experiments, with a child for each copy.
      const wanted = round % 4 === 3 ? 1 : 4;
      while ((await graders(before.host.inode)).length < wanted) if (await Promise.race([ended, wait(1, false)])) break;
      await wait(Math.random() * 200);
      const seen = await graders(before.host.inode);
      most = Math.max(most, seen.length);
      const target = seen[Math.floor(Math.random() * seen.length)];
      if (round % 2 === 0 || target === undefined || !end(target)) check.kill('SIGKILL');
      const { code } = await check.ended;
      if (code !== 0) cut += 1;
      await gone(before.host.inode);
      const after = await observeFacts(seat);
      assert.deepEqual(diffFacts(before, after), []);
      assert.deepEqual(
        after.here.links.map(({ name, index }) => [name, index]),
        before.here.links.map(({ name, index }) => [name, index]),
      );
    }
    assert.ok(cut > 4, `${cut} of 8 were cut off`);
    assert.ok(most > 4, `at most ${most} processes were seen at work: no copy among them`);
    assert.equal((await lab('check', 'killed')).code, 0);
  }));
