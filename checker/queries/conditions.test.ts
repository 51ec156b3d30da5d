import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Copy } from '../evidence/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import { type Outcome, runChecks } from '../judge/run.ts';
import type { Case } from './check.ts';
import { listConditions, chooseCopies } from './conditions.ts';
import { readCase, checks, type State } from '../testing/fixtures.ts';

const ids = ['connectivity', 'egress', 'dns', 'publish'].map((chapter) => `${chapter}.conditions`);
const outcomes = (lab: Case): Outcome[] => runChecks(checks, lab).filter(({ check }) => ids.includes(check.id));
const verdicts = (lab: Case): string[] => outcomes(lab).map(({ verdict }) => verdict);
const all = (verdict: string): string[] => ids.map(() => verdict);

/** The copy of a case under a condition, as `accept0`. */
const copyOf = (lab: Case, name: string): Copy => {
  const copy = lab.evidence.copies.find(({ condition }) => `${condition.forwardPolicy}${condition.bridgeNf}` === name);
  assert.ok(copy, `no copy ${name}`);
  return copy;
};

const lose = (copy: Copy, probe: string): void => {
  copy.results[probe] = { ok: false, stage: 'reply', error: 'no answer', ms: 700 };
};

const setRules = (facts: Facts, rules: string[], more: Record<string, string[]> = {}): Facts => {
  const table = facts.here.iptables.find(({ variant, name }) => variant === 'nft' && name === 'filter');
  assert.ok(table);
  table.chains = [
    ...table.chains.filter(({ name }) => name !== 'FORWARD'),
    { name: 'FORWARD', policy: 'ACCEPT', rules },
    ...Object.entries(more).map(([name, own]) => ({ name, policy: null, rules: own })),
  ];
  return facts;
};

const shown = (facts: Facts, baseline: Facts): string[] =>
  listConditions(facts, baseline).demanded.map(({ forwardPolicy, bridgeNf, own, drop }) =>
    `${forwardPolicy}${bridgeNf}${own ? ' own' : ''} ${drop.join('+')}`.trim(),
  );

test('FORWARD DROP is demanded where somebody wrote accepting rules, or where the lab host began with it', () => {
  const { facts, baseline } = readCase('right');
  const [accept, both] = [
    ['accept0 own', 'accept1'],
    ['accept0 own', 'accept1', 'drop0 nft', 'drop1 nft'],
  ];
  assert.deepEqual(shown(facts, baseline), both);
  assert.deepEqual(shown(baseline, baseline), accept);
  assert.deepEqual(shown(setRules(structuredClone(facts), ['-i br0 -j DROP']), baseline), accept);
  const named = '-i br0 -m comment --comment "see -j ACCEPT" -j MINE';
  assert.deepEqual(shown(setRules(structuredClone(facts), [named]), baseline), accept);
  assert.deepEqual(shown(setRules(structuredClone(facts), [named], { MINE: ['-j LOG'] }), baseline), accept);
  const inner = { MINE: ['-g DEEPER'], DEEPER: ['-p icmp -j ACCEPT', '-j MINE'] };
  assert.deepEqual(shown(setRules(structuredClone(facts), [named], inner), baseline), both);
  const given = setRules(structuredClone(baseline), ['-i docker0 -j ACCEPT']);
  assert.deepEqual(shown(given, given), accept);
  const dropping = structuredClone(baseline);
  for (const table of dropping.here.iptables) for (const chain of table.chains) if (chain.policy) chain.policy = 'DROP';
  assert.deepEqual(shown(dropping, dropping), ['accept0', 'accept1', 'drop0 own nft', 'drop1 nft']);
});

test('The own condition is tried as well where nobody demands it; bridge-nf 1 does not exist without br_netfilter', () => {
  const { facts, baseline } = readCase('right');
  const own = setRules(structuredClone(facts), []);
  for (const chain of own.here.iptables.flatMap(({ chains }) => chains)) if (chain.policy) chain.policy = 'DROP';
  const wanted = chooseCopies(checks, { facts: own, baseline });
  assert.deepEqual(
    wanted?.conditions.map(({ forwardPolicy, bridgeNf }) => forwardPolicy + bridgeNf),
    ['accept0', 'accept1', 'drop0'],
  );
  const module = structuredClone(facts);
  delete module.here.sysctls['net/bridge/bridge-nf-call-iptables'];
  assert.deepEqual(shown(module, baseline), ['accept0 own', 'drop0 nft']);
  const lab = { ...readCase('right'), facts: module };
  assert.deepEqual(verdicts(lab), all('pass'));
  assert.match(outcomes(lab)[0]?.evidence.join() ?? '', /has no br_netfilter/);
});

