import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Conditions } from '@handwired/host';
import { build, undo } from '@handwired/labs';
import { course, failures, misses, said, withGraded } from './grading.ts';
import { sandbox } from '../../infra/drivers/sandbox/index.ts';
import { dns } from '../corpus/rights/dns.ts';
import { egress } from '../corpus/rights/egress.ts';
import { links } from '../corpus/rights/links.ts';
import { publish } from '../corpus/rights/publish.ts';
import { servers } from '../corpus/rights/servers.ts';
import { work } from './sandbox.ts';

const right = [links[0], egress[0], dns[0], servers[0], publish[0]].map((part) => part?.script ?? '').join('\n');

interface Wrong {
  name: string;
  /** A right build, altered; or a line added to it. */
  script: string;
  /** Exactly these fail; what needs them is skipped. */
  fails: string[];
  told: RegExp;
  conditions?: Partial<Conditions>;
}

const drop = { 'forward-policy': 'drop' } as const;
const both = (id: string): string[] => [`${id}.ct1`, `${id}.ct2`];

const wrong: Wrong[] = [
  {
    name: 'no translation',
    script: right.replace(/^.*-j MASQUERADE$/m, ''),
    fails: [...both('egress'), 'egress.masquerade'],
    told: /leaves enp1s0 with the source 172\.18\.0\.1\d: no MASQUERADE or SNAT/,
  },
  {
    name: 'MASQUERADE for a link that is not there',
    script: right.replace('-o enp1s0 -j MASQUERADE', '-o ethX -j MASQUERADE'),
    fails: [...both('egress'), 'egress.masquerade'],
    told: /for -o ethX: there is no such link/,
  },
  {
    name: 'no forwarding',
    script: right.replace(/^sysctl -qw net.ipv4.ip_forward=1$/m, ''),
    fails: [...both('egress'), 'publish.outside'],
    told: /forwarding is off for br0 \(net\.ipv4\.ip_forward is 0\)/,
  },
  {
    name: 'no way out through FORWARD',
    script: right.replace(/^iptables -A FORWARD -i br0 -o enp1s0.*$/m, ''),
    fails: both('egress'),
    told: /policy of iptables \(nft\) filter FORWARD is DROP/,
    conditions: drop,
  },
  {
    name: 'no way back through FORWARD',
    script: right.replace(/^iptables -A FORWARD -i enp1s0.*$/m, ''),
    fails: both('egress'),
    told: /not the way back \(ESTABLISHED\)/,
    conditions: drop,
  },
  {
    name: 'a cable that ends in no switch',
    script: `${right}\nip link set veth-ct2 nomaster`,
    fails: ['veth.ct2-port'],
    told: /must have master br0/,
  },
  {
    name: 'isolated ports',
    script: `${right}\nbridge link set dev veth-ct1 isolated on\nbridge link set dev veth-ct2 isolated on`,
    fails: ['connectivity.ct1-ct2', 'connectivity.ct2-ct1'],
    told: /asks who has 172\.18\.0\.12 \(ARP\), and nobody answers/,
  },
  {
    name: "the lab host has ct2's address",
    script: `${right}\nip addr add 172.18.0.12/32 dev lo\nip -n ct2 link set eth0 arp off\nip -n ct1 neigh flush all`,
    fails: ['connectivity.ct1-ct2', 'connectivity.ct2-gateway', 'connectivity.ct2-ct1', 'egress.ct2'],
    told: /172\.18\.0\.12/,
  },
  {
    name: "no resolv.conf of the containers' own",
    script: right.replaceAll(/^.*\/etc\/netns.*$/gm, ''),
    fails: both('dns'),
    told: /own loopback there, where nobody listens on port 53/,
  },
  {
    name: 'a name server that makes its answers up',
    script: `${right}\n${(dns[1]?.script ?? '').replace('--server=8.8.8.8', '--address=/example.com/93.184.216.34')}`,
    fails: both('dns'),
    told: /makes the answer up/,
  },
  {
    name: 'the server listens on loopback',
    script: right.replace('--bind 0.0.0.0', '--bind 127.0.0.1'),
    fails: ['publish.server'],
    told: /listens on 127\.0\.0\.1 only/,
  },
  {
    name: 'a server on the lab host in place of the published port',
    script: `${right.replace(/^for chain(.|\n)*$/m, '')}\ncd /tmp; setsid python3 -m http.server 8080 </dev/null >/dev/null 2>&1 &
until ss -Hltn sport = 8080 | grep -q .; do :; done`,
    fails: ['publish.outside', 'publish.host-address', 'publish.loopback'],
    told: /Something else answers: python3 listens on 0\.0\.0\.0:8080/,
  },
  {
    name: 'OUTPUT translates every destination',
    script: `${right}\niptables -t nat -I OUTPUT -p tcp --dport 8080 -j DNAT --to-destination 172.18.0.11:80`,
    fails: ['publish.outgoing'],
    told: /whatever its destination/,
  },
  {
    name: 'loopback without route_localnet',
    script: right.replace(/^sysctl.*route_localnet=1$/m, ''),
    fails: ['publish.loopback'],
    told: /route_localnet=1/,
  },
  {
    name: 'loopback without translation of its source',
    script: right.replace(/^iptables -t nat -A POSTROUTING -o br0.*$/m, ''),
    fails: ['publish.loopback'],
    told: /source 127\.0\.0\.1, which ct1 can't answer/,
  },
];

