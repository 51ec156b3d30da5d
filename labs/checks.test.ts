import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { explainFailures } from '../checker/diagnosis/diagnose.ts';
import { probes } from '../checker/evidence/probes.ts';
import type { Net } from '../checker/facts/facts.ts';
import type { Link } from '../checker/facts/iproute.ts';
import { type Outcome, runChecks } from '../checker/judge/run.ts';
import type { Case } from '../checker/queries/check.ts';
import { selectWithNeeds } from '../checker/queries/chapters.ts';
import { findLink } from '../checker/queries/links.ts';
import { emptyRecord } from '../checker/record.ts';
import { readCase, checks, network } from '../checker/testing/fixtures.ts';
import { gradedChapters } from './checks.ts';

const learned = checks.filter(({ chapter }) => network.includes(chapter));
const judged = (lab: Case, id: string): Outcome | undefined =>
  explainFailures(runChecks(checks, lab), lab).find(({ check }) => check.id === id);

const net = (lab: Case, name: string): Net => lab.facts.namespaces.find((ns) => ns.name === name)?.net as Net;
const link = (links: Link[], name: string): Link => findLink(links, name) as Link;
const dropNetns = (lab: Case, name: string): void => {
  lab.facts.namespaces = lab.facts.namespaces.filter((ns) => ns.name !== name);
};
const lose = (lab: Case, probe: string, more: object = {}): void => {
  lab.evidence.results[probe] = { ok: false, stage: 'connect', error: 'no answer', ms: 1200, ...more };
};
const unsee = (lab: Case, probe: string, where: string): void => {
  lab.evidence.seen = lab.evidence.seen.filter((sight) => sight.probe !== probe || sight.in !== where);
};
/** Removes every sign of an answer. */
const unanswer = (lab: Case, probe: string): void => {
  lab.evidence.seen = lab.evidence.seen.filter(
    (sight) => sight.probe !== probe || !['syn-ack', 'reply'].includes(sight.what),
  );
};
const hijack = (lab: Case, probe: string): void => {
  unsee(lab, probe, 'world');
  lab.evidence.seen = lab.evidence.seen.filter((sight) => sight.probe !== probe || sight.device !== 'enp1s0');
  const sight = {
    way: 'in',
    what: 'syn',
    source: '172.18.0.12',
    sourcePort: 4,
    target: '172.18.0.11',
    targetPort: 80,
  } as const;
  lab.evidence.seen.push({ probe, in: 'ct1', device: 'eth0', count: 1, ...sight });
};

/** Loses a path in the copies under one condition only. */
const loseUnder = (lab: Case, policy: 'accept' | 'drop', probe: string): void =>
  lab.evidence.copies
    .filter(({ condition }) => condition.forwardPolicy === policy && condition.bridgeNf === '1')
    .forEach(({ results }) => (results[probe] = { ok: false, stage: 'connect', error: 'no answer', ms: 700 }));