test('Recorded copies of right builds pass, under DROP with bridge-nf 1 as their own condition too', () => {
  for (const state of ['right', 'mixed'] satisfies State[]) {
    const lab = readCase(state);
    const open = runChecks(checks, lab).filter(({ check, verdict }) => ids.includes(check.id) && verdict !== 'pass');
    assert.deepEqual(
      open.map(({ check, because, evidence }) => [check.id, because, evidence]),
      [],
    );
  }
});

test('A path that breaks under one condition fails, and is told where it ends and what mends it', () => {
  const [connectivity, egress] = outcomes(readCase('seed'));
  assert.equal(egress?.verdict, 'pass');
  assert.equal(connectivity?.verdict, 'fail');
  assert.deepEqual(connectivity.evidence, [
    'under FORWARD DROP with bridge-nf 1: ct1 to ct2 ends at FORWARD',
    'under FORWARD DROP with bridge-nf 1: ct2 to ct1 ends at FORWARD',
  ]);
  assert.equal(connectivity.hint?.mend, 'iptables -A FORWARD -i br0 -o br0 -j ACCEPT');
  const lab = readCase('right');
  const copy = copyOf(lab, 'accept1');
  lose(copy, 'ct1>site');
  copy.seen = copy.seen.filter((sight) => sight.probe !== 'ct1>site' || sight.in === 'ct1');
  const failed = outcomes(lab)[1];
  assert.equal(
    failed?.actual,
    'under FORWARD ACCEPT with bridge-nf 1: ct1 to the internet (port 80) was last seen at eth0 of ct1',
  );
});

test('An answer that did not come from whom it was asked of is none', () => {
  const lab = readCase('right');
  const copy = copyOf(lab, 'drop0');
  copy.seen = copy.seen.filter((sight) => sight.in !== 'ct1' && sight.device !== 'relay');
  const result = copy.results['ct2 lookup'];
  if (result) result.answers = ['10.0.0.1'];
  assert.deepEqual(verdicts(lab), ['fail', 'pass', 'fail', 'fail']);
});

test('An answer that is missing in a copy that was hardly let run is our error', () => {
  const lab = readCase('right');
  const copy = copyOf(lab, 'drop0');
  lose(copy, 'ct1 lookup');
  assert.deepEqual(verdicts(lab), ['pass', 'pass', 'fail', 'pass']);
  copy.lost = 12_000;
  assert.deepEqual(verdicts(lab), ['pass', 'pass', 'error', 'pass']);
});

const worthless: [name: string, damage: (lab: Case) => void, why: RegExp][] = [
  ['none was made', (lab) => (lab.evidence.copies = []), /was not made/],
  ['one is missing', (lab) => lab.evidence.copies.pop(), /DROP with bridge-nf 1 was not made/],
  ['one failed', (lab) => (copyOf(lab, 'accept1').error = 'nft has a flowtable'), /can't be made: nft has a flowtable/],
  [
    'one is not exact',
    (lab) => copyOf(lab, 'drop0').differences.push('root: link br0'),
    /not like the original: root: link/,
  ],
  ['one has no results', (lab) => (copyOf(lab, 'drop0').results = {}), /has no result for/],
  [
    'the capture in one lost packets',
    (lab) => {
      const copy = copyOf(lab, 'drop1');
      copy.drops['world'] = 3;
      copy.seen = [];
    },
    /^the capture in the copy of the lab host under FORWARD DROP with bridge-nf 1 lost packets/,
  ],
  ['one has a dead world', (lab) => lose(copyOf(lab, 'drop1'), 'world>site'), /does not answer even itself/],
  [
    'the control shows something else',
    (lab) => ['ct1>ct2', 'ct1>site', 'ct1 lookup', 'host>server'].forEach((path) => lose(copyOf(lab, 'accept0'), path)),
    /which is its own, shows something else than the lab host itself/,
  ],
];

for (const [name, damage, why] of worthless) {
  test(`Copies that prove nothing are our error, never a pass and never the learner's failure: ${name}`, () => {
    const lab = readCase('right');
    damage(lab);
    assert.deepEqual(verdicts(lab), all('error'));
    for (const { because } of outcomes(lab)) assert.match(because ?? '', why);
  });
}

test('What fails on the lab host itself is not judged again under other conditions', () => {
  const lab = readCase('right');
  for (const path of ['ct1>ct2', 'ct1>site', 'ct1 lookup', 'outside>uplink']) {
    lab.evidence.results[path] = { ok: false, stage: 'reply', error: 'no answer', ms: 700 };
  }
  assert.deepEqual(verdicts(lab), all('skipped'));
});
