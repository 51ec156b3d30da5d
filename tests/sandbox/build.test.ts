import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ChapterId, type Conditions, connect, defaultPlan, derivePlan, LabError } from '@handwired/host';
import { build, type StepEvent, undo } from '@handwired/labs';
import { assertSame, assertWorks, snapshot } from './behaviour.ts';
import { course } from './grading.ts';
import { type LabHost, withLabHost } from './lab-host.ts';

const reversed = course.toReversed();

const buildAll = (host: LabHost, onStep?: (event: StepEvent) => void): Promise<void> =>
  build(host.session, host.plan, { chapters: course, ...(onStep ? { onStep } : {}) });
const undoAll = (host: LabHost, order: ChapterId[] = reversed): Promise<void> =>
  undo(host.session, host.plan, { chapters: order });

/** Every combination of any three conditions (even parity), or all sixteen with HANDWIRED_ALL_CONDITIONS=1. */
const combinations = [...Array(16).keys()]
  .map((n) => [n & 1, (n >> 1) & 1, (n >> 2) & 1, (n >> 3) & 1] as const)
  .filter((bits) => process.env.HANDWIRED_ALL_CONDITIONS === '1' || bits.filter(Boolean).length % 2 === 0)
  .map(
    ([policy, nf, resolver, forward]): Conditions => ({
      'forward-policy': policy ? 'drop' : 'accept',
      'bridge-nf': nf ? '1' : '0',
      resolver: resolver ? 'file' : 'stub',
      'ip-forward': forward ? '1' : '0',
    }),
  );

for (const [i, conditions] of combinations.entries()) {
  const plan = i % 2 === 0 ? defaultPlan : derivePlan(`student-${i}`);
  const name = Object.entries(conditions).map(([key, value]) => `${key}=${value}`);
  test(`A build works, builds again without a change, and is undone to the last bit: ${name.join(' ')}, ${plan.subnet}`, (t) =>
    withLabHost(plan, conditions, async (host) => {
      const before = await snapshot(host);
      const start = performance.now();
      await buildAll(host);
      const built = performance.now();
      await assertWorks(host);
      const first = await snapshot(host);
      const again: string[] = [];
      await buildAll(host, ({ step, status }) => {
        if (status === 'run') again.push(step);
      });
      assert.deepEqual(again, ['ping'], 'a second build only pings');
      assertSame(await snapshot(host), first);
      const undoing = performance.now();
      await undoAll(host);
      const undone = performance.now();
      assertSame(await snapshot(host), before);
      await undoAll(host);
      assertSame(await snapshot(host), before);
      t.diagnostic(`build ${Math.round(built - start)} ms, undo ${Math.round(undone - undoing)} ms`);
    }));
}

test('Each chapter is undone alone to what was there before it', () =>
  withLabHost(defaultPlan, { 'bridge-nf': '1' }, async (host) => {
    for (const id of course) {
      const before = await snapshot(host);
      await build(host.session, host.plan, { chapters: [id] });
      await undo(host.session, host.plan, { chapters: [id] });
      assertSame(await snapshot(host), before, id);
      await build(host.session, host.plan, { chapters: [id] });
    }
    await assertWorks(host);
  }));

test('Chapters are undone in any order that their needs allow, and cleanup is the undo of all', () =>
  withLabHost(defaultPlan, {}, async (host) => {
    const before = await snapshot(host);
    await buildAll(host);
    await undoAll(host, ['dns', 'publish', 'egress', 'connectivity', 'addressing', 'veth', 'namespaces', 'bridge']);
    assertSame(await snapshot(host), before);
    await buildAll(host);
    await build(host.session, host.plan, { chapters: ['cleanup'] });
    assertSame(await snapshot(host), before);
  }));

test('Undo of the namespaces alone ends when the kernel has taken them apart', () =>
  withLabHost(defaultPlan, {}, async (host) => {
    const look = 'ip netns list; ip netns list-id; ip -o link show type veth | cut -d: -f2';
    const before = await host.sh(look);
    await build(host.session, host.plan, { chapters: ['namespaces', 'bridge', 'veth', 'addressing'] });
    await undo(host.session, host.plan, { chapters: ['namespaces'] });
    assert.equal(await host.sh(look), before);
  }));

test('Steps that were killed on the lab host anywhere are finished by the next build, and undone by the next undo', () =>
  withLabHost(defaultPlan, { 'forward-policy': 'drop', 'bridge-nf': '1' }, async (host) => {
    const before = await snapshot(host);
    // Each remote command has a process group of its own; the brackets keep this line from finding itself.
    const kill = `for p in $(pgrep -f '[a]nother build or undo'); do kill -s KILL -- -$p; done; true`;
    let killed = 0;
    for (let round = 0; round < 20; round++) {
      const work = round % 3 === 2 ? undoAll(host) : buildAll(host);
      const failed = work.then(
        () => 0,
        (error: unknown) => {
          assert.ok(error instanceof LabError, String(error));
          return 1;
        },
      );
      await host.sh(`sleep ${(Math.random() * (round % 3 === 2 ? 1 : 1.6)).toFixed(3)}; ${kill}`);
      killed += await failed;
    }
    assert.ok(killed > 6, `${killed} of 20 were cut off`);
    await buildAll(host);
    await assertWorks(host);
    await undoAll(host);
    assertSame(await snapshot(host), before);
  }));

