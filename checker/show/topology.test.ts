import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chapterIds, dockerHost, hasMarks, type Mark, plannedTopology, Topology } from '@handwired/host';
import type { Case } from '../queries/check.ts';
import { findLink } from '../queries/links.ts';
import { emptyRecord } from '../record.ts';
import { readCase, gradedChapters, states } from '../testing/fixtures.ts';
import { findLastDrawn, showJson, readTopology } from './topology.ts';

/** Everything that has a mark, as `ZONE NODE: TEXT (MARK)`. */
function marksOf({ zones, links }: Topology): string[] {
  const told = (place: string, text: string, mark: Mark): string[] =>
    mark === null ? [] : [`${place}${text} (${mark})`];
  return [
    ...zones.flatMap((zone) => [
      ...told('', zone.name, zone.mark),
      ...zone.notes.flatMap(({ text, mark }) => told(`${zone.name}: `, text, mark)),
      ...zone.nodes.flatMap(({ name, mark, addresses, notes }) => [
        ...told(`${zone.name} `, name, mark),
        ...[...addresses, ...notes].flatMap((label) => told(`${zone.name} ${name}: `, label.text, label.mark)),
      ]),
    ]),
    ...links.flatMap(({ from, to, mark }) => told(`${from} - `, to, mark)),
  ];
}

const readLast = (lab: Case): Topology => readTopology(lab, findLastDrawn(gradedChapters, lab));

const drawnOf = (lab: Case, through?: Parameters<typeof readTopology>[1]): string[] =>
  marksOf(through ? readTopology(lab, through) : readLast(lab));

/** A recorded state with a change. */
function changed(change: (lab: Case) => void): Case {
  const lab = readCase('right');
  change(lab);
  return lab;
}

test('A right build has no mark, the seed and other ways of building neither', () => {
  for (const state of ['right', 'seed', 'mixed'] as const) {
    assert.deepEqual(drawnOf(readCase(state)), [], state);
    assert.equal(hasMarks(readLast(readCase(state))), false);
  }
});

test('A right build is what was planned, but for what was there before', () => {
  const { zones, links } = readLast(readCase('right'));
  const own = zones.map((zone) => ({ ...zone, nodes: zone.nodes.filter(({ kind }) => kind !== 'others') }));
  const planned = plannedTopology(readCase('right').plan);
  const ordered = (topology: Pick<Topology, 'zones'>) =>
    topology.zones.map(({ nodes, ...zone }) => ({
      ...zone,
      nodes: nodes.toSorted((one, other) => (one.id < other.id ? -1 : 1)),
    }));
  assert.deepEqual(ordered({ zones: own }), ordered(planned));
  assert.deepEqual(
    new Set(links.map((link) => JSON.stringify(link))),
    new Set(planned.links.map((link) => JSON.stringify(link))),
  );
});

test('On an untouched lab host nothing is missing yet; asked for a chapter, its work is', () => {
  const empty = { ...readCase('empty'), record: emptyRecord() };
  assert.deepEqual(drawnOf(empty), []);
  assert.deepEqual(drawnOf(empty, 'bridge'), [
    'lab host br0 (missing)',
    'lab host br0: 172.18.0.1/16 (missing)',
    'ct1 (missing)',
    'ct1: only lo, which is down (missing)',
    'ct2 (missing)',
    'ct2: only lo, which is down (missing)',
  ]);
});

test('Every recorded state is a topology, through every chapter', () => {
  for (const state of states) for (const id of chapterIds) Topology.parse(readTopology(readCase(state), id));
});

test('What a cleanup has left behind is beyond the plan', () => {
  assert.deepEqual(drawnOf(readCase('seed-cleaned')), ['lab host routing and NAT: forwards IPv4 (extra)']);
});

