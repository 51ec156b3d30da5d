import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultPlan } from '@handwired/host';
import type { Facts } from '../facts/facts.ts';
import { dockers, pairWith, rawWith } from '../testing/docker.ts';
import { readCase } from '../testing/fixtures.ts';
import { comparePair, type Comparison, renderComparison, renderComparisonJson, rows } from './compare.ts';
import { type Pair, parsePair } from './side.ts';

/** The lab host was handed over with what is called `keep`. */
const baselineOf = ({ facts }: Pair): Facts => ({
  ...facts,
  here: { ...facts.here, nft: facts.here.nft.filter(({ name }) => name === 'keep') },
});

function compared(pair: Pair): Comparison {
  const found = comparePair(pair, { plan: defaultPlan, baseline: baselineOf(pair) });
  assert.ok(typeof found !== 'string');
  return found;
}

const ids = (comparison: Comparison, verdict: string): string[] =>
  comparison.objects.filter((one) => one.verdict === verdict).map(({ id }) => id);

/** Where Docker is not like our build, as the course says: in both versions. */
const different = [
  'netns',
  'mac',
  'hairpin',
  'policy',
  'chains',
  'isolation',
  'direct',
  'guard',
  'others',
  'dnat',
  'local',
  'loopback',
  'source',
  'accept',
  'self',
  'left-alone',
  'resolver',
  'embedded',
  'hostname',
];

for (const version of dockers) {
  test(`Docker ${version} differs from our build where it is known to, and nowhere else`, () => {
    const found = compared(pairWith(version));
    assert.deepEqual(ids(found, 'differs'), different);
    assert.deepEqual(ids(found, 'unexplained'), []);
    assert.deepEqual(found.unexplained, []);
    assert.deepEqual(ids(found, 'same').length, found.objects.length - different.length);
  });
}

test('Every row is about something that the two builds have', () => {
  const seen = new Set(dockers.flatMap((version) => compared(pairWith(version)).objects.map(({ id }) => id)));
  // Docker has had it since version 28.
  assert.deepEqual(
    rows.map(({ id }) => id).filter((id) => !seen.has(id)),
    ['unpublished'],
  );
});

test('Where Docker has no rule that you have, and the other way round, the reason says so', () => {
  const pair = pairWith('26');
  for (const table of pair.facts.here.iptables) for (const chain of table.chains) chain.rules = [];
  const found = compared(pair);
  const why = (id: string) => found.objects.find((one) => one.id === id)?.why ?? '';
  assert.match(why('masquerade'), /You have none of it: chapter egress makes it/);
  assert.match(why('dnat'), /nothing outside reaches your published port/);
  assert.deepEqual(ids(found, 'unexplained'), []);
});

/** After moby's daemon/libnetwork/drivers/bridge/internal/iptabler, at version 29, with docker-proxy. */
const newer: Record<string, Record<string, string[]>> = {
  raw: { PREROUTING: ['-d 172.17.0.2/32 ! -i docker0 -j DROP'] },
  filter: {
    FORWARD: ['-j DOCKER-USER', '-j DOCKER-FORWARD'],
    'DOCKER-USER': [],
    'DOCKER-FORWARD': ['-j DOCKER-CT', '-j DOCKER-INTERNAL', '-j DOCKER-BRIDGE', '-i docker0 -j ACCEPT'],
    'DOCKER-CT': ['-o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'],
    'DOCKER-INTERNAL': [],
    'DOCKER-BRIDGE': ['-o docker0 -j DOCKER'],
    DOCKER: [
      '-d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT',
      '! -i docker0 -o docker0 -j DROP',
    ],
  },
  nat: {
    PREROUTING: ['-m addrtype --dst-type LOCAL -j DOCKER'],
    OUTPUT: ['! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER'],
    POSTROUTING: ['-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE'],
    DOCKER: ['! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80'],
  },
};

