import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Facts } from '../facts/facts.ts';
import { compareFingerprints } from '../facts/parse.ts';
import type { Case } from '../queries/check.ts';
import { readCase, checks, states } from '../testing/fixtures.ts';
import { findTampering, guardCheck, describeUnrest, findWorldChanges, describeWorldChanges } from './integrity.ts';
import { type Outcome, runChecks } from './run.ts';

const baseline = readCase('empty').baseline;

test('The world is the same before a build and after it, and after a restart', () => {
  for (const state of ['empty', 'right', 'seed', 'seed-cleaned', 'mixed'] as const) {
    assert.deepEqual(findWorldChanges(baseline, readCase(state).facts), [], state);
  }
});

test('A program that the learner hides is no change while the process of the baseline runs it, and one with another process', () => {
  const facts = structuredClone(baseline);
  facts.world.sha256 = null;
  assert.deepEqual(findWorldChanges(baseline, facts), []);
  facts.world.start = '1';
  assert.match(describeWorldChanges(baseline, facts) ?? '', /changed its program unreadable/);
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
  assert.deepEqual(findWorldChanges(baseline, facts), []);
});

for (const [what, change, told] of tampered) {
  test(`A world with ${what} changed is told`, () => {
    const facts = structuredClone(baseline);
    change(facts.world);
    assert.match(describeWorldChanges(baseline, facts) ?? '', told);
  });
}

test('Two fingerprints differ in the parts that moved, and none is no difference', () => {
  assert.equal(compareFingerprints('a-b-c', 'a-b-c'), null);
  assert.equal(compareFingerprints('a-b-c', 'a-x-y'), 'links, addresses');
  const { facts, evidence } = readCase('right');
  assert.equal(describeUnrest(facts, evidence), null);
  assert.equal(describeUnrest({ ...facts, steady: null }, evidence), null);
  assert.match(
    describeUnrest({ ...facts, steady: '0' }, evidence) ?? '',
    /namespaces, links.* between the snapshot and/,
  );
  const moved = { ...evidence, steady: { before: facts.steady ?? '', after: '0' } };
  assert.match(describeUnrest(facts, moved) ?? '', /while experiments were made/);
});

const found = (lab: Case): string[] => findTampering(lab).map(({ id, what }) => `${id}: ${what}`);

/** Verdicts in view of what was found, by check. */
function verdicts(lab: Case): Map<string, Outcome> {
  const findings = findTampering(lab);
  const outcomes = runChecks(
    checks.map((check) => guardCheck(check, findings)),
    lab,
  );
  return new Map(outcomes.map((outcome) => [outcome.check.id, outcome]));
}

/** A right lab, altered. */
function altered(change: (lab: Case) => void): Case {
  const lab = readCase('right');
  change(lab);
  return lab;
}

test('An honest lab host, whatever was built on it, has nothing that is worth a finding', () => {
  for (const state of states) assert.deepEqual(found(readCase(state)), [], state);
});

test('Altered tools are told, and change no verdict: nothing of ours is run by them', () => {
  const lab = altered(({ facts }) => {
    facts.altered = Array.from({ length: 30 }, (_, at) => ({ path: `/usr/bin/tool${at}`, what: 'is another file' }));
  });
  assert.equal(found(lab).length, 21);
  assert.match(found(lab)[0] ?? '', /^altered: \/usr\/bin\/tool0 is another file$/);
  assert.match(found(lab)[20] ?? '', /and 10 more/);
  for (const [id, { verdict }] of verdicts(lab))
    assert.equal(verdict, verdicts(readCase('right')).get(id)?.verdict, id);
});

test('What was changed in the world is told, and nothing that goes through it has a verdict', () => {
  const lab = altered(({ facts }) => {
    const [first] = facts.world.net?.routes ?? [];
    const route = { destination: '172.18.0.0/16', protocol: 'boot', table: 'main' };
    if (first) facts.world.net?.routes.push({ ...first, ...route });
  });
  assert.match(found(lab).join('\n'), /^world: in the world beyond the uplink: new: route 172\.18\.0\.0\/16/);
  const outcomes = verdicts(lab);
  assert.equal(outcomes.get('egress.ct1')?.verdict, 'error');
  assert.match(outcomes.get('egress.ct1')?.because ?? '', /172\.18\.0\.0\/16.*Next: lab reset/);
  assert.equal(outcomes.get('connectivity.ct1-ct2')?.verdict, 'pass');
  assert.equal(outcomes.get('publish.loopback')?.verdict, 'pass');
});

test('A change while we looked is told by what it was, and so is that of a first take', () => {
  const lab = altered(({ evidence }) => {
    evidence.changes.push({ in: 'root', what: 'forwarding of all became 1' });
    evidence.retaken = 'routes changed between the snapshot and the experiments';
  });
  assert.deepEqual(found(lab), [
    'change: routes changed between the snapshot and the experiments; all of it was taken once more',
    'change: forwarding of all became 1 (on the lab host) while experiments were made',
  ]);
});

test('A server that is started anew for each client is no change', () => {
  const socket = { protocol: 'tcp', address: '0.0.0.0', port: 80, program: 'nc', pid: 1 } as const;
  const asIf = (known: boolean): Case =>
    altered(({ facts, evidence }) => {
      for (const { net } of facts.namespaces) if (net) net.sockets = known ? [socket] : [];
      evidence.changes.push({ in: 'ct1', what: 'tcp 0.0.0.0:80 began to be listened on' });
    });
  assert.deepEqual(found(asIf(true)), []);
  assert.equal(found(asIf(false)).length, 1);
});

test('What is answered without arriving in the world, or without its token, is no pass', () => {
  const place = altered(({ evidence }) => {
    evidence.seen = evidence.seen.filter((sight) => sight.in !== 'world' || sight.probe !== 'ct1>internet');
  });
  assert.match(found(place).join(), /^place: ct1>internet: answered, and nothing of it arrived in the world/);
  assert.equal(verdicts(place).get('egress.ct1')?.verdict, 'fail');
  const replay = altered(({ evidence }) => {
    const result = evidence.results['ct2>site'];
    if (result) result.echoed = false;
  });
  assert.match(found(replay).join(), /^nonce: ct2>site: answered without the token/);
  const replayed = verdicts(replay).get('egress.ct2');
  assert.equal(replayed?.verdict, 'fail');
  assert.match(replayed.actual, /without the token/);
  const blind = altered(({ evidence }) => {
    evidence.seen = [];
    evidence.drops['world'] = 3;
  });
  assert.deepEqual(found(blind), []);
});