/** One fault each: the check that must fail of it, what is done to a right case, and what the learner must be told. */
const faults: [id: string, name: string, damage: (lab: Case) => void, told?: RegExp][] = [
  ['namespaces.ct1', 'no such namespace', (lab) => dropNetns(lab, 'ct1'), /none of that name/],
  [
    'namespaces.ct1',
    'a plain file',
    (lab) => Object.assign(lab.facts.namespaces[0] ?? {}, { real: false }),
    /plain file/,
  ],
  [
    'namespaces.ct1',
    "the host's own",
    (lab) => Object.assign(lab.facts.namespaces[0] ?? {}, { inode: lab.facts.host.inode }),
    /own namespace/,
  ],
  [
    'namespaces.ct2',
    'the same as ct1',
    (lab) => Object.assign(lab.facts.namespaces[1] ?? {}, { inode: lab.facts.namespaces[0]?.inode }),
    /same one/,
  ],
  ['bridge.exists', 'another name', (lab) => (link(lab.facts.here.links, 'br0').name = 'br1'), /bridge br1; the plan/],
  ['bridge.exists', 'another kind', (lab) => (link(lab.facts.here.links, 'br0').kind = 'dummy'), /kind dummy/],
  ['bridge.address', 'no address', (lab) => (link(lab.facts.here.links, 'br0').addresses = []), /none/],
  [
    'bridge.address',
    'prefix /32',
    (lab) => link(lab.facts.here.links, 'br0').addresses.forEach((one) => (one.prefix = 32)),
    /prefix is not/,
  ],
  ['bridge.up', 'down', (lab) => (link(lab.facts.here.links, 'br0').up = false), /down until/],
  ['bridge.uplink', 'enslaved', (lab) => (link(lab.facts.here.links, 'enp1s0').master = 'br0'), /cut off/],
  [
    'veth.ct1',
    'gone',
    (lab) => (net(lab, 'ct1').links = net(lab, 'ct1').links.filter(({ loopback }) => loopback)),
    /nothing but lo/,
  ],
  [
    'veth.ct2',
    'peer elsewhere',
    (lab) => lab.facts.here.ids.forEach((id) => (id.name = 'keep')),
    /not on the lab host/,
  ],
  [
    'veth.ct1',
    'a look-alike with the right names only',
    (lab) => lab.facts.here.links.forEach((one) => (one.kind === 'veth' ? (one.peer = { index: 99, nsid: 0 }) : 0)),
  ],
  [
    'veth.ct1-port',
    'no master',
    (lab) => lab.facts.here.links.forEach((one) => (one.master = null)),
    /ends in no switch/,
  ],
  ['veth.ct2-port', 'host end down', (lab) => (link(lab.facts.here.links, 'veth-ct2').up = false), /carrier/],
  [
    'addressing.ct1-link',
    'not renamed',
    (lab) => (link(net(lab, 'ct1').links, 'eth0').name = 'veth-ct1-ns'),
    /must become eth0/,
  ],
  ['addressing.ct1-link', 'lo down', (lab) => (link(net(lab, 'ct1').links, 'lo').up = false), /lo is down/],
  ['addressing.ct2-link', 'eth0 down', (lab) => (link(net(lab, 'ct2').links, 'eth0').up = false), /eth0 is down/],
  [
    'addressing.ct1-address',
    'prefix /32',
    (lab) => link(net(lab, 'ct1').links, 'eth0').addresses.forEach((one) => (one.prefix = 32)),
    /\/32/,
  ],
  [
    'addressing.ct2-address',
    'another address',
    (lab) => link(net(lab, 'ct2').links, 'eth0').addresses.forEach((one) => (one.address = '172.18.0.99')),
  ],
  ['addressing.ct1-route', 'no default route', (lab) => (net(lab, 'ct1').routes = []), /only its own subnet/],
  [
    'addressing.ct2-route',
    'itself as gateway',
    (lab) => net(lab, 'ct2').routes.forEach((one) => (one.gateway = '172.18.0.12')),
    /own gateway/,
  ],
  ['connectivity.ct1-gateway', 'no answer', (lab) => lose(lab, 'ct1>gateway')],
  ['connectivity.ct2-gateway', 'no answer', (lab) => lose(lab, 'ct2>gateway')],
  ['connectivity.ct1-ct2', 'no answer', (lab) => lose(lab, 'ct1>ct2')],
  ['connectivity.ct2-ct1', 'somebody else answers', (lab) => unsee(lab, 'ct2>ct1', 'ct1'), /not by ct1/],
  ['egress.ct1', 'ping lost', (lab) => lose(lab, 'ct1>internet')],
  ['egress.ct2', 'port 80 lost', (lab) => lose(lab, 'ct2>site'), /port 80: no answer/],
  [
    'egress.ct1',
    'a server of the lab host answers',
    (lab) => unsee(lab, 'ct1>site', 'world'),
    /in place of the internet/,
  ],
  [
    'egress.masquerade',
    'no translation',
    (lab) => lab.evidence.seen.forEach((one) => (one.source = one.in === 'world' ? '172.18.0.11' : one.source)),
    /no way back/,
  ],
  ['dns.ct1', 'not found', (lab) => lose(lab, 'ct1 lookup', { error: 'the name was not found' })],
  [
    'dns.ct2',
    'a made-up answer',
    (lab) => Object.assign(lab.evidence.results['ct2 lookup'] ?? {}, { answers: ['10.0.0.1'] }),
    /makes the answer up/,
  ],
  ['dns.ct1', 'the world was not asked', (lab) => unsee(lab, 'ct1 lookup', 'world'), /makes the answer up/],
  ['dns.ct1', 'answered over a socket file', (lab) => unsee(lab, 'ct1 lookup', 'ct1'), /sent nothing/],
  ['dns.https', 'refused', (lab) => lose(lab, 'ct1 https')],
  [
    'dns.host-unchanged',
    'written',
    (lab) =>
      lab.facts.files.forEach(
        (file) => (file.sha256 = file.path === '/etc/resolv.conf' ? '0'.repeat(64) : file.sha256),
      ),
    /through the symlink/,
  ],
  [
    'dns.host-unchanged',
    'an entry in hosts',
    (lab) =>
      lab.facts.files.forEach((file) => (file.sha256 = file.path === '/etc/hosts' ? '0'.repeat(64) : file.sha256)),
    /\/etc\/hosts/,
  ],
  ['dns.host-works', 'broken', (lab) => lose(lab, 'host lookup')],
  [
    'publish.server',
    'nobody listens',
    (lab) => (lose(lab, 'host>server'), unanswer(lab, 'host>server'), (net(lab, 'ct1').sockets = [])),
    /Nothing listens/,
  ],
  [
    'publish.server',
    'on loopback only',
    (lab) => {
      lose(lab, 'host>server');
      unanswer(lab, 'host>server');
      for (const one of net(lab, 'ct1').sockets) one.address = '127.0.0.1';
    },
    /127.0.0.1 only/,
  ],
  ['publish.outside', 'no answer', (lab) => lose(lab, 'outside>uplink')],
  ['publish.outside', 'answered elsewhere', (lab) => unsee(lab, 'outside>uplink', 'ct1'), /nothing arrived in ct1/],
  ['publish.host-address', 'no answer', (lab) => lose(lab, 'host>uplink')],
  ['publish.loopback', 'no answer', (lab) => lose(lab, 'host>loopback')],
  ['publish.transit', 'hijacked', (lab) => hijack(lab, 'ct2>site:port'), /whatever its destination/],
  ['publish.outgoing', 'hijacked', (lab) => hijack(lab, 'host>site:port'), /whatever its destination/],
  [
    'publish.outgoing',
    'lost',
    (lab) => {
      unsee(lab, 'host>site:port', 'world');
      lose(lab, 'host>site:port');
    },
    /something takes port 8080/,
  ],
  [
    'connectivity.conditions',
    'lost under DROP',
    (lab) => loseUnder(lab, 'drop', 'ct1>ct2'),
    /FORWARD also judges what passes/,
  ],
  ['egress.conditions', 'lost under DROP', (lab) => loseUnder(lab, 'drop', 'ct2>site'), /accept a part of what passes/],
  ['dns.conditions', 'lost under DROP', (lab) => loseUnder(lab, 'drop', 'ct1 lookup'), /questions to port 53/],
  ['publish.conditions', 'lost under DROP', (lab) => loseUnder(lab, 'drop', 'outside>uplink'), /No rule of FORWARD/],
  ['publish.conditions', 'lost with bridge-nf 1', (lab) => loseUnder(lab, 'accept', 'host>uplink')],
];

