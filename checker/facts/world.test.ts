import assert from 'node:assert/strict';
import { test } from 'node:test';
import { caseOf } from '../testing/fixtures.ts';
import { movedBetween, unsteady } from './steady.ts';
import { worldChanges, worldTrouble } from './world.ts';
import type { Facts } from './facts.ts';

const baseline = caseOf('empty').baseline;

test('The world is the same before a build and after it, and after a restart', () => {
  for (const state of ['empty', 'right', 'seed', 'seed-cleaned', 'mixed'] as const) {
    assert.deepEqual(worldChanges(baseline, caseOf(state).facts), [], state);
  }
});

test('A program that the learner hides is no change while the process of the baseline runs it, and one with another process', () => {
  const facts = structuredClone(baseline);
  facts.world.sha256 = null;
  assert.deepEqual(worldChanges(baseline, facts), []);
  facts.world.start = '1';
  assert.match(worldTrouble(baseline, facts) ?? '', /changed its program unreadable/);
});

const tampered: [what: string, change: (world: Facts['world']) => unknown, told: RegExp][] = [
  ['a process of another start', (world) => (world.start = '1'), /changed its process/],
  ['another namespace', (world) => (world.inode = 1), /its process/],
  [
    'another process of another program',
    (world) => Object.assign(world, { pid: 1, sha256: '0'.repeat(64) }),
    /changed its program 000000000000/,
  ],
  ['another certificate', (world) => (world.authority = 'x'), /changed its certificate x/],
  ['no namespace at all', (world) => (world.net = null), /no process holds it any more/],
  [
    'an address',
    (world) => world.net?.links.forEach((link) => (link.addresses = link.addresses.slice(1))),
    /gone address/,
  ],
  ['a route', (world) => (world.net ? (world.net.routes = []) : 0), /gone route default/],
  ['a rule', (world) => (world.net ? (world.net.nft = []) : 0), /gone nft table ip world/],
  ['a setting', (world) => (world.net ? (world.net.sysctls['net/ipv4/ip_forward'] = '1') : 0), /ip_forward = 1/],
  ['a listener', (world) => world.net?.sockets.forEach((socket) => (socket.pid = 7)), /listens on .*|process 7/],
];

test('A process that runs since the baseline is what it was, whatever lies in its file now', () => {
  const facts = structuredClone(baseline);
  facts.world.sha256 = null;
  assert.deepEqual(worldChanges(baseline, facts), []);
});

for (const [what, change, told] of tampered) {
  test(`A world with ${what} changed is told`, () => {
    const facts = structuredClone(baseline);
    change(facts.world);
    assert.match(worldTrouble(baseline, facts) ?? '', told);
  });
}

test('Two fingerprints differ in the parts that moved, and none is no difference', () => {
  assert.equal(movedBetween('a-b-c', 'a-b-c'), null);
  assert.equal(movedBetween('a-b-c', 'a-x-y'), 'links, addresses');
  const { facts, evidence } = caseOf('right');
  assert.equal(unsteady(facts, evidence), null);
  assert.equal(unsteady({ ...facts, steady: null }, evidence), null);
  assert.match(unsteady({ ...facts, steady: '0' }, evidence) ?? '', /namespaces, links.* between the snapshot and/);
  const moved = { ...evidence, steady: { before: facts.steady ?? '', after: '0' } };
  assert.match(unsteady(facts, moved) ?? '', /while experiments were made/);
});
