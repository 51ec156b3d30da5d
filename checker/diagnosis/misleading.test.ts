import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { File } from '../facts/facts.ts';
import type { NftTable } from '../facts/firewall.ts';
import type { Case } from '../queries/check.ts';
import { findLink, findPair } from '../queries/links.ts';
import { listNamedCauses, findChain, endAt, failed, inside, link } from '../testing/damage.ts';
import { readCase } from '../testing/fixtures.ts';

const outOfCt1 = ['ct1 eth0 out', 'root veth-ct1 in', 'root br0 in'];

function resolvConf(lab: Case, text: string): void {
  const file = lab.facts.files.find(({ path }) => path === '/etc/netns/ct1/resolv.conf') as File;
  file.text = text;
}

function raw(lab: Case, rule: string): void {
  const chains = [{ name: 'PREROUTING', policy: 'ACCEPT', rules: [rule] }];
  lab.facts.here.iptables.unshift({ family: 'ip', variant: 'nft', name: 'raw', chains });
}

/** Leaves the uplink as it came. */
function leaveUntranslated(lab: Case): void {
  endAt(lab, 'ct1>site', [...outOfCt1, 'root enp1s0 out', 'world world0 in']);
  for (const sight of lab.evidence.seen) {
    if (sight.probe === 'ct1>site' && ['enp1s0', 'world0'].includes(sight.device)) sight.source = '172.18.0.11';
  }
}

const rule = (chain: string, expr: object[], handle: number): NftTable['objects'][number] => ({
  type: 'rule',
  chain,
  hook: null,
  policy: null,
  handle,
  text: JSON.stringify({ rule: { expr } }),
  shown: 'a rule',
});

const chain = (name: string, hook: string): NftTable['objects'][number] => ({
  type: 'chain',
  chain: name,
  text: '{}',
  shown: `chain ${name}`,
  hook,
  policy: 'accept',
  handle: 1,
});

const match = (left: object, right: unknown, op = '==') => ({ match: { op, left, right } });

/** The lookup's query, which was seen to go elsewhere, and what conntrack had of it before. */
function remembered(lab: Case, reply: string): void {
  const query = lab.evidence.seen.find(
    ({ probe, in: where, what }) => probe === 'ct1 lookup' && where === 'ct1' && what === 'query',
  );
  assert.ok(query);
  const { source, target, sourcePort, targetPort } = query;
  lab.facts.here.connections.push({
    protocol: 'udp',
    original: { source, destination: target, sourcePort, destinationPort: targetPort },
    reply: { source: reply, destination: source, sourcePort: targetPort, destinationPort: sourcePort },
  });
  endAt(lab, 'ct1 lookup', outOfCt1);
}