test('Every check of the build passes on what our own build makes', () => {
  const bad = runChecks(learned, readCase('right')).filter(({ verdict }) => verdict !== 'pass');
  assert.deepEqual(bad, []);
});

test("What a doubled MAC address brings to ct1, and is not for ct1's address, is no hijack", () => {
  const lab = readCase('right');
  const sight = lab.evidence.seen.find(({ probe, what }) => probe === 'ct2>site:port' && what === 'request');
  assert.ok(sight);
  const { address } = lab.plan.ct2;
  lab.evidence.seen.push({ ...sight, in: lab.plan.ct1.name, device: 'eth0', way: 'in', target: address });
  assert.equal(judged(lab, 'publish.transit')?.verdict, 'pass');
});

test('A request that arrives at the other host is enough, where a translated source port hides its SYN', () => {
  const lab = readCase('right');
  lab.evidence.seen = lab.evidence.seen.filter(({ what }) => !['syn', 'rst'].includes(what));
  for (const id of ['publish.transit', 'publish.outgoing']) assert.equal(judged(lab, id)?.verdict, 'pass', id);
});

test('A RST that passes by the translation says nothing of where a conversation comes from', () => {
  const lab = readCase('right');
  const sight = lab.evidence.seen.find(
    ({ probe, what, in: where }) => probe === 'ct1>site' && what === 'syn' && where === 'world',
  );
  assert.ok(sight);
  lab.evidence.seen.push({ ...sight, what: 'rst', source: lab.plan.ct1.address });
  assert.equal(judged(lab, 'egress.masquerade')?.verdict, 'pass');
});

