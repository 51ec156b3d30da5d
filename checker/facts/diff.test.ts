import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recorded, type State, states } from '../testing/fixtures.ts';
import { diffFacts } from './diff.ts';
import { parseFacts } from './parse.ts';

const factsOf = (state: State) => parseFacts(recorded(state).raw);
const shown = (before: State, after: State): string[] =>
  diffFacts(factsOf(before), factsOf(after)).map(({ change, text }) => `${change} ${text}`);

test('A snapshot does not differ from itself', () => {
  for (const state of states) assert.deepEqual(shown(state, state), []);
});

test('What changes by itself is no difference', () => {
  const facts = factsOf('seed');
  const later = structuredClone(facts);
  for (const link of later.here.links) {
    link.index += 100;
    link.mac = '02:00:00:00:00:01';
    link.carrier = !link.carrier;
    link.addresses = link.addresses.filter(({ address }) => !address.startsWith('fe80'));
  }
  later.here.neighbours = later.here.forwarding = later.here.connections = [];
  later.here.routes = later.here.routes.filter(({ protocol }) => protocol !== 'kernel');
  later.host.clock += 60;
  assert.deepEqual(diffFacts(facts, later), []);
});

test("The seed's own cleanup leaves what it leaves", () => {
  assert.deepEqual(
    shown('empty', 'seed-cleaned').map((line) => line.slice(0, 60)),
    [
      'changed /etc/resolv.conf: symlink to ../run/systemd/resolve/',
      'new iptables -t filter -A FORWARD -i enp1s0 -o br0 -m state ',
      'new iptables -t filter -A FORWARD -i br0 -o enp1s0 -j ACCEPT',
      'changed net.ipv4.ip_forward = 1',
    ],
  );
});

test('A new namespace and a new link are said once, without what is in or on them', () => {
  const lines = shown('empty', 'seed');
  assert.ok(lines.includes('new namespace ct1'));
  assert.equal(lines.filter((line) => line.includes('br0') && !line.includes('iptables')).length, 3, lines.join('\n'));
  assert.ok(!lines.some((line) => line.includes('172.18.0.1/16')));
});

test("Tables that iptables can't show are compared as nft shows them, on both sides", () => {
  const lines = diffFacts(factsOf('empty'), factsOf('mixed'));
  assert.ok(
    !lines.some(({ change, text }) => change === 'gone' && text.includes('nat')),
    JSON.stringify(lines, null, 1),
  );
  assert.ok(lines.some(({ text }) => text.startsWith('nft table inet lab, out: ip saddr @inside')));
  assert.ok(lines.some(({ text }) => text.startsWith('nft table ip published, map ports')));
  assert.ok(lines.some(({ text }) => text.startsWith('iptables-legacy -t nat -A POSTROUTING')));
  assert.ok(!lines.some(({ text }) => /chain (mine|out|pre)/.test(text)), 'empty base chains are no residue');
});

test('Per-interface forwarding that follows ip_forward is said once, that of its own is said', () => {
  const before = factsOf('empty');
  const after = structuredClone(before);
  for (const key of Object.keys(after.here.sysctls)) {
    if (/ipv4.*forward/.test(key)) after.here.sysctls[key] = '1';
  }
  assert.deepEqual(
    diffFacts(before, after).map(({ key }) => key),
    ['net/ipv4/ip_forward'],
  );
  const single = structuredClone(before);
  single.here.sysctls['net/ipv4/conf/enp1s0/forwarding'] = '1';
  assert.deepEqual(
    diffFacts(before, single).map(({ text }) => text),
    ['net.ipv4.conf.enp1s0.forwarding = 1'],
  );
});