for (const { name, script, fails, told, conditions = {} } of wrong) {
  test(`A build is found wrong: ${name}`, (t) =>
    withGraded(conditions, async ({ type, check }) => {
      const output = await type(script);
      const start = performance.now();
      const report = await check({ through: 'publish' });
      t.diagnostic(`${Math.round(performance.now() - start)} ms`);
      assert.deepEqual(failures(report), fails, output);
      const text = failures(report).map((id) => said(report, id));
      assert.match(text.join('\n'), told);
      assert.equal(report.summary.error, 0);
    }));
}

const leftovers: [id: string, script: string, told: RegExp][] = [
  ['namespaces', 'ip netns add ct2', /yours: namespace ct2/],
  ['links', 'ip link add br0 type bridge', /yours: link br0 \(bridge\)/],
  ['links', 'ip route add 172.18.0.0/16 via 203.0.113.1', /yours: route 172\.18\.0\.0\/16/],
  ['rules', 'iptables -A FORWARD -i br0 -j ACCEPT', /yours: iptables -t filter -A FORWARD/],
  ['rules', 'iptables-legacy -t nat -A POSTROUTING -s 172.18.0.0/16 -j MASQUERADE', /yours: iptables-legacy -t nat/],
  [
    'rules',
    'nft "add table inet x; add chain inet x y; add rule inet x y tcp dport 8080 drop"',
    /yours: nft table inet x/,
  ],
  ['rules', 'iptables -N SOMETHING', /unknown: iptables -t filter -N SOMETHING/],
  ['rules', 'iptables -P FORWARD DROP', /-P FORWARD DROP/],
  ['sysctls', 'sysctl -w net.ipv4.ip_forward=1', /It was .*= 0 before you came/],
  ['sysctls', 'sysctl -w net.ipv4.conf.enp1s0.route_localnet=1', /yours: .*route_localnet = 1/],
  ['files', 'mkdir -p /etc/netns/ct1; echo nameserver 1.1.1.1 >/etc/netns/ct1/resolv.conf', /yours: \/etc\/netns/],
  [
    'processes',
    'cd /; setsid python3 -m http.server 8080 </dev/null >/dev/null 2>&1 &\nuntil ss -Hltn sport = 8080 | grep -q .; do :; done',
    /yours: python3 listens/,
  ],
  ['kept', 'iptables -F INPUT', /not yours: iptables -t filter -A INPUT.*\n.*Flushing/],
  ['kept', 'nft delete table inet keep', /not yours: nft table inet keep/],
  ['kept', 'ip netns del keep', /not yours: namespace keep/],
  ['kept', 'ip link del br-keep', /not yours: link br-keep/],
];

test('Each kind of leftover is named with its owner, and so is what was not yours to take', () =>
  withGraded({}, async ({ host, type, check, record }) => {
    await build(host.session, host.plan, { chapters: course });
    assert.equal((await check()).exit, 0);
    await undo(host.session, host.plan, { chapters: course.toReversed() });
    assert.ok(record.seen.includes('br0'));
    let known = 0;
    for (const [id, script, told] of leftovers) {
      await type(script);
      const report = await check({ only: 'cleanup' });
      const lines = report.checks.flatMap(({ evidence }) => evidence);
      assert.ok(lines.length > known, `${script}: ${lines.join('\n')}`);
      known = lines.length;
      assert.match(said(report, `cleanup.${id}`), told);
    }
    const { checks } = await check({ only: 'cleanup', hints: 3 });
    const mends = checks.flatMap(({ hint }) => hint ?? []).join('\n');
    const output = await type(mends);
    const after = await check({ only: 'cleanup' });
    assert.deepEqual(
      misses(after),
      [],
      `${mends}\n${output}\n${JSON.stringify(after.checks.map(({ evidence }) => evidence))}`,
    );
  }));

test('A namespace that is deleted while a process is in it lives on without a name, and is found', () =>
  withGraded({}, async ({ type, check }) => {
    await type(right);
    await check();
    await type('setsid ip netns exec ct2 sleep 1000 </dev/null >/dev/null 2>&1 &\nsleep 0.2\nip netns del ct2');
    const report = await check({ only: 'cleanup' });
    assert.match(said(report, 'cleanup.processes'), /process `sleep 1000` in a namespace without a name/);
    assert.match(
      said(report, 'cleanup.links'),
      /yours: link veth-ct2.*\n(.*\n)*.*takes the name only: process \d+ \(sleep 1000\)/,
    );
  }));

test("Not the learner's failure but an error with its reason: a world that is gone", () =>
  withGraded({}, async ({ type, check }) => {
    await type(`${right}\nkill -9 $(cat /run/handwired/world.pid)`);
    const report = await check({ only: 'egress' });
    assert.equal(report.exit, 3);
    assert.match(report.checks.map(({ because }) => because).join('\n'), /no process holds it any more.*lab reset/);
    assert.equal(report.summary.points, null);
  }));

test('A lab host that is gone is an error, and says what to do', () =>
  withGraded({}, async ({ host, check, record }) => {
    record.begun = { bridge: new Date().toISOString() };
    await sandbox.destroy(host.spec, work());
    const report = await check();
    assert.equal(report.exit, 3);
    assert.match(report.checks[0]?.because ?? '', /init process \d+ is gone \(test-\w+\)\. Next: lab up test-\w+$/);
  }));