for (const [id, name, damage, told] of faults) {
  test(`${id} fails: ${name}`, () => {
    const lab = readCase('right');
    damage(lab);
    const outcome = judged(lab, id);
    assert.equal(outcome?.verdict, 'fail', JSON.stringify(outcome));
    if (told) assert.match([outcome.actual, ...outcome.evidence, outcome.hint?.wrong].join('\n'), told);
  });
}

/** Faults of cleanup, done to a lab host that was left as it was found. */
const leftovers: [id: string, name: string, damage: (lab: Case) => void, told?: RegExp][] = [
  ['cleanup.begun', 'nothing was ever there', (lab) => (lab.record = emptyRecord()), /nothing of yours was ever seen/],
  [
    'cleanup.namespaces',
    'a namespace',
    (lab) => lab.facts.namespaces.push({ name: 'ct1', inode: 5, real: true, net: null }),
    /yours: namespace ct1/,
  ],
  [
    'cleanup.links',
    'a bridge',
    (lab) => lab.facts.here.links.push({ ...link(lab.facts.here.links, 'br-keep'), name: 'br7' }),
    /unknown: link br7/,
  ],
  [
    'cleanup.rules',
    'a rule',
    (lab) => lab.facts.here.iptables[0]?.chains[0]?.rules.push('-i br0 -j ACCEPT'),
    /yours: .*-i br0/,
  ],
  [
    'cleanup.rules',
    'a policy',
    (lab) => Object.assign(lab.facts.here.iptables[0]?.chains[0] ?? {}, { policy: 'DROP' }),
    /-P \w+ DROP/,
  ],
  [
    'cleanup.sysctls',
    'forwarding',
    (lab) => (lab.facts.here.sysctls['net/ipv4/ip_forward'] = '1'),
    /It was .*= 0 before/,
  ],
  [
    'cleanup.files',
    'a file',
    (lab) =>
      lab.facts.files.push({
        path: '/etc/netns/ct1/resolv.conf',
        kind: 'file',
        target: null,
        real: null,
        sha256: null,
        text: null,
      }),
    /yours: \/etc\/netns/,
  ],
  [
    'cleanup.processes',
    'a process',
    (lab) => lab.facts.processes.push({ pid: 7, inode: 5, netns: null, command: 'python3 -m http.server 80' }),
    /without a name/,
  ],
  [
    'cleanup.processes',
    'a listener',
    (lab) => lab.facts.here.sockets.push({ protocol: 'tcp', address: '0.0.0.0', port: 8080, program: 'socat', pid: 9 }),
    /yours: socat/,
  ],
  [
    'cleanup.kept',
    "somebody's rules flushed",
    (lab) => lab.facts.here.iptables.forEach((table) => table.chains.forEach((chain) => (chain.rules = []))),
    /Flushing/,
  ],
  ['cleanup.kept', "somebody's namespace", (lab) => dropNetns(lab, 'keep'), /not yours: namespace keep/],
];

test('Every check of cleanup passes on a lab host as it was found, when something had been built', () => {
  const bad = runChecks(selectWithNeeds(gradedChapters, new Set(['cleanup'])), readCase('empty')).filter(
    ({ verdict }) => verdict !== 'pass',
  );
  assert.deepEqual(bad, []);
});

for (const [id, name, damage, told] of leftovers) {
  test(`${id} fails: ${name}`, () => {
    const lab = readCase('empty');
    damage(lab);
    const outcome = judged(lab, id);
    assert.equal(outcome?.verdict, 'fail', JSON.stringify(outcome));
    if (told) assert.match([outcome.actual, ...outcome.evidence, outcome.hint?.wrong].join('\n'), told);
  });
}

test('Every check has a fault that it catches', () => {
  const caught = new Set<string>([...faults, ...leftovers].map(([id]) => id));
  // Or it has a test of its own, in its chapter's folder.
  for (const file of globSync('*/*.test.ts', { cwd: import.meta.dirname })) {
    const text = readFileSync(join(import.meta.dirname, file), 'utf8');
    for (const { id } of checks) if (text.includes(`'${id}'`)) caught.add(id);
  }
  assert.deepEqual(
    [...learned, ...selectWithNeeds(gradedChapters, new Set(['cleanup']))]
      .map(({ id }) => id)
      .filter((id) => !caught.has(id)),
    [],
  );
});

