import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Conditions } from '@handwired/host';
import { explainMisses, failures, misses, said, withGraded } from './grading.ts';
import { dns } from '../corpus/rights/dns.ts';
import { egress } from '../corpus/rights/egress.ts';
import { links } from '../corpus/rights/links.ts';
import { publish } from '../corpus/rights/publish.ts';
import { servers } from '../corpus/rights/servers.ts';

const scriptOf = (part: { script: string } | undefined): string => part?.script ?? '';
const right = [links[0], egress[0], dns[0], servers[0], publish[0]].map(scriptOf).join('\n');
const noForward = right.replaceAll(/^iptables -A FORWARD.*$/gm, '');
const native = [
  scriptOf(links[0]),
  `sysctl -qw net.ipv4.ip_forward=1
nft -f - <<'END'
table inet lab {
  set inside { type ipv4_addr; flags interval; elements = { 172.18.0.0/16 }; }
  map ways { type ifname . ipv4_addr : verdict; flags interval; elements = { "br0" . 172.18.0.0/16 : accept, "enp1s0" . 0.0.0.0/0 : jump back }; }
  counter out { }
  chain back { ct state { established, related } accept; ct status dnat accept; }
  chain through { type filter hook forward priority 0; policy drop;
    ip daddr != 10.0.0.0/8 iifname { "br0", "lo" } counter name out accept
    iifname . ip saddr vmap @ways
    oifname "br0" jump { ip protocol icmp accept; tcp dport { 80, 8000-8090 } accept; }
  }
  chain post { type nat hook postrouting priority srcnat; policy accept;
    ip saddr @inside oifname "enp1s0" meta mark set 0x7 masquerade
  }
}
END`,
  scriptOf(dns[0]),
  scriptOf(servers[1]),
  scriptOf(publish[1]).replaceAll(/^iptables .*$/gm, ''),
].join('\n');
const legacy = right.replaceAll(/^( *)iptables /gm, '$1iptables-legacy ');

const honest: [name: string, script: string, conditions?: Partial<Conditions>][] = [
  ['no rule in FORWARD under ACCEPT', noForward],
  [
    'a bridge whose last port is gone, and its address with it',
    `${right}\nip link add x type dummy\nip link set x master br-keep\nip link del x`,
  ],
  ['native nft alone, with sets, maps, verdicts and blocks', native],
  ['iptables-legacy alone', legacy],
  [
    'iptables-legacy alone, beside a lab host that began with DROP',
    legacy.replace(/^sysctl.*ip_forward=1$/m, '$&\niptables -I FORWARD -j ACCEPT'),
    { 'forward-policy': 'drop' },
  ],
  [
    'a third container, a dummy, a VLAN, a static neighbour and a policy rule',
    `${right}
ip netns add ct3
ip link add third type veth peer name eth0 netns ct3
ip link set third up master br0
ip -n ct3 link set eth0 up
ip link add quiet type dummy
ip addr add 10.1.2.3/24 dev quiet
ip link set quiet up
ip link add link quiet name quiet.5 type vlan id 5
ip neigh add 172.18.0.77 lladdr 02:00:00:00:00:77 dev br0 nud permanent
ip rule add from 10.1.2.0/24 lookup 77 priority 100
ip route add default dev quiet table 77
ip route add blackhole 10.66.0.0/16
bridge link set dev veth-ct1 hairpin on
ip link set br0 type bridge ageing_time 1000`,
  ],
];

for (const [name, script, conditions = {}] of honest) {
  test(`Right under every condition that it must hold under: ${name}`, () =>
    withGraded(conditions, async ({ type, check }) => {
      const output = await type(`set -e\n${script}`);
      const report = await check({ through: 'publish' });
      assert.deepEqual(explainMisses(report), [], output);
    }));
}