/** One damage to a right case that looks like another, and the cause that must be named; `none`: no cause may be. */
const cases: [cause: string, name: string, damage: (lab: Case) => void][] = [
  [
    'search-domain-first',
    'an answer for another name',
    (lab) => {
      resolvConf(lab, 'nameserver 1.1.1.1\nsearch example.com\noptions ndots:5\n');
      Object.assign(lab.evidence.results['ct1 lookup'] ?? {}, { foundAs: 'hw1.example.com.example.com' });
    },
  ],
  [
    'none',
    'an answer for another name, and no search domain',
    (lab) => {
      Object.assign(lab.evidence.results['ct1 lookup'] ?? {}, { foundAs: 'hw1.example.com.example.com' });
    },
  ],
  [
    'resolver-dead-first',
    'the first of two name servers says nothing',
    (lab) => {
      resolvConf(lab, 'nameserver 203.0.113.53\nnameserver 1.1.1.1\n');
      endAt(lab, 'ct1 lookup', []);
    },
  ],
  [
    'notrack',
    'the source is not translated, for it was not tracked',
    (lab) => {
      raw(lab, '-i br0 -j CT --notrack');
      leaveUntranslated(lab);
    },
  ],
  [
    'masquerade-missing',
    'what is not tracked is something else',
    (lab) => {
      raw(lab, '-i br9 -j CT --notrack');
      const rules = findChain(lab, 'nat', 'POSTROUTING');
      rules.rules = rules.rules.filter((text) => !text.includes('MASQUERADE'));
      leaveUntranslated(lab);
    },
  ],
  ['conntrack-stale', 'an entry sends it to who is gone', (lab) => remembered(lab, '172.18.0.53')],
  [
    'conntrack-stale',
    'an entry sends it to who is gone, and a native chain of nat is empty',
    (lab) => {
      const empty = { ...chain('spread', 'prerouting'), text: '{"chain":{"type":"nat","hook":"prerouting"}}' };
      lab.facts.here.nft.push({ family: 'ip', name: 'balancer', objects: [empty] });
      remembered(lab, '172.18.0.53');
    },
  ],
  ['none', 'an entry that translates nothing', (lab) => remembered(lab, '1.1.1.1')],
  [
    'conntrack-full',
    'no room for another connection',
    (lab) => {
      lab.facts.here.sysctls['net/netfilter/nf_conntrack_max'] = '1';
      endAt(lab, 'ct1>site', outOfCt1);
    },
  ],
  [
    'none',
    'room enough',
    (lab) => {
      lab.facts.here.sysctls['net/netfilter/nf_conntrack_max'] = '65536';
      endAt(lab, 'ct1>site', outOfCt1);
    },
  ],
  [
    'connection-limit',
    'one at a time',
    (lab) => {
      const limited = '-i br0 -m conntrack --ctstate NEW -m connlimit --connlimit-above 1 --connlimit-mask 32 -j DROP';
      findChain(lab, 'filter', 'FORWARD').rules.unshift(limited);
      endAt(lab, 'ct1>site', outOfCt1);
    },
  ],
  [
    'none',
    'a limit by nft, which can not be told to have been reached',
    (lab) => {
      const expr = [match({ meta: { key: 'iifname' } }, 'br0'), { 'ct count': { val: 9, inv: true } }, { drop: null }];
      const objects = [chain('wall', 'forward'), rule('wall', expr, 2)];
      lab.facts.here.nft.push({ family: 'inet', name: 'mine', objects });
      endAt(lab, 'ct1>site', outOfCt1);
    },
  ],
  [
    'mtu-too-small',
    'a long reply does not come',
    (lab) => {
      link(lab.facts.here, 'enp1s0').mtu = 600;
      const error = { ok: false, stage: 'reply', error: 'no answer' } as const;
      Object.assign(lab.evidence.results['ct1>site:large'] ?? {}, error);
    },
  ],
  [
    'none',
    'a long reply does not come, and each link is long enough',
    (lab) => {
      const error = { ok: false, stage: 'reply', error: 'no answer' } as const;
      Object.assign(lab.evidence.results['ct1>site:large'] ?? {}, error);
    },
  ],
  [
    'ttl-too-small',
    'it ends at the first router',
    (lab) => {
      inside(lab, 'ct1').sysctls['net/ipv4/ip_default_ttl'] = '1';
      endAt(lab, 'ct1>site', outOfCt1);
    },
  ],
  [
    'ufw-refuses',
    'a REJECT in a chain of ufw',
    (lab) => {
      const table = lab.facts.here.iptables.find(
        ({ name, variant, family }) => name === 'filter' && variant === 'nft' && family === 'ip',
      );
      table?.chains.push({ name: 'ufw-reject-forward', policy: null, rules: ['-j REJECT'] });
      findChain(lab, 'filter', 'FORWARD').rules.unshift('-j ufw-reject-forward');
      endAt(lab, 'ct1>site', outOfCt1);
    },
  ],
  [
    'firewalld-refuses',
    'what is new is refused in its own table, what was translated is not',
    (lab) => {
      const objects = [
        chain('filter_FORWARD', 'forward'),
        rule(
          'filter_FORWARD',
          [match({ ct: { key: 'state' } }, { set: ['established', 'related'] }), { accept: null }],
          2,
        ),
        rule('filter_FORWARD', [match({ ct: { key: 'status' } }, 'dnat', 'in'), { accept: null }], 3),
        rule('filter_FORWARD', [{ reject: { type: 'icmpx', expr: 'admin-prohibited' } }], 4),
      ];
      lab.facts.here.nft.push({ family: 'inet', name: 'firewalld', objects });
      endAt(lab, 'ct1>site', outOfCt1);
    },
  ],
  [
    'subnet-doubled',
    'another bridge with the same subnet comes first',
    (lab) => {
      const old = structuredClone(link(lab.facts.here, 'br0'));
      lab.facts.here.links.push({ ...old, name: 'br1', index: 99 });
      const route = lab.facts.here.routes.find(({ destination }) => destination === '172.18.0.0/16');
      assert.ok(route);
      lab.facts.here.routes.unshift({ ...route, device: 'br1' });
      endAt(lab, 'ct1>gateway', outOfCt1);
    },
  ],
  [
    'rp-filter-strict',
    'a second cable to the bridge is the way back',
    (lab) => {
      const { here } = lab.facts;
      Object.assign(here.sysctls, { 'net/ipv4/conf/all/rp_filter': '1', 'net/ipv4/conf/br0/rp_filter': '1' });
      const port = structuredClone(link(here, 'veth-ct1'));
      here.links.push({ ...port, name: 'in', index: 98, peer: { index: 97, nsid: null } });
      here.links.push({ ...port, name: 'tap', index: 97, master: null, peer: { index: 98, nsid: null } });
      const [route] = here.routes;
      assert.ok(route);
      const way = { destination: '172.18.0.11', device: 'tap', protocol: 'boot', table: 'main', type: 'unicast' };
      here.routes.unshift({ ...route, ...way, gateway: null });
      endAt(lab, 'ct1>gateway', outOfCt1);
    },
  ],
  [
    'port-disabled',
    'a port that is up and does not forward',
    (lab) => {
      const end = findPair(lab.facts, lab.plan.ct1, lab.plan)?.host.name;
      const port = lab.facts.here.ports.find(({ device }) => device === end);
      Object.assign(port ?? {}, { state: 'disabled' });
      endAt(lab, 'ct1>gateway', outOfCt1.slice(0, 2));
    },
  ],
  [
    'bridge-family-drops',
    'a filter of the bridge',
    (lab) => {
      const expr = [match({ payload: { protocol: 'ip', field: 'daddr' } }, '172.18.0.12'), { drop: null }];
      const objects = [chain('across', 'forward'), rule('across', expr, 2)];
      lab.facts.here.nft.push({ family: 'bridge', name: 'mine', objects });
      endAt(lab, 'ct1>ct2', outOfCt1.slice(0, 2));
    },
  ],
  [
    'arp-ignored',
    'the bridge answers no ARP',
    (lab) => {
      lab.facts.here.sysctls['net/ipv4/conf/br0/arp_ignore'] = '8';
      endAt(lab, 'ct1>gateway', []);
    },
  ],
  [
    'echo-ignored',
    'ct2 answers no pings',
    (lab) => {
      inside(lab, 'ct2').sysctls['net/ipv4/icmp_echo_ignore_all'] = '1';
      endAt(lab, 'ct1>ct2', ['ct1 eth0 out', 'root veth-ct1 in', 'root veth-ct2 out', 'ct2 eth0 in']);
    },
  ],
  [
    'server-silent',
    'the request arrives and nobody answers it',
    (lab) => {
      endAt(lab, 'host>server', ['root br0 out', 'root veth-ct1 out', 'ct1 eth0 in'], { stage: 'reply' });
    },
  ],
  [
    'nft-dnat-first',
    'a native chain sends it to ct2',
    (lab) => {
      const expr = [
        match({ payload: { protocol: 'tcp', field: 'dport' } }, 8080),
        { dnat: { addr: '172.18.0.12', port: 80 } },
      ];
      const objects = [chain('spread', 'prerouting'), rule('spread', expr, 2)];
      lab.facts.here.nft.push({ family: 'ip', name: 'mine', objects });
      endAt(lab, 'outside>uplink', ['world world0 out', 'root enp1s0 in', 'root br0 out']);
      for (const sight of lab.evidence.seen) {
        if (sight.probe === 'outside>uplink' && sight.device === 'br0') sight.target = '172.18.0.12';
      }
    },
  ],
];

for (const [cause, name, damage] of cases) {
  test(cause === 'none' ? `No cause is named without support: ${name}` : `${cause} is named: ${name}`, () => {
    const lab = readCase('right');
    damage(lab);
    assert.deepEqual(
      listNamedCauses(lab),
      [cause],
      JSON.stringify(failed(lab).map(({ check, hint }) => [check.id, hint])),
    );
  });
}

test('A namespace that lives on without its name is told from a cable that was never made', () => {
  const lab = readCase('right');
  const { here } = lab.facts;
  const end = findLink(here.links, 'veth-ct1');
  assert.ok(end?.peer);
  end.peer.nsid = 77;
  here.ids.push({ nsid: 77, name: null });
  inside(lab, 'ct1').links = inside(lab, 'ct1').links.filter(({ loopback }) => loopback);
  assert.deepEqual(listNamedCauses(lab).slice(0, 1), ['veth-missing']);
  lab.facts.processes.push({ pid: 4242, inode: 5, netns: null, command: 'python3 -m http.server' });
  assert.deepEqual(listNamedCauses(lab), ['namespace-left-running']);
  assert.match(failed(lab)[0]?.hint?.mend ?? '', /ip netns del ct1\nip netns attach ct1 4242/);
});