test('The chains of version 29 leave nothing unexplained either, and close direct access as you do', () => {
  const pair = pairWith('26');
  const host = pair.facts.namespaces.find(({ name }) => name === 'docker')?.net;
  if (host)
    host.iptables = Object.entries(newer).map(([name, chains]) => ({
      family: 'ip',
      variant: 'nft',
      name,
      chains: Object.entries(chains).map(([chain, rules]) => ({
        name: chain,
        rules,
        policy: /^DOCKER/.test(chain) ? null : chain === 'FORWARD' ? 'DROP' : 'ACCEPT',
      })),
    }));
  const found = compared(pair);
  assert.deepEqual([ids(found, 'unexplained'), found.unexplained], [[], []]);
  assert.ok(ids(found, 'same').includes('direct'));
  assert.ok(ids(found, 'differs').includes('unpublished'));
});

for (const state of ['seed', 'mixed'] as const) {
  test(`Another way to build it differs with a reason for each difference: ${state}`, () => {
    const { facts, containers } = pairWith('26');
    const lab = readCase(state);
    const docker = facts.namespaces.filter(({ name }) => name === 'docker');
    const namespaces = [...lab.facts.namespaces, ...docker];
    const pair = { facts: { ...lab.facts, namespaces }, containers };
    const found = comparePair(pair, { plan: defaultPlan, baseline: lab.baseline });
    assert.ok(typeof found !== 'string');
    assert.deepEqual([ids(found, 'unexplained'), found.unexplained], [[], []]);
    assert.ok(ids(found, 'differs').includes('masquerade'));
  });
}

test('Rules in nft tables of your own are not taken for missing ones', () => {
  const pair = pairWith('26');
  for (const table of pair.facts.here.iptables) for (const chain of table.chains) chain.rules = [];
  pair.facts.here.nft.push({ family: 'inet', name: 'mine', objects: [] });
  const found = compared(pair);
  assert.match(found.objects.find(({ id }) => id === 'masquerade')?.why ?? '', /nft tables .*inet mine.*lab trace/);
});

test('A difference that the course does not know is said to be one, and so is a rule that no row is about', () => {
  const pair = pairWith('26');
  const host = pair.facts.namespaces.find(({ name }) => name === 'docker')?.net;
  host?.iptables
    .flatMap(({ chains }) => chains)
    .find(({ name }) => name === 'FORWARD')
    ?.rules.push('-s 10.0.0.0/8 -j REJECT');
  for (const { net } of pair.containers) for (const link of net.links) link.up = false;
  const found = compared(pair);
  assert.deepEqual(found.unexplained, ['-t filter -A FORWARD -s 10.0.0.0/8 -j REJECT']);
  assert.deepEqual(ids(found, 'unexplained'), ['lo', 'cable']);
});

test('Without a container on one side there is nothing to compare', () => {
  const none = pairWith('26');
  none.containers = [];
  assert.equal(comparePair(none, { plan: defaultPlan, baseline: baselineOf(none) }), 'docker');
  const pair = pairWith('26');
  pair.facts.namespaces = pair.facts.namespaces.filter(({ name }) => name !== 'ct1');
  assert.equal(comparePair(pair, { plan: defaultPlan, baseline: baselineOf(pair) }), 'yours');
});

test('What Docker noted is not believed in any shape, and what cannot be read leaves a container out', () => {
  for (const config of ['', '{', '[]', '{"Name":1}', JSON.stringify({ Name: '/web', State: { Running: true } })]) {
    const raw = rawWith('26');
    for (const entry of raw.docker) entry.config = config;
    assert.deepEqual(parsePair(raw).containers, []);
  }
});

test('The text tells each difference with its reason and its place in moby, and nothing drives a terminal', () => {
  const pair = pairWith('26');
  const [first] = pair.containers;
  if (first) first.hostname = 'x\u001b[31m';
  const told = (step: string) => ({ does: `Does ${step}.`, source: 'daemon/x.go: x' });
  const text = renderComparison(compared(pair), told, { color: false, columns: 60 });
  assert.match(text, /^same {5}bridge$/m);
  assert.match(text, /^DIFFERS {2}policy of FORWARD$/m);
  assert.match(text, /moby: daemon\/x\.go: x/);
  assert.match(text, /, 0 unexplained\n$/);
  assert.doesNotMatch(text, /\u001b/);
  const json = JSON.parse(renderComparisonJson(compared(pair), told, 'lab')) as { objects: { does: string }[] };
  assert.equal(json.objects.find((one) => 'id' in one && one.id === 'policy')?.does, 'Does egress/forwarding.');
});