test('A connection that breaks in the middle of a build leaves what the next one finishes', () =>
  withLabHost(defaultPlan, {}, async (host) => {
    const before = await snapshot(host);
    for (let round = 0; round < 8; round++) {
      const session = await connect(host.endpoint);
      const after = Math.floor(Math.random() * 30);
      let steps = 0;
      const onStep = (): void => {
        if (steps++ === after) setTimeout(() => session.close(), Math.random() * 20);
      };
      await build(session, host.plan, { chapters: course, onStep }).catch((error: unknown) => {
        assert.ok(error instanceof LabError, String(error));
      });
      session.close();
      await host.sh('flock -w 20 /run true');
      if (round % 3 === 2) await undoAll(host);
    }
    await buildAll(host);
    await assertWorks(host);
    await undoAll(host);
    assertSame(await snapshot(host), before);
  }));

test('An aborted build stops before its next step, with the reason', () =>
  withLabHost(defaultPlan, {}, async ({ session, plan }) => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const steps: string[] = [];
    const onStep = ({ chapter, step }: StepEvent): void => {
      steps.push(`${chapter}/${step}`);
      if (step === 'plug') controller.abort(reason);
    };
    const { signal } = controller;
    await assert.rejects(build(session, plan, { chapters: course, onStep, signal }), (error) => error === reason);
    assert.equal(steps.at(-1), 'veth/plug');
  }));

test('A build that is aborted in the middle of a step ends with the reason, and no step has failed', () =>
  withLabHost(defaultPlan, {}, async ({ session, plan }) => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const statuses = new Set<string>();
    const onStep = ({ step, status }: StepEvent): void => {
      statuses.add(status);
      // The next step pings for 0.4 s.
      if (step === 'allow') setTimeout(() => controller.abort(reason), 100);
    };
    const { signal } = controller;
    await assert.rejects(build(session, plan, { chapters: course, onStep, signal }), (error) => error === reason);
    assert.deepEqual([...statuses], ['run']);
  }));

test('Two builds at once both end well', () =>
  withLabHost(defaultPlan, {}, async (host) => {
    const other = await connect(host.endpoint);
    await Promise.all([buildAll(host), build(other, host.plan, { chapters: course })]);
    other.close();
    await assertWorks(host);
    assert.equal(await host.sh('iptables-save | grep ^-A | sort | uniq -d'), '');
  }));

test('Undo leaves a differing build alone, and says which process keeps a namespace', () =>
  withLabHost(defaultPlan, {}, async (host) => {
    await host.sh(`ip netns add ct1; ip link add br0 type bridge; ip addr add 172.18.0.1/16 dev br0; ip link set br0 up
      ip link add mine type veth peer name eth0 netns ct1; ip link set mine master br0 up; ip -n ct1 link set eth0 up
      ip -n ct1 addr add 172.18.0.99/16 dev eth0
      mkdir -p /etc/netns/ct1 /srv/ct1; echo nameserver 8.8.8.8 > /etc/netns/ct1/resolv.conf; echo mine > /srv/ct1/index.html
      iptables -t nat -A POSTROUTING -s 172.18.0.0/16 ! -o br0 -j MASQUERADE
      sysctl -q -w net.ipv4.ip_forward=1
      setsid --fork ip netns exec ct1 python3 -m http.server 80 < /dev/null > /dev/null 2>&1`);
    await assert.rejects(undoAll(host), (error) => {
      assert.ok(error instanceof LabError);
      assert.match(error.message, /still running in ct1: \d+ python3/);
      return true;
    });
    assert.equal(
      await host.sh(`iptables -t nat -S POSTROUTING | grep 172.18; cat /etc/netns/ct1/resolv.conf /srv/ct1/index.html
        sysctl -n net.ipv4.ip_forward; ip -n ct1 -4 -o addr show eth0 | grep -o '172[^ ]*' | head -1; ip netns pids ct1 | wc -l`),
      '-A POSTROUTING -s 172.18.0.0/16 ! -o br0 -j MASQUERADE\nnameserver 8.8.8.8\nmine\n1\n172.18.0.99/16\n1\n',
    );
    await host.sh('ip netns pids ct1 | xargs kill');
    await undoAll(host);
    assert.equal(await host.sh('ip netns list'), 'keep\n');
  }));

test('What was in the way is given back: a resolv.conf, hairpin, forwarding of single interfaces, redirects', () =>
  withLabHost(defaultPlan, {}, async (host) => {
    await host.sh(`mkdir -p /etc/netns/ct1; echo nameserver 9.9.9.9 > /etc/netns/ct1/resolv.conf
      sysctl -q -w net.ipv4.conf.enp1s0.forwarding=1 net.ipv4.conf.all.accept_redirects=0`);
    const before = await snapshot(host);
    await buildAll(host);
    await assertWorks(host);
    await undoAll(host);
    assertSame(await snapshot(host), before);
  }));

test("A container can't reach what listens on the host's loopback, and could without the guard", () =>
  withLabHost(defaultPlan, {}, async (host) => {
    await buildAll(host);
    await host.sh(`setsid --fork python3 -m http.server 6666 --bind 127.0.0.1 --directory /srv < /dev/null > /dev/null 2>&1
      n=0; until curl -s -o /dev/null http://127.0.0.1:6666/ || [ $n -gt 200 ]; do n=$((n+1)); sleep 0.02; done
      ip netns exec ct2 sysctl -q -w net.ipv4.conf.eth0.route_localnet=1
      ip -n ct2 addr del 127.0.0.1/8 dev lo
      ip -n ct2 route add 127.0.0.1 via 172.18.0.1 dev eth0 src 172.18.0.12`);
    const attack = 'ip netns exec ct2 curl -s -o /dev/null --max-time 1 http://127.0.0.1:6666/ && echo in || echo out';
    assert.equal(await host.sh(attack), 'out\n');
    await host.sh('iptables -t raw -D PREROUTING -i br0 -d 127.0.0.0/8 -m comment --comment handwired -j DROP');
    assert.equal(await host.sh(attack), 'in\n');
  }));
