import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultPlan, trafficEnds } from '@handwired/host';
import type { Facts } from '../facts/facts.ts';
import { readCase } from '../testing/fixtures.ts';
import { alterValue, assertHolds } from '../testing/random.ts';
import { findEnd } from './ending.ts';
import { renderTrace, renderTraceJson } from './render.ts';
import { orderSteps } from './steps.ts';
import { type Errand, type Packet, type Rule, Seen, type Sight, type Space, Trace } from './trace-data.ts';
import { errandFromAddress, parseErrand } from './trace.ts';

const { facts } = readCase('seed');

/** `syn 198.51.100.7:4000>203.0.113.2:8080` */
function packet(text: string): Packet {
  const [what = '', ends = ''] = text.split(' ');
  const [from = '', to = ''] = ends.split('>');
  const [source = '', sourcePort = '0'] = from.split(':');
  const [target = '', targetPort = '0'] = to.split(':');
  return { what, source, sourcePort: Number(sourcePort), target, targetPort: Number(targetPort) };
}

const sight = (at: number, device: string, way: Sight['way'], text: string): Sight => ({
  at,
  device,
  way,
  ttl: 64,
  other: false,
  ...packet(text),
});

const blank: Space = { devices: [], sights: [], rules: [], untraced: null, over: false, conntrack: '', legacy: null };

const devices = facts.here.links.map(({ index, name }) => ({ index, name }));
const indexOf = (name: string | undefined): number | null => devices.find((one) => one.name === name)?.index ?? null;

interface RunOf {
  table: string;
  chain: string;
  /** Words of the rule that matched; none: the policy. */
  rule?: string;
  verdict: string;
  iif?: string;
  oif?: string;
}

let runs = 0;
function run(text: string, { table, chain, rule, verdict, iif, oif }: RunOf): Rule[] {
  const kept = facts.here.iptables.find((one) => one.variant === 'nft' && one.family === 'ip' && one.name === table);
  const at =
    kept?.chains.find(({ name }) => name === chain)?.rules.findIndex((one) => one.includes(rule ?? '\0')) ?? -1;
  const handles = facts.here.nft
    .find((one) => one.family === 'ip' && one.name === table)
    ?.objects.filter((one) => one.type === 'rule' && one.chain === chain)
    .map(({ handle }) => handle);
  const same = { run: (runs += 1), table, chain, jump: null, bridge: false };
  const first = { ...same, iif: indexOf(iif), oif: indexOf(oif), packet: packet(text) };
  if (rule === undefined) {
    const policy = { ...same, iif: null, oif: null, packet: null, handle: null, verdict };
    // A chain's end is a message without a handle.
    return [
      { ...first, type: 'rule', handle: null, verdict: 'continue' },
      { ...policy, type: 'policy' },
    ];
  }
  return [{ ...first, type: 'rule', handle: handles?.[at] ?? -1, verdict }];
}

const seen = (spaces: Record<string, Partial<Space>>, result: Seen['result'] = null): Seen => ({
  missing: false,
  result,
  spaces: Object.fromEntries(Object.entries(spaces).map(([name, space]) => [name, { ...blank, devices, ...space }])),
});

const published = { in: 'world', from: '198.51.100.7', to: '203.0.113.2', kind: 'tcp', port: 8080 } as const;
const before = '198.51.100.7:4000>203.0.113.2:8080';
const after = '198.51.100.7:4000>172.18.0.11:80';

/** The seed's published port, asked from outside. */
const dnat = (): Seen =>
  seen(
    {
      ct1: {
        sights: [
          sight(5, 'eth0', 'in', `syn ${after}`),
          sight(6, 'eth0', 'out', 'syn-ack 172.18.0.11:80>198.51.100.7:4000'),
        ],
      },
      root: {
        sights: [
          sight(2, 'enp1s0', 'in', `syn ${before}`),
          sight(3, 'br0', 'out', `syn ${after}`),
          sight(4, 'veth-ct1', 'out', `syn ${after}`),
          sight(5.5, 'enp1s0', 'in', `syn ${before}`),
          sight(7, 'veth-ct1', 'in', 'syn-ack 172.18.0.11:80>198.51.100.7:4000'),
          sight(7, 'br0', 'in', 'syn-ack 172.18.0.11:80>198.51.100.7:4000'),
          sight(8, 'enp1s0', 'out', 'syn-ack 203.0.113.2:8080>198.51.100.7:4000'),
        ],
        rules: [
          ...run(`syn ${before}`, {
            table: 'nat',
            chain: 'PREROUTING',
            rule: 'DNAT',
            verdict: 'accept',
            iif: 'enp1s0',
          }),
          ...run(`syn ${after}`, {
            table: 'filter',
            chain: 'FORWARD',
            rule: '--dport 80',
            verdict: 'accept',
            iif: 'enp1s0',
            oif: 'br0',
          }),
          ...run(`syn ${after}`, { table: 'nat', chain: 'POSTROUTING', verdict: 'accept', iif: 'enp1s0', oif: 'br0' }),
        ],
      },
      world: { sights: [sight(1, 'world0', 'out', `syn ${before}`)] },
    },
    { ok: true, error: null },
  );

