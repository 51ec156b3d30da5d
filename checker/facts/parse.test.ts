import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLine, recorded, readSource, states } from '../testing/fixtures.ts';
import { assertHolds, damageText } from '../testing/random.ts';
import { Facts } from './facts.ts';
import { parseConnections, parseNft, parseSave } from './firewall.ts';
import { parseForwarding, parseLinks, parseNeighbours, parsePolicyRules, parsePorts, parseRoutes } from './iproute.ts';
import { parseFacts } from './parse.ts';

for (const state of states) {
  test(`The snapshot of ${state} is read without a problem, and facts to JSON to facts is the identity`, () => {
    const facts = parseFacts(recorded(state).raw);
    assert.deepEqual(facts.problems, []);
    assert.deepEqual(Facts.parse(JSON.parse(JSON.stringify(facts))), facts);
  });
}

test('A source that failed, was cut or is not understood becomes a problem, and the rest is read', () => {
  const { raw } = recorded('right');
  const root = raw.sources['root'] ?? {};
  Object.assign(root['nft'] ?? {}, { out: '{"nftables": 7}' });
  Object.assign(root['conntrack'] ?? {}, { cut: true });
  delete raw.sockets['root'];
  Object.assign(root['iptables-nft'] ?? {}, { code: 1, err: 'iptables: Permission denied' });
  delete root['bridge'];
  const facts = parseFacts(raw);
  assert.deepEqual(
    facts.problems.map(({ source }) => source),
    ['root bridge', 'root iptables-nft', 'root nft', 'root sockets', 'root conntrack'],
  );
  assert.match(facts.problems[1]?.what ?? '', /exit 1: iptables: Permission denied/);
  assert.ok(facts.here.links.length > 0);
});

test('A link whose alias has control characters, as iproute2 prints them, is read like any other', () => {
  const { raw } = recorded('right');
  const ip = raw.sources['root']?.['ip'];
  if (ip) ip.out = ip.out.replace('"ifname":"br0"', '"ifname":"br0","ifalias":"\u001b]0;owned\u0007"');
  assert.match(ip?.out ?? '', /owned/);
  assert.deepEqual(parseFacts(raw), parseFacts(recorded('right').raw));
});

test('Names, processes and mounts refer to the same namespaces', () => {
  const facts = parseFacts(recorded('seed').raw);
  const ct1 = facts.namespaces.find(({ name }) => name === 'ct1');
  assert.equal(ct1?.real, true);
  assert.ok(facts.processes.some(({ netns, command }) => netns === 'ct1' && /http\.server 80$/.test(command)));
  assert.ok(facts.processes.some(({ inode }) => inode === facts.world.inode));
  assert.equal(facts.conditions['FORWARD_POLICY'], 'accept');
});

test('No damage to what the tools print makes the reader throw', () => {
  const whole = recorded('mixed').raw;
  for (const [name, source] of Object.entries(whole.sources['root'] ?? {})) {
    assertHolds(40, (draw) => {
      const out = damageText(source.out, draw);
      const raw = { ...whole, sources: { root: { ...whole.sources['root'], [name]: { ...source, out } } } };
      assert.equal(parseFacts(raw).schemaVersion, 2);
    });
  }
});

const json = (text: string): unknown => JSON.parse(text);

test('Links have their kind, master, state, addresses and the other end of their veth pair', () => {
  const links = parseLinks(readLine('seed', 'root', 'ip', 0));
  const veth = links.find(({ name }) => name === 'veth-ct1');
  assert.equal(veth?.kind, 'veth');
  assert.equal(veth.master, 'br0');
  assert.equal(typeof veth.peer?.nsid, 'number');
  const inner = parseLinks(readLine('seed', 'netns ct1', 'ip', 0)).find(({ name }) => name === 'eth0');
  assert.deepEqual([inner?.index, inner?.peer?.index], [veth.peer?.index, veth.index]);
  const bridge = links.find(({ name }) => name === 'br0');
  assert.deepEqual([bridge?.kind, bridge?.up, bridge?.bridge?.stp], ['bridge', true, 0]);
  assert.deepEqual(bridge?.addresses[0], { family: 'inet', address: '172.18.0.1', prefix: 16, scope: 'global' });
  assert.equal(links.find(({ loopback }) => loopback)?.name, 'lo');
});

test('Entries without a link are left out, a wrong shape throws', () => {
  assert.deepEqual(parseLinks([{}]), []);
  assert.throws(() => parseLinks([{ ifname: 'x' }]));
  assert.throws(() => parseLinks({}));
});

test('Routes have names for the numbers of rtnetlink', () => {
  const route = parseRoutes(readLine('right', 'netns ct1', 'ip', 1)).find(
    ({ destination }) => destination === 'default',
  );
  assert.deepEqual(route, {
    type: 'unicast',
    destination: 'default',
    gateway: '172.18.0.1',
    device: 'eth0',
    table: 'main',
    protocol: 'boot',
    source: null,
    metric: null,
    nexthops: [],
  });
  const many = parseRoutes([{ dst: 'default', table: '77', nexthops: [{ via: { host: 'fe80::1' }, dev: 'a' }] }]);
  assert.deepEqual([many[0]?.table, many[0]?.nexthops], ['77', [{ gateway: 'fe80::1', device: 'a' }]]);
});

test('Rules of the routing policy read as text', () => {
  const rules = parsePolicyRules(readLine('empty', 'root', 'ip', 2));
  assert.deepEqual(rules.at(-1), { priority: 32767, text: 'src all table default' });
});