const wrong: [name: string, script: string, fails: string[], told: RegExp, cause: string, mend: string][] = [
  [
    'nothing in FORWARD accepts the published port',
    right.replaceAll(/^iptables -A FORWARD -p tcp.*$/gm, ''),
    ['publish.conditions'],
    /under FORWARD DROP with bridge-nf 0: an outside client to 203\.0\.113\.2:8080 ends at FORWARD/,
    'outside to ct1 by port 8080: forward-no-accept-published',
    'iptables -I FORWARD 1 -o br0 -d 172.18.0.11 -p tcp --dport 80 -j ACCEPT',
  ],
  [
    'nothing accepts br0 to br0',
    right.replace(/^iptables -A FORWARD -i br0 -o br0.*$/m, ''),
    ['connectivity.conditions'],
    /under FORWARD DROP with bridge-nf 1: ct1 to ct2 ends at FORWARD/,
    'ct1 to ct2: forward-drops-bridged',
    'iptables -I FORWARD 1 -i br0 -o br0 -j ACCEPT',
  ],
  [
    'only pings get out',
    right.replace(/^iptables -A FORWARD -i br0 -o enp1s0/m, '$& -p icmp'),
    ['egress.conditions', 'dns.conditions'],
    /ct1 to the internet \(port 80\) ends at FORWARD/,
    'ct1 to internet: forward-no-accept-out',
    "iptables -I FORWARD 1 -i br0 '!' -o br0 -j ACCEPT",
  ],
  [
    'iptables-legacy without a way out',
    legacy.replace(/^iptables-legacy -A FORWARD -i br0 -o enp1s0.*$/m, ''),
    ['egress.conditions', 'dns.conditions'],
    /ct2 to the internet \(ping\) ends at FORWARD/,
    'ct1 to internet: forward-no-accept-out',
    "iptables-legacy -I FORWARD 1 -i br0 '!' -o br0 -j ACCEPT",
  ],
];

for (const [name, script, fails, told, cause, mend] of wrong) {
  test(`Right as it stands and wrong under another condition, with the cause and its mend: ${name}`, (t) =>
    withGraded({}, async ({ type, check }) => {
      const output = await type(script);
      const start = performance.now();
      const report = await check({ through: 'publish', hints: 3 });
      t.diagnostic(`${Math.round(performance.now() - start)} ms`);
      assert.deepEqual([failures(report), report.summary.error], [fails, 0], output);
      const failed = report.checks.filter(({ verdict }) => verdict === 'fail');
      const [first] = failed;
      assert.equal(`${first?.diagnosis?.path ?? ''}: ${first?.diagnosis?.cause ?? ''}`, cause);
      assert.match(first?.hint ?? '', /^# So it is under FORWARD DROP with bridge-nf [01], whatever it is now\. /);
      for (const { hint } of failed) assert.equal(hint?.split('\n').slice(1).join('\n'), mend);
      assert.match(fails.map((id) => said(report, id)).join('\n'), told);
      await type(mend);
      assert.deepEqual(misses(await check({ through: 'publish' })), []);
    }));
}

const strange: [name: string, script: string, why: RegExp][] = [
  [
    'a queueing discipline that delays',
    'tc qdisc add dev veth-ct1 root tbf rate 100mbit burst 100k latency 50ms',
    /veth-ct1 has a queueing discipline, tbf/,
  ],
  [
    'a tunnel device',
    'ip tuntap add dev odd mode tun\nip link set odd up',
    /odd of root is of a kind that is not copied: tun/,
  ],
];

for (const [name, script, why] of strange) {
  test(`What can't be copied is our error, never a pass: ${name}`, () =>
    withGraded({}, async ({ type, check }) => {
      const output = await type(`set -e\n${right}\n${script}`);
      const report = await check({ through: 'publish' });
      const told = failures(report).map((id) => said(report, id));
      assert.deepEqual([told, report.exit], [[], 3], output);
      const inError = report.checks.filter(({ verdict }) => verdict === 'error');
      assert.deepEqual(
        inError.map(({ id }) => id),
        ['connectivity', 'egress', 'dns', 'publish'].map((id) => `${id}.conditions`),
      );
      for (const { because } of inError) assert.match(because ?? '', why);
    }));
}