const story = (what: Seen, lab: Facts = facts): string[] =>
  orderSteps(what, lab).map((step) =>
    step.kind === 'link'
      ? `${step.in} ${step.device} ${step.way}${step.changed.map((line) => `, ${line}`).join('')}`
      : `${step.in} ${step.hook ?? '?'} ${step.table} ${step.chain} ${step.rules.map(({ rule }) => rule.slice(0, 20)).join()} ${step.byPolicy ? 'policy ' : ''}${step.verdict}`,
  );

const endOfSeen = (what: Seen, lab: Facts = facts, errand: Errand = published) =>
  findEnd({ errand, seen: what, facts: lab, steps: orderSteps(what, lab), plan: defaultPlan });

const altered = (change: (copy: Facts) => void): Facts => {
  const copy = structuredClone(facts);
  change(copy);
  return copy;
};

describe('a trace', () => {
  it('has links, chains and rules in the packet`s own order, each change where it first shows, a repetition once', () => {
    assert.deepEqual(story(dnat()), [
      'the world world0 out',
      'host enp1s0 in',
      'host prerouting ip nat PREROUTING -p tcp -m tcp --dpor accept',
      'host forward ip filter FORWARD -d 172.18.0.11/32 -p accept',
      'host postrouting ip nat POSTROUTING  policy accept',
      'host br0 out',
      'host veth-ct1 out',
      'ct1 eth0 in',
      'ct1 eth0 out',
      'host veth-ct1 in',
      'host br0 in',
      'host enp1s0 out, source was 172.18.0.11:80',
    ]);
    const forward = orderSteps(dnat(), facts).find((step) => step.kind === 'chain' && step.chain === 'FORWARD');
    assert.deepEqual(forward?.changed, ['destination was 203.0.113.2:8080']);
    assert.match(endOfSeen(dnat()).because, /^172\.18\.0\.11:80 answered, at ct1 eth0\.$/);
  });

  it('says where a packet died and why, as far as it was seen', () => {
    const came = sight(2, 'enp1s0', 'in', `syn ${before}`);
    const into = (...rules: Rule[]): Seen => seen({ root: { sights: [came], rules } });
    const drop = run(`syn ${after}`, { table: 'filter', chain: 'FORWARD', rule: '--dport 80', verdict: 'drop' });
    const policy = run(`syn ${after}`, { table: 'filter', chain: 'FORWARD', verdict: 'drop' });
    const off = altered(({ here }) => (here.sysctls['net/ipv4/conf/enp1s0/forwarding'] = '0'));
    const prerouting = run(`syn ${after}`, { table: 'nat', chain: 'PREROUTING', rule: 'DNAT', verdict: 'accept' });
    const ask = sight(3, 'br0', 'out', 'who-has 172.18.0.1>172.18.0.11');
    const cases: [name: string, what: Seen, lab: Facts, told: RegExp][] = [
      ['a rule', into(...drop), facts, /^rule .*dropped in host by ip filter FORWARD: rule "-d 172\.18\.0\.11\/32 /],
      ['a policy', into(...policy), facts, /^policy .*FORWARD: no rule matched it, and its policy is drop/],
      [
        'forwarding',
        into(...prerouting),
        off,
        /^forwarding .*came into host by enp1s0 for 172\.18\.0\.11.*ip_forward is/,
      ],
      ['no route', into(...prerouting), facts, /^routing .*sent on nowhere.*ip route get 172\.18\.0\.11/],
      [
        'ARP',
        seen({ root: { sights: [came, ask], rules: prerouting } }),
        facts,
        /^no-neighbour host asks on br0 who has 172\.18\.0\.11/,
      ],
      [
        'no packet',
        seen({ world: {} }, { ok: false, error: 'No route to host' }),
        facts,
        /^no-route the world has no route/,
      ],
      [
        'nothing',
        seen({ ct1: { sights: [sight(1, 'eth0', 'in', `syn ${after}`)] } }),
        facts,
        /^null It was last seen at ct1/,
      ],
      [
        'refused',
        seen({ ct1: { sights: [sight(1, 'eth0', 'out', 'rst 172.18.0.11:80>198.51.100.7:4000')] } }),
        facts,
        /^no-listener 172\.18\.0\.11:80 refused it in ct1/,
      ],
      [
        'legacy',
        seen({
          root: { sights: [came], legacy: [{ table: 'filter', chain: 'FORWARD', rule: '-i br0 -j DROP', packets: 1 }] },
        }),
        facts,
        /^legacy .*iptables-legacy counted a packet meanwhile at filter FORWARD: -i br0 -j DROP/,
      ],
      [
        'untranslated',
        seen({ world: { sights: [sight(1, 'world0', 'in', 'echo 172.18.0.11>8.8.8.8')] } }),
        facts,
        /^not-translated .*from 172\.18\.0\.11, an address that has no meaning there/,
      ],
      [
        'an error',
        seen({ world: { sights: [sight(1, 'world0', 'out', 'unreachable 203.0.113.1>203.0.113.2')] } }),
        facts,
        /^unreachable 203\.0\.113\.1 says that it is unreachable/,
      ],
    ];
    for (const [name, what, lab, told] of cases) {
      const { cause, because, verdict } = endOfSeen(what, lab);
      assert.match(`${cause} ${because}`, told, name);
      assert.equal(verdict, ['refused', 'an error'].includes(name) ? 'refused' : 'lost', name);
    }
  });

  it('does not take a question that a bridge only passes on for one that nobody answers', () => {
    const passed = ['in', 'out'].map((way, n) =>
      sight(n, way === 'in' ? 'veth-ct2' : 'veth-ct1', way as Sight['way'], 'who-has 172.18.0.12>172.18.0.99'),
    );
    assert.equal(endOfSeen(seen({ root: { sights: passed } })).cause, null);
  });

  it('leaves out what a bridge floods to others, and keeps what passes its ports', () => {
    const flooded = [
      { ...sight(1, 'veth-ct1', 'in', 'echo 172.18.0.11>172.18.0.12'), other: true },
      sight(2, 'veth-ct2', 'out', 'echo 172.18.0.11>172.18.0.12'),
    ];
    const inside = [{ ...sight(3, 'eth0', 'in', 'echo 172.18.0.11>172.18.0.12'), other: true }];
    assert.deepEqual(story(seen({ root: { sights: flooded }, ct2: { sights: inside } })), [
      'host veth-ct1 in',
      'host veth-ct2 out',
    ]);
  });

  it('knows who sends what to whom from the words that were typed', () => {
    const errand = (from: string, to: string, port?: number): string => {
      const plan = defaultPlan;
      const found = parseErrand(from, to, port, plan) ?? errandFromAddress(from, to, port, { plan, facts });
      return found === undefined
        ? 'nobody'
        : `${found.in} ${found.from ?? '-'} ${found.kind} ${found.to}:${found.port}`;
    };
    assert.equal(errand('ct1', 'internet'), 'ct1 - icmp 93.184.216.34:0');
    assert.equal(errand('outside', 'host', 8080), 'world 198.51.100.7 tcp 203.0.113.2:8080');
    assert.equal(errand('ct2', 'host', 8080), 'ct2 - tcp 172.18.0.1:8080');
    assert.equal(errand('host', 'host', 8080), 'root - tcp 127.0.0.1:8080');
    assert.equal(errand('ct1', 'internet', 53), 'ct1 - udp 1.1.1.1:53');
    assert.equal(errand('172.18.0.12', '8.8.8.8'), 'ct2 172.18.0.12 icmp 8.8.8.8:0');
    assert.equal(errand('10.9.9.9', 'lan'), 'nobody');
    for (const from of trafficEnds) for (const to of trafficEnds) assert.notEqual(errand(from, to), 'nobody');
  });

  it('is made of whatever has its shape, without throwing', () => {
    assertHolds(400, (draw) => {
      const parsed = Seen.safeParse(alterValue(dnat(), draw));
      if (!parsed.success) return;
      const steps = orderSteps(parsed.data, facts);
      assert.ok(findEnd({ errand: published, seen: parsed.data, facts, steps, plan: defaultPlan }).because.length > 0);
    });
  });

  it('prints what a learner named without letting it drive the terminal', () => {
    const steps = orderSteps(seen({ root: { sights: [sight(1, 'br\u001b[2J', 'in', `syn ${before}`)] } }), facts);
    const end = { verdict: 'lost', cause: null, because: 'at \u001b]0;x\u0007' } as const;
    const lab = { schemaVersion: 1, lab: 'lab', from: 'outside', to: 'host' } as const;
    const trace = { ...lab, errand: published, steps, connections: [], end, diagnosis: null, notes: ['\u202e'] };
    const text = renderTrace(trace, { color: false });
    assert.doesNotMatch(text, /[\u001b\u0007\u202e]/);
    assert.deepEqual(Trace.parse(JSON.parse(renderTraceJson(trace))), trace);
  });
});
