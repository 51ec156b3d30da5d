import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { build } from '@handwired/labs';
import { watchLab, type Watcher } from '@handwired/checker';
import { openSeat } from '@handwired/host';
import { withLabs } from '../lab.ts';
import { course, withGraded } from './grading.ts';
import type { LabHost } from './lab-host.ts';

/** Changes with an event, which are told at once, and without one, which the slow look finds. */
const changes: [what: string, withinMs: number, command: string][] = [
  ['a link', 3_000, 'ip link add d0 type bridge'],
  ['an address', 3_000, 'ip addr add 192.0.2.1/24 dev d0'],
  ['a link that goes up', 3_000, 'ip link set d0 up'],
  ['a route', 3_000, 'ip route add 198.51.100.128/25 dev d0'],
  ['a policy rule', 3_000, 'ip rule add from 192.0.2.0/24 lookup main'],
  ['a rule of iptables', 3_000, 'iptables -A FORWARD -i d0 -j DROP'],
  ['a native nft table', 3_000, 'nft add table inet mine'],
  ['forwarding', 3_000, 'sysctl -qw net.ipv4.conf.d0.forwarding=0'],
  ['a namespace', 3_000, 'ip netns add ns9'],
  ['a link in a container', 3_000, 'ip -n ct1 link set lo down'],
  ['a route in a container', 3_000, 'ip -n ct2 route add 192.0.2.0/24 dev eth0'],
  ['a namespace that goes', 3_000, 'ip netns del ns9'],
  ['a setting without an event', 8_000, 'sysctl -qw net.ipv4.conf.d0.route_localnet=1'],
  ['a rule of iptables-legacy', 8_000, 'iptables-legacy -A FORWARD -i d0 -j DROP'],
  ['the same with another address', 8_000, 'iptables-legacy -R FORWARD 1 -i d0 -s 192.0.2.9 -j DROP'],
  ['a server', 8_000, 'setsid -f python3 -m http.server 9999 >/dev/null 2>&1'],
  ['a name server', 8_000, 'mkdir -p /etc/netns/ct1; echo nameserver 192.0.2.3 > /etc/netns/ct1/resolv.conf'],
];

/** Watches a lab host for the length of some work. */
async function withWatcher({ endpoint }: LabHost, work: (watcher: Watcher) => Promise<void>): Promise<void> {
  const seat = await openSeat(endpoint);
  const watcher = await watchLab(seat, new AbortController().signal);
  try {
    await work(watcher);
  } finally {
    watcher.close();
    seat.close();
  }
}

test('Every kind of change is told, and grading is none', () =>
  withGraded({}, async ({ host, check }) => {
    await build(host.session, host.plan, { chapters: course });
    await withWatcher(host, async (watcher) => {
      // What the build began goes on for a moment: an IPv6 address of a link is tentative for a second (RFC 4862, 5.4).
      while (await watcher.changed(1_500));
      assert.equal((await check()).exit, 0);
      assert.equal(await watcher.changed(6_500), false, 'experiments look like changes');
      for (const [what, withinMs, command] of changes) {
        await host.sh(command);
        assert.equal(await watcher.changed(withinMs), true, what);
        while (await watcher.changed(500));
      }
    });
  }));

test('A namespace that is deleted goes although it is watched', () =>
  withGraded({}, async ({ host }) => {
    await host.sh('ip netns add ct1; ip link add v1 type veth peer name v2 netns ct1; ip -n ct1 link set lo up');
    await withWatcher(host, async (watcher) => {
      await host.sh('ip -n ct1 link set v2 up');
      assert.equal(await watcher.changed(3_000), true);
      const gone = 'for n in $(seq 40); do ip link show v1 >/dev/null 2>&1 || exit 0; sleep 0.05; done; exit 1';
      await host.sh(`ip netns del ct1; ${gone}`);
    });
  }));

test('The watching program ends with its reader, and a lab host that ends is an error with the next command', () =>
  withGraded({}, async ({ host }) => {
    const seat = await openSeat(host.endpoint);
    const running = async (): Promise<number> => {
      const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
      const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')));
      const own = lines.filter((line) => /\(python3?[\d.]*\)/.test(line) && line.split(' ')[3] === String(process.pid));
      return own.length;
    };
    const before = await running();
    const watcher = await watchLab(seat, new AbortController().signal);
    assert.ok((await running()) > before);
    watcher.close();
    const end = performance.now() + 5_000;
    while ((await running()) > before && performance.now() < end) await new Promise(setImmediate);
    assert.equal(await running(), before);
    const aborted = new AbortController();
    const other = await watchLab(seat, aborted.signal);
    const reason = new Error('interrupted');
    const change = other.changed();
    aborted.abort(reason);
    await assert.rejects(change, reason);
    other.close();
    seat.close();
  }));

test('--watch shows the report, then only what changed; Ctrl-C ends it with 130 and leaves nothing running', () =>
  withLabs(async (lab) => {
    assert.equal((await lab('up', 'own', '--driver', 'sandbox')).code, 0);
    assert.equal((await lab('build', 'own', '--through', 'egress')).code, 0);
    const watch = lab.start(['check', 'own', '--watch']);
    await watch.shows(/0 fail, .* points/);
    assert.equal((await lab('exec', 'own', '--', 'ip', 'link', 'set', 'br0', 'down')).code, 0);
    await watch.shows(/^bridge\.up: pass -> fail$/m);
    await watch.shows(/1 fail/);
    assert.equal((await lab('exec', 'own', '--', 'ip', 'link', 'set', 'br0', 'up')).code, 0);
    await watch.shows(/^bridge\.up: fail -> pass$/m);
    await watch.shows(/^egress\.ct1: skipped -> pass$/m);
    watch.kill('SIGINT');
    const { code, stdout, stderr } = await watch.ended;
    assert.equal(code, 130, stderr);
    assert.equal(stdout.match(/^01 /gm)?.length, 1);
    assert.doesNotMatch(stdout, /namespaces\.ct1:/);
  }));

test('--wait ends with 0 as soon as it passes, and with the last exit code when the time is over', () =>
  withLabs(async (lab) => {
    assert.equal((await lab('up', 'own', '--driver', 'sandbox')).code, 0);
    const short = await lab('check', 'own', '--through', 'veth', '--wait', '1');
    assert.equal(short.code, 1, short.stderr);
    const wait = lab.start(['check', 'own', '--through', 'veth', '--wait', '60', '-o', 'json']);
    assert.equal((await lab('build', 'own', '--through', 'veth')).code, 0);
    const { code, stdout, stderr } = await wait.ended;
    assert.equal(code, 0, stderr);
    assert.equal((JSON.parse(stdout) as { exit: number }).exit, 0);
  }));