test('A wrong address stands beside the one that is missing', () => {
  const lab = changed(({ facts }) => {
    const eth0 = facts.namespaces.find(({ name }) => name === 'ct1')?.net?.links.find(({ name }) => name === 'eth0');
    for (const address of eth0?.addresses ?? []) if (address.family === 'inet') address.prefix = 24;
  });
  assert.deepEqual(drawnOf(lab), ['ct1 eth0: 172.18.0.11/24 (wrong)', 'ct1 eth0: 172.18.0.11/16 (missing)']);
});

test('A cable that is in no bridge, or in another, is wrong', () => {
  const pulled = changed(({ facts }) => Object.assign(findLink(facts.here.links, 'veth-ct2') ?? {}, { master: null }));
  assert.deepEqual(drawnOf(pulled), ['lab host veth-ct2: is in no bridge (wrong)', 'bridge - port ct2 (missing)']);
  const elsewhere = changed(({ facts }) => {
    facts.here.links.push({ ...(findLink(facts.here.links, 'br0') as object), name: 'br1', index: 99 } as never);
    Object.assign(findLink(facts.here.links, 'veth-ct2') ?? {}, { master: 'br1' });
  });
  assert.deepEqual(drawnOf(elsewhere), [
    'lab host veth-ct2: is in br1 (wrong)',
    'lab host br1 (extra)',
    'host br1 - port ct2 (wrong)',
    'bridge - port ct2 (missing)',
  ]);
});

test('An uplink that is a port of the bridge is wrong', () => {
  const lab = changed(({ facts }) => Object.assign(findLink(facts.here.links, 'enp1s0') ?? {}, { master: 'br0' }));
  assert.deepEqual(drawnOf(lab), ['lab host enp1s0: is in br0 (wrong)', 'bridge - uplink (wrong)']);
});

test('A link that is down, forwarding that is off and rules that are gone are seen', () => {
  const lab = changed(({ facts }) => {
    Object.assign(findLink(facts.here.links, 'br0') ?? {}, { up: false });
    for (const key of ['ip_forward', 'conf/br0/forwarding', 'conf/enp1s0/forwarding'])
      facts.here.sysctls[`net/ipv4/${key}`] = '0';
    for (const { chains } of facts.here.iptables) for (const chain of chains) chain.rules = [];
  });
  assert.deepEqual(drawnOf(lab), [
    'lab host br0: is down (wrong)',
    'lab host routing and NAT: forwards IPv4 (missing)',
    'lab host routing and NAT: source NAT for 172.18.0.0/16 (missing)',
    'lab host routing and NAT: tcp 8080 → 172.18.0.11:80 (missing)',
  ]);
});

test('A port that leads elsewhere and a server that only listens on loopback are wrong', () => {
  const lab = changed(({ facts }) => {
    for (const table of facts.here.iptables)
      for (const chain of table.chains)
        chain.rules = chain.rules.map((rule) => rule.replace('172.18.0.11:80', '172.18.0.12:80'));
    for (const { net } of facts.namespaces) for (const socket of net?.sockets ?? []) socket.address = '127.0.0.1';
  });
  assert.deepEqual(drawnOf(lab), [
    'lab host routing and NAT: tcp 8080 → 172.18.0.12:80 (wrong)',
    'ct1: tcp 80, loopback only (wrong)',
  ]);
});

test('What a link, a route or a rule has that no plan has is told beside it', () => {
  const lab = changed(({ facts }) => {
    const eth0 = (name: string) =>
      facts.namespaces.find((one) => one.name === name)?.net?.links.find(({ loopback }) => !loopback);
    Object.assign(eth0('ct2') ?? {}, { mac: eth0('ct1')?.mac, mtu: 1400 });
    for (const port of facts.here.ports) port.isolated = true;
    const [route] = facts.here.routes;
    facts.here.routes.push({
      ...(route as NonNullable<typeof route>),
      type: 'blackhole',
      destination: '93.184.216.0/24',
      protocol: 'boot',
      table: 'main',
    });
    facts.here.policy.push({ priority: 100, text: 'src 172.18.0.11 table 100' });
  });
  const marks = drawnOf(lab);
  const mac = lab.facts.namespaces
    .find((one) => one.name === 'ct1')
    ?.net?.links.find(({ name }) => name === 'eth0')?.mac;
  for (const wanted of [
    'lab host veth-ct1: is isolated (wrong)',
    'lab host veth-ct2: MTU 1500, other end 1400 (wrong)',
    `ct1 eth0: MAC ${mac} twice (wrong)`,
    'lab host routing and NAT: 93.184.216.0/24 blackhole (extra)',
    'lab host routing and NAT: rule 100 src 172.18.0.11 table 100 (extra)',
  ])
    assert.ok(marks.includes(wanted), `${wanted}\n${marks.join('\n')}`);
});

