import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { world } from '@handwired/host';
import { type Case, renderHint } from '../queries/check.ts';
import { listNamedCauses, findChain, endAt, failed, inside, judged, link } from '../testing/damage.ts';
import { readCase, checks, network, type State } from '../testing/fixtures.ts';
import { causes, findPaths, whereToLook } from './diagnose.ts';

/** A rule of policy routing on the lab host, and the default route of the table that it names. */
function byRule({ facts: { here } }: Case, text: string, way: Partial<Case['facts']['here']['routes'][number]>): void {
  const [route] = here.routes;
  assert.ok(route);
  const table = text.split(' ').at(-1) ?? '';
  here.routes.push({ ...route, type: 'unicast', destination: 'default', protocol: 'boot', table, ...way });
  here.policy.push({ priority: 100, text });
}

const outOfCt1 = ['ct1 eth0 out', 'root veth-ct1 in', 'root br0 in'];

/** One damage to a right case, and the cause that must be named for all that fails; `none`: no cause may be named. */
const cases: [cause: string, name: string, damage: (lab: Case) => void][] = [
  [
    'veth-port-isolated',
    'two isolated ports',
    (lab) => {
      for (const port of lab.facts.here.ports) port.isolated = true;
      endAt(lab, 'ct1>ct2', ['ct1 eth0 out', 'root veth-ct1 in']);
    },
  ],
  [
    'none',
    'lost in the bridge, and no port is isolated',
    (lab) => endAt(lab, 'ct1>ct2', ['ct1 eth0 out', 'root veth-ct1 in']),
  ],
  [
    'arp-off',
    'the flag NOARP',
    (lab) => {
      link(inside(lab, 'ct2'), 'eth0').arp = false;
      endAt(lab, 'ct1>ct2', []);
    },
  ],
  [
    'neighbour-entry-wrong',
    'a permanent entry',
    (lab) => {
      inside(lab, 'ct1').neighbours = [
        { address: '172.18.0.12', device: 'eth0', mac: '02:00:00:00:00:99', state: 'PERMANENT' },
      ];
      endAt(lab, 'ct1>ct2', outOfCt1.slice(0, 2));
    },
  ],
  [
    'none',
    'a permanent entry that is right',
    (lab) => {
      const { mac } = link(inside(lab, 'ct2'), 'eth0');
      inside(lab, 'ct1').neighbours = [{ address: '172.18.0.12', device: 'eth0', mac, state: 'PERMANENT' }];
      endAt(lab, 'ct1>ct2', outOfCt1.slice(0, 2));
    },
  ],
  [
    'neighbour-stale',
    "the gateway's old MAC address, and it ends before the bridge",
    (lab) => {
      inside(lab, 'ct1').neighbours = [
        { address: '172.18.0.1', device: 'eth0', mac: '02:00:00:00:00:99', state: 'STALE' },
      ];
      endAt(lab, 'ct1>gateway', outOfCt1.slice(0, 2));
    },
  ],
  [
    'none',
    'an old MAC address of the gateway, and it came to the bridge all the same',
    (lab) => {
      inside(lab, 'ct1').neighbours = [
        { address: '172.18.0.1', device: 'eth0', mac: '02:00:00:00:00:99', state: 'STALE' },
      ];
      endAt(lab, 'ct1>site', outOfCt1);
    },
  ],
  [
    'none',
    'nobody answered for the gateway, and no MAC address is known',
    (lab) => {
      inside(lab, 'ct1').neighbours = [{ address: '172.18.0.1', device: 'eth0', mac: null, state: 'FAILED' }];
      endAt(lab, 'ct1>gateway', outOfCt1.slice(0, 2));
    },
  ],
  [
    'proxy-arp',
    'the bridge claims ct2',
    (lab) => {
      lab.facts.here.sysctls['net/ipv4/conf/br0/proxy_arp'] = '1';
      const arp = {
        probe: null,
        in: 'root',
        device: 'br0',
        way: 'out',
        what: 'is-at',
        source: '172.18.0.12',
        target: '172.18.0.11',
      } as const;
      endAt(lab, 'ct1>ct2', ['ct1 eth0 out', 'root veth-ct1 in']);
      lab.evidence.seen.push({ ...arp, sourcePort: 0, targetPort: 0, count: 1 });
    },
  ],
  [
    'forward-drops-bridged',
    'a policy that judges between two ports; ARP is not judged',
    (lab) => {
      lab.facts.here.sysctls['net/bridge/bridge-nf-call-iptables'] = '1';
      Object.assign(findChain(lab, 'filter', 'FORWARD'), { policy: 'DROP', rules: ['-i br0 -o enp1s0 -j ACCEPT'] });
      endAt(lab, 'ct1>ct2', ['ct1 eth0 out', 'root veth-ct1 in']);
      const arp = { probe: null, what: 'who-has', source: '172.18.0.11', target: '172.18.0.12' } as const;
      const places = [
        { in: 'ct1', device: 'eth0', way: 'out' },
        { in: 'root', device: 'veth-ct1', way: 'in' },
        { in: 'root', device: 'veth-ct2', way: 'out' },
        { in: 'ct2', device: 'eth0', way: 'in' },
      ] as const;
      for (const place of places) lab.evidence.seen.push({ ...arp, ...place, sourcePort: 0, targetPort: 0, count: 1 });
    },
  ],
  [
    'rp-filter-strict',
    'the way back leads elsewhere',
    (lab) => {
      Object.assign(lab.facts.here.sysctls, { 'net/ipv4/conf/all/rp_filter': '0', 'net/ipv4/conf/br0/rp_filter': '1' });
      lab.facts.here.routes = lab.facts.here.routes.filter(({ destination }) => !destination.startsWith('172.18.0.0'));
      endAt(lab, 'ct1>internet', outOfCt1);
    },
  ],
  [
    'none',
    'strict, and the way back is the same',
    (lab) => {
      Object.assign(lab.facts.here.sysctls, { 'net/ipv4/conf/all/rp_filter': '1', 'net/ipv4/conf/br0/rp_filter': '1' });
      endAt(lab, 'ct1>internet', outOfCt1);
    },
  ],
  [
    'ip-forward-off',
    'it ends at br0',
    (lab) => {
      for (const key of ['ip_forward', 'conf/br0/forwarding', 'conf/enp1s0/forwarding'])
        lab.facts.here.sysctls[`net/ipv4/${key}`] = '0';
      endAt(lab, 'ct1>site', outOfCt1);
    },
  ],
  ['none', 'forwarding is on, no rule drops, and it ends at br0', (lab) => endAt(lab, 'ct1>site', outOfCt1)],
  [
    'forward-rule-drops',
    'a rule for its source',
    (lab) => {
      findChain(lab, 'filter', 'FORWARD').rules.unshift('-s 172.18.0.11/32 -o enp1s0 -p tcp -m tcp --dport 80 -j DROP');
      endAt(lab, 'ct1>site', outOfCt1);
    },
  ],
  [
    'none',
    'a rule for another source',
    (lab) => {
      findChain(lab, 'filter', 'FORWARD').rules.unshift('-s 172.18.0.99/32 -o enp1s0 -p tcp -m tcp --dport 80 -j DROP');
      endAt(lab, 'ct1>site', outOfCt1);
    },
  ],
  [
    'none',
    'a rule that nobody here can read',
    (lab) => {
      findChain(lab, 'filter', 'FORWARD').rules.unshift('-m bpf --bytecode "1,6 0 0 1" -j DROP');
      endAt(lab, 'ct1>site', outOfCt1);
    },
  ],
  [
    'forward-no-accept-out',
    'policy DROP without an accept',
    (lab) => {
      Object.assign(findChain(lab, 'filter', 'FORWARD'), { policy: 'DROP', rules: ['-o br0 -j ACCEPT'] });
      endAt(lab, 'ct1>site', outOfCt1);
    },
  ],
  [
    'forward-no-accept-back',
    'policy DROP, and the answer comes to the uplink',
    (lab) => {
      Object.assign(findChain(lab, 'filter', 'FORWARD'), { policy: 'DROP', rules: ['-i br0 -j ACCEPT'] });
      const answers = lab.evidence.seen.filter(
        ({ probe, device, way, what }) =>
          probe === 'ct1>site' && device === 'enp1s0' && way === 'in' && what === 'syn-ack',
      );
      endAt(lab, 'ct1>site', [...outOfCt1, 'root enp1s0 out', 'world world0 in']);
      lab.evidence.seen.push(...answers);
    },
  ],
  [
    'nft-chain-drops',
    'a native chain with the policy drop',
    (lab) => {
      const chain = {
        type: 'chain',
        chain: 'wall',
        text: '{}',
        shown: 'chain wall',
        hook: 'forward',
        policy: 'drop',
        handle: 1,
      };
      lab.facts.here.nft.push({ family: 'inet', name: 'mine', objects: [chain] });
      endAt(lab, 'ct1>site', outOfCt1);
    },
  ],
  [
    'none',
    'a native chain that accepts it first',
    (lab) => {
      const chain = {
        type: 'chain',
        chain: 'wall',
        text: '{}',
        shown: 'chain wall',
        hook: 'forward',
        policy: 'drop',
        handle: 1,
      };
      const expr = [{ match: { op: '==', left: { meta: { key: 'iifname' } }, right: 'br0' } }, { accept: null }];
      const rule = {
        ...chain,
        type: 'rule',
        hook: null,
        policy: null,
        text: JSON.stringify({ rule: { expr } }),
        handle: 2,
      };
      lab.facts.here.nft.push({ family: 'inet', name: 'mine', objects: [chain, rule] });
      endAt(lab, 'ct1>site', outOfCt1);
    },
  ],
  [
    'prerouting-drop',
    'a rule in raw',
    (lab) => {
      const table = { family: 'ip', variant: 'nft', name: 'raw' } as const;
      const chains = [{ name: 'PREROUTING', policy: 'ACCEPT', rules: ['-i br0 -p icmp -j DROP'] }];
      lab.facts.here.iptables.unshift({ ...table, chains });
      endAt(lab, 'ct1>internet', outOfCt1);
    },
  ],
  ['none', 'it never left ct1', (lab) => endAt(lab, 'ct1>internet', [])],
  [
    'policy-rule-diverts',
    'a rule for its source, and a table that takes it',
    (lab) => {
      byRule(lab, 'src 172.18.0.11 table 77', { type: 'blackhole', gateway: null, device: null });
      endAt(lab, 'ct1>internet', outOfCt1);
    },
  ],
  [
    'none',
    'a rule for a mark that nothing sets',
    (lab) => {
      byRule(lab, 'src all fwmark 0x64 table 100', { gateway: world.uplink.gateway, device: 'enp1s0' });
      endAt(lab, 'ct1>internet', outOfCt1);
    },
  ],
  [
    'policy-rule-diverts',
    'a rule for a mark, and a table with another way',
    (lab) => {
      byRule(lab, 'src all fwmark 0x64 table 100', { gateway: '203.0.113.77', device: 'enp1s0' });
      const chains = [{ name: 'PREROUTING', policy: 'ACCEPT', rules: ['-i br0 -j MARK --set-xmark 0x64/0xffffffff'] }];
      lab.facts.here.iptables.unshift({ family: 'ip', variant: 'nft', name: 'mangle', chains });
      endAt(lab, 'ct1>internet', outOfCt1);
    },
  ],
  [
    'none',
    'a rule for its source, and an empty table',
    (lab) => {
      lab.facts.here.policy.push({ priority: 100, text: 'src 172.18.0.11 table 77' });
      endAt(lab, 'ct1>internet', outOfCt1);
    },
  ],
  [
    'none',
    'a rule for another source',
    (lab) => {
      lab.facts.here.policy.push({ priority: 100, text: 'src 10.9.9.9 table 77' });
      endAt(lab, 'ct1>internet', outOfCt1);
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

test('Where no cause is supported, the hop and what was seen are told all the same', () => {
  const lab = readCase('right');
  endAt(lab, 'ct1>site', outOfCt1);
  const [outcome] = failed(lab);
  assert.equal(outcome?.diagnosis?.hop, 'PREROUTING');
  assert.match(outcome.diagnosis.seen.join('\n'), /no answer\nseen at: .*host br0 in/);
  assert.match(outcome.hint?.wrong ?? '', /between PREROUTING and POSTROUTING/);
  assert.equal(outcome.hint?.mend, undefined);
});

test('A trail ends at the hop that breaks, and all before it were passed', () => {
  const lab = readCase('right');
  lab.facts.here.sysctls['net/ipv4/conf/br0/forwarding'] = '0';
  endAt(lab, 'ct1>site', outOfCt1);
  const [outcome] = failed(lab);
  assert.deepEqual(
    outcome?.diagnosis?.trail.map(({ hop, passed }) => `${hop} ${passed ? 'passed' : 'breaks'}`),
    ['ct1 eth0 passed', 'veth passed', 'br0 passed', 'PREROUTING passed', 'routing breaks'],
  );
});

test('No state that was recorded makes a cause throw, and every failure has somewhere to look', () => {
  const recordings: State[] = ['empty', 'right', 'seed', 'seed-cleaned', 'mixed'];
  for (const state of recordings) {
    for (const { check, hint } of judged(readCase(state)).filter(({ verdict }) => verdict === 'fail'))
      assert.ok(hint?.where, `${state}: ${check.id}`);
  }
});

test('Every failed check of the course is about some path, and the registry lists every file of causes', async () => {
  const course = checks.filter(({ chapter, id }) => network.includes(chapter) && !id.endsWith('.conditions'));
  assert.deepEqual(
    course.filter((check) => findPaths(check).length === 0).map(({ id }) => id),
    [],
  );
  for (const file of readdirSync(new URL('causes/', import.meta.url))) {
    const module = (await import(`./causes/${file}`)) as Record<string, unknown>;
    const lists = Object.entries(module).filter(([name]) => name.endsWith('Causes'));
    assert.ok(lists.length > 0, `${file} has no causes`);
    for (const [name, own] of lists)
      assert.ok(Array.isArray(own) && own.every((one) => causes.includes(one as never)), `${name} is not listed`);
  }
  assert.equal(new Set(causes.map(({ id }) => id)).size, causes.length);
  for (const { id, explains } of causes) {
    assert.match(id, /^[a-z]+(-[a-z]+)*$/);
    for (const start of explains)
      assert.ok(
        checks.some((check) => check.id.startsWith(start)),
        `${id} explains ${start}`,
      );
  }
});

test('Where to look is commands that only show, whoever is asked for', () => {
  const lab = readCase('right');
  for (const look of Object.values(whereToLook)) {
    assert.doesNotMatch(look(lab, 'ct1'), / (add|del|set|replace|flush) |-[ADIFX] | -w /);
  }
});

test('A hint says at each level what it must, and a mend is commands and a comment', () => {
  const hint = { where: 'there', wrong: 'this\nand that', mend: 'one\ntwo' };
  assert.deepEqual(
    ([0, 1, 2, 3] as const).map((level) => renderHint(hint, level)),
    [null, 'there', 'this\nand that', '# this and that\none\ntwo'],
  );
  assert.equal(renderHint({ where: 'there' }, 3), 'there');
});