test('Neighbours, namespace numbers, ports and forwarding entries', () => {
  assert.ok(parseNeighbours(readLine('seed', 'root', 'ip', 3)).some(({ address }) => address === '172.18.0.11'));
  assert.ok(recorded('seed').raw.ids['root']?.some(({ name }) => name === 'ct1'));
  const ports = parsePorts(readLine('seed', 'root', 'bridge', 0));
  assert.deepEqual(
    ports.map(({ device, bridge, state }) => `${device} ${bridge} ${state}`),
    ['veth-ct1 br0 forwarding', 'veth-ct2 br0 forwarding'],
  );
  assert.ok(parseForwarding(readLine('seed', 'root', 'bridge', 1)).every(({ device }) => /^(veth-|br)/.test(device)));
});

test('iptables-save gives chains with policies and rules without counters', () => {
  const { tables, incompatible } = parseSave(readSource('seed', 'root', 'iptables-nft'), 'ip', 'nft');
  const forward = tables.find(({ name }) => name === 'filter')?.chains.find(({ name }) => name === 'FORWARD');
  assert.equal(forward?.policy, 'ACCEPT');
  assert.ok(forward.rules.includes('-i br0 -o enp1s0 -j ACCEPT'));
  assert.deepEqual(incompatible, []);
  const own = parseSave('*nat\n:LAB - [0:0]\n[7:99] -A LAB -j ACCEPT\n-A LAB\nCOMMIT\n', 'ip', 'legacy').tables[0];
  assert.deepEqual(own?.chains, [{ name: 'LAB', policy: null, rules: ['-j ACCEPT', ''] }]);
});

test('iptables-save says which tables it could not show', () => {
  assert.deepEqual(parseSave(readSource('mixed', 'root', 'iptables-nft'), 'ip', 'nft').incompatible, ['nat']);
  assert.deepEqual(parseSave("# Table `x' is incompatible, use 'nft' tool.", 'ip', 'nft').incompatible, ['x']);
});

test('nft tables have no handle and no counter in what is compared, and rules as nft prints them', () => {
  const tables = parseNft(json(readSource('mixed', 'root', 'nft')), readSource('mixed', 'root', 'nft-text'));
  const lab = tables.find(({ name }) => name === 'lab');
  assert.deepEqual(
    lab?.objects.map(({ type }) => type),
    ['set', 'chain', 'rule'],
  );
  const rule = lab.objects.at(-1);
  assert.equal(rule?.shown, 'ip saddr @inside oifname "enp1s0" snat ip to 203.0.113.2');
  const texts = tables.flatMap(({ objects }) => objects.map(({ text, shown }) => text + shown));
  assert.doesNotMatch(texts.join('\n'), /"?handle"?|"?packets"?/);
  const forward = tables.find(({ name }) => name === 'filter')?.objects.find(({ hook }) => hook === 'forward');
  assert.equal(forward?.policy, 'drop');
});

test('Listening sockets have their program', () => {
  const sockets = recorded('seed').raw.sockets['netns ct1'] ?? [];
  assert.deepEqual(
    sockets.map(({ protocol, address, port, program }) => [protocol, address, port, program]),
    [['tcp', '0.0.0.0', 80, 'python3']],
  );
});

test('Connections have both directions', () => {
  const found = parseConnections(readSource('seed', 'root', 'conntrack'));
  assert.ok(
    found.some(({ original, reply }) => original.source === '172.18.0.11' && reply.destination === '203.0.113.2'),
  );
});

const texts: [string, string, (text: string) => unknown][] = [
  ['iptables-save', readSource('mixed', 'root', 'iptables-nft'), (text) => parseSave(text, 'ip', 'nft')],
  ['conntrack', readSource('seed', 'root', 'conntrack'), parseConnections],
];
for (const [name, text, parse] of texts) {
  test(`Whatever ${name} prints, its parser returns`, () => {
    assertHolds(300, (draw) => assert.ok(parse(damageText(text, draw))));
  });
}

const documents: [string, string, (text: string) => unknown][] = [
  ['ip addr', JSON.stringify(readLine('seed', 'root', 'ip', 0)), (text) => parseLinks(json(text))],
  ['ip route', JSON.stringify(readLine('seed', 'root', 'ip', 1)), (text) => parseRoutes(json(text))],
  ['ip rule', JSON.stringify(readLine('seed', 'root', 'ip', 2)), (text) => parsePolicyRules(json(text))],
  ['ip neigh', JSON.stringify(readLine('seed', 'root', 'ip', 3)), (text) => parseNeighbours(json(text))],
  ['bridge link', JSON.stringify(readLine('seed', 'root', 'bridge', 0)), (text) => parsePorts(json(text))],
  ['bridge fdb', JSON.stringify(readLine('seed', 'root', 'bridge', 1)), (text) => parseForwarding(json(text))],
  ['nft', readSource('mixed', 'root', 'nft'), (text) => parseNft(json(text), text)],
];
for (const [name, text, parse] of documents) {
  test(`Whatever ${name} prints, its parser returns or throws an Error`, () => {
    assertHolds(300, (draw) => {
      try {
        parse(damageText(text, draw));
      } catch (error) {
        assert.ok(error instanceof Error);
      }
    });
  });
}

test('A handle that is no whole number of JavaScript is none', () => {
  for (const handle of [2 ** 60, 1.5, '7', null]) {
    const [table] = parseNft({ nftables: [{ rule: { family: 'ip', table: 'nat', chain: 'out', handle } }] }, '');
    assert.equal(table?.objects[0]?.handle, null);
  }
});