test('A container that is gone is missing with all that was in it, and its cable', () => {
  const lab = changed(({ facts }) => {
    facts.namespaces = facts.namespaces.filter(({ name }) => name !== 'ct2');
  });
  const marks = drawnOf(lab);
  assert.ok(marks.includes('ct2 (missing)') && marks.includes('ct2 eth0 (missing)'));
  assert.ok(marks.includes('lab host veth-ct2: leads to no container (wrong)'));
  assert.ok(marks.includes('port ct2 - inner ct2 (missing)'));
});

test('What nobody planned is drawn as such, with a bound to how much of it', () => {
  const lab = changed(({ facts }) => {
    const [ct1] = facts.namespaces;
    for (let n = 0; n < 300; n += 1) {
      facts.namespaces.push({ ...(ct1 as NonNullable<typeof ct1>), name: `more${n}`, inode: 90_000 + n });
      facts.here.links.push({
        ...(findLink(facts.here.links, 'br0') as object),
        name: `dummy${n}`,
        index: 1000 + n,
        kind: 'dummy',
      } as never);
    }
  });
  const topology = readLast(lab);
  assert.ok(topology.zones.length < 12 && topology.zones.flatMap(({ nodes }) => nodes).length < 40);
  const marks = marksOf(topology);
  assert.ok(marks.includes('more0 (extra)') && marks.includes('lab host dummy0 (extra)'));
  assert.ok(
    marks.includes('lab host not drawn: 292 more links (extra)') &&
      marks.some((mark) => mark.includes('and 294 more (extra)')),
  );
});

test('What chapter docker makes is beyond no plan, until all is cleaned up', () => {
  const withDocker = (lab: Case): Case => {
    const { netns, inner, veth } = dockerHost;
    const [ct1] = lab.facts.namespaces;
    const { here, host } = readCase('right').facts;
    const [cable] = here.links.filter(({ kind }) => kind === 'veth');
    assert.ok(ct1 && cable);
    lab.facts.namespaces.push({
      ...ct1,
      name: netns,
      inode: 77,
      net: { ...here, links: [{ ...cable, name: inner, master: null }] },
    });
    lab.facts.here.links.push({ ...cable, name: veth, index: 99, master: null });
    lab.facts.mounts.push({ path: '/run/docker/netns/1a2b3c', inode: 78 });
    lab.facts.processes.push({ pid: 1, inode: 78, netns: null, command: 'httpd' });
    assert.notEqual(host.inode, 78);
    return lab;
  };
  assert.deepEqual(drawnOf(withDocker(readCase('right'))), []);
  assert.ok(drawnOf(withDocker(readCase('seed-cleaned')), 'cleanup').includes('docker (extra)'));
});

test("A lab host's names can't act on what shows them", () => {
  const name = '\u001b[2J\u202e</text>"';
  const lab = changed(({ facts }) => {
    const [ct1] = facts.namespaces;
    facts.namespaces.push({ ...(ct1 as NonNullable<typeof ct1>), name, inode: 77 });
    facts.here.links.push({ ...(findLink(facts.here.links, 'br0') as object), name, index: 77 } as never);
  });
  const topology = readLast(lab);
  assert.match(JSON.stringify(topology), /u\{1b\}\[2J/);
  assert.match(showJson(topology), /^[\n\x20-\x7e]+$/);
});
