import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recorded, states } from '../testing/fixtures.ts';
import { damaged } from '../testing/random.ts';
import { Facts } from './facts.ts';
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
    for (const out of damaged(source.out, 40)) {
      const raw = { ...whole, sources: { root: { ...whole.sources['root'], [name]: { ...source, out } } } };
      assert.equal(parseFacts(raw).schemaVersion, 2);
    }
  }
});