test('An untouched lab host passes nothing', () => {
  const lab = readCase('empty');
  lab.record = emptyRecord();
  assert.deepEqual(
    runChecks(checks, lab).filter(({ verdict }) => verdict === 'pass' || verdict === 'error'),
    [],
  );
});

test("The seed's steps fail where they are wrong, with the cause", () => {
  const lab = readCase('seed');
  const failed = explainFailures(runChecks(learned, lab), lab).filter(({ verdict }) => verdict !== 'pass');
  assert.deepEqual(
    failed.map(({ check }) => check.id),
    [
      'connectivity.conditions',
      'dns.host-unchanged',
      'publish.host-address',
      'publish.loopback',
      'publish.transit',
      'publish.conditions',
    ],
  );
  assert.match(failed[3]?.hint?.wrong ?? '', /PREROUTING never sees locally generated packets/);
});

test('A check whose source gave no answer is in error, and so is what needs it; nobody is blamed', () => {
  const lab = readCase('empty');
  lab.facts.problems = [{ source: 'root nft', what: 'exit 1' }];
  assert.equal(judged(lab, 'cleanup.rules')?.verdict, 'error');
  assert.equal(judged(lab, 'cleanup.links')?.verdict, 'pass');
  const blind = readCase('right');
  lose(blind, 'world>site');
  assert.equal(judged(blind, 'egress.ct1')?.verdict, 'error');
  assert.equal(judged(blind, 'dns.https')?.verdict, 'error');
});

test('What a capture that lost packets did not see proves nothing', () => {
  const lab = readCase('right');
  unsee(lab, 'outside>uplink', 'ct1');
  lab.evidence.drops = { ...lab.evidence.drops, ct1: 3 };
  assert.equal(judged(lab, 'publish.outside')?.verdict, 'error');
  for (const [probe, id] of [
    ['ct1>site', 'egress.ct1'],
    ['ct2 lookup', 'dns.ct2'],
    ['host lookup', 'dns.host-works'],
    ['ct1 https', 'dns.https'],
  ] as const) {
    const late = readCase('right');
    unsee(late, probe, 'world');
    assert.equal(judged(late, id)?.verdict, 'fail', id);
    late.evidence.over = true;
    assert.equal(judged(late, id)?.verdict, 'error', id);
  }
});

test('What was not answered while the lab host stood still proves nothing; a refusal does, and an answer', () => {
  const lab = readCase('right');
  lab.evidence.lost = 12_000;
  lose(lab, 'ct1>ct2');
  lose(lab, 'host>server', { error: 'Connection refused' });
  assert.equal(judged(lab, 'connectivity.ct1-ct2')?.verdict, 'error');
  assert.equal(judged(lab, 'connectivity.ct2-ct1')?.verdict, 'pass');
  assert.equal(judged(lab, 'publish.server')?.verdict, 'fail');
  lab.evidence.lost = 11_999;
  assert.equal(judged(lab, 'connectivity.ct1-ct2')?.verdict, 'fail');
});

test('A check that throws is our error', () => {
  const lab = readCase('right');
  delete lab.evidence.results['ct1>gateway'];
  const outcome = judged(lab, 'connectivity.ct1-gateway');
  assert.equal(outcome?.verdict, 'error');
  assert.match(outcome.because ?? '', /does not declare/);
});

test('Ids are unique, and a check comes after those that it needs', () => {
  const before = new Set<string>();
  for (const { id, chapter, needs, passNeeds, probes: wanted } of checks) {
    assert.ok(id.startsWith(`${chapter}.`) && !before.has(id));
    for (const need of [...needs, ...(passNeeds ?? [])]) assert.ok(before.has(need), `${id} needs ${need}`);
    for (const probe of wanted) assert.ok(probe in probes);
    before.add(id);
  }
});

test('Each check reads only the probes that it declares', () => {
  for (const check of learned) {
    const lab = readCase('right');
    const declared: readonly string[] = check.probes;
    lab.evidence.results = Object.fromEntries(
      Object.entries(lab.evidence.results).filter(([probe]) => declared.includes(probe)),
    );
    assert.equal(check.judge(lab).verdict, 'pass', check.id);
  }
});
