import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { explained } from '../diagnosis/diagnose.ts';
import { probes } from '../evidence/probes.ts';
import type { Net } from '../facts/facts.ts';
import type { Link } from '../facts/iproute.ts';
import { type Outcome, runChecks } from '../judge/run.ts';
import type { Case, ChapterChecks } from '../queries/check.ts';
import { linkOf } from '../queries/links.ts';
import { emptyRecord } from '../record.ts';
import { caseOf, network } from '../testing/fixtures.ts';
import { checks, closureOf } from './registry.ts';

const learned = checks.filter(({ chapter }) => network.includes(chapter));
const judged = (the: Case, id: string): Outcome | undefined =>
  explained(runChecks(checks, the), the).find(({ check }) => check.id === id);

const net = (the: Case, name: string): Net => the.facts.namespaces.find((ns) => ns.name === name)?.net as Net;
const link = (links: Link[], name: string): Link => linkOf(links, name) as Link;
const dropNetns = (the: Case, name: string): void => {
  the.facts.namespaces = the.facts.namespaces.filter((ns) => ns.name !== name);
};
const lose = (the: Case, probe: string, more: object = {}): void => {
  the.evidence.results[probe] = { ok: false, stage: 'connect', error: 'no answer', ms: 1200, ...more };
};
const unsee = (the: Case, probe: string, where: string): void => {
  the.evidence.seen = the.evidence.seen.filter((sight) => sight.probe !== probe || sight.in !== where);
};
/** Nothing of an answer was seen. */
const unanswer = (the: Case, probe: string): void => {
  the.evidence.seen = the.evidence.seen.filter(
    (sight) => sight.probe !== probe || !['syn-ack', 'reply'].includes(sight.what),
  );
};
const hijack = (the: Case, probe: string): void => {
  unsee(the, probe, 'world');
  the.evidence.seen = the.evidence.seen.filter((sight) => sight.probe !== probe || sight.device !== 'enp1s0');
  const sight = {
    way: 'in',
    what: 'syn',
    source: '172.18.0.12',
    sourcePort: 4,
    target: '172.18.0.11',
    targetPort: 80,
  } as const;
  the.evidence.seen.push({ probe, in: 'ct1', device: 'eth0', count: 1, ...sight });
};

/** Loses a path in the copies under one condition only. */
const loseUnder = (the: Case, policy: 'accept' | 'drop', probe: string): void =>
  the.evidence.copies
    .filter(({ condition }) => condition.forwardPolicy === policy && condition.bridgeNf === '1')
    .forEach(({ results }) => (results[probe] = { ok: false, stage: 'connect', error: 'no answer', ms: 700 }));

/** One fault each: the check that must fail of it, what is done to a right case, and what the learner must be told. */
const faults: [id: string, name: string, damage: (the: Case) => void, told?: RegExp][] = [
  ['namespaces.ct1', 'no such namespace', (the) => dropNetns(the, 'ct1'), /none of that name/],
  [
    'namespaces.ct1',
    'a plain file',
    (the) => Object.assign(the.facts.namespaces[0] ?? {}, { real: false }),
    /plain file/,
  ],
  [
    'namespaces.ct1',
    "the host's own",
    (the) => Object.assign(the.facts.namespaces[0] ?? {}, { inode: the.facts.host.inode }),
    /own namespace/,
  ],
  [
    'namespaces.ct2',
    'the same as ct1',
    (the) => Object.assign(the.facts.namespaces[1] ?? {}, { inode: the.facts.namespaces[0]?.inode }),
    /same one/,
  ],
  ['bridge.exists', 'another name', (the) => (link(the.facts.here.links, 'br0').name = 'br1'), /bridge br1; the plan/],
  ['bridge.exists', 'another kind', (the) => (link(the.facts.here.links, 'br0').kind = 'dummy'), /kind dummy/],
  ['bridge.address', 'no address', (the) => (link(the.facts.here.links, 'br0').addresses = []), /none/],
  [
    'bridge.address',
    'prefix /32',
    (the) => link(the.facts.here.links, 'br0').addresses.forEach((one) => (one.prefix = 32)),
    /prefix is not/,
  ],
  ['bridge.up', 'down', (the) => (link(the.facts.here.links, 'br0').up = false), /down until/],
  ['bridge.uplink', 'enslaved', (the) => (link(the.facts.here.links, 'enp1s0').master = 'br0'), /cut off/],
  [
    'veth.ct1',
    'gone',
    (the) => (net(the, 'ct1').links = net(the, 'ct1').links.filter(({ loopback }) => loopback)),
    /nothing but lo/,
  ],
  [
    'veth.ct2',
    'peer elsewhere',
    (the) => the.facts.here.ids.forEach((id) => (id.name = 'keep')),
    /not on the lab host/,
  ],
  [
    'veth.ct1',
    'a look-alike with the right names only',
    (the) => the.facts.here.links.forEach((one) => (one.kind === 'veth' ? (one.peer = { index: 99, nsid: 0 }) : 0)),
  ],
  [
    'veth.ct1-port',
    'no master',
    (the) => the.facts.here.links.forEach((one) => (one.master = null)),
    /ends in no switch/,
  ],
  ['veth.ct2-port', 'host end down', (the) => (link(the.facts.here.links, 'veth-ct2').up = false), /carrier/],
  [
    'addressing.ct1-link',
    'not renamed',
    (the) => (link(net(the, 'ct1').links, 'eth0').name = 'veth-ct1-ns'),
    /must become eth0/,
  ],
  ['addressing.ct1-link', 'lo down', (the) => (link(net(the, 'ct1').links, 'lo').up = false), /lo is down/],
  ['addressing.ct2-link', 'eth0 down', (the) => (link(net(the, 'ct2').links, 'eth0').up = false), /eth0 is down/],
  [
    'addressing.ct1-address',
    'prefix /32',
    (the) => link(net(the, 'ct1').links, 'eth0').addresses.forEach((one) => (one.prefix = 32)),
    /\/32/,
  ],
  [
    'addressing.ct2-address',
    'another address',
    (the) => link(net(the, 'ct2').links, 'eth0').addresses.forEach((one) => (one.address = '172.18.0.99')),
  ],
  ['addressing.ct1-route', 'no default route', (the) => (net(the, 'ct1').routes = []), /only its own subnet/],
  [
    'addressing.ct2-route',
    'itself as gateway',
    (the) => net(the, 'ct2').routes.forEach((one) => (one.gateway = '172.18.0.12')),
    /own gateway/,
  ],
  ['connectivity.ct1-gateway', 'no answer', (the) => lose(the, 'ct1>gateway')],
  ['connectivity.ct2-gateway', 'no answer', (the) => lose(the, 'ct2>gateway')],
  ['connectivity.ct1-ct2', 'no answer', (the) => lose(the, 'ct1>ct2')],
  ['connectivity.ct2-ct1', 'somebody else answers', (the) => unsee(the, 'ct2>ct1', 'ct1'), /not by ct1/],
  ['egress.ct1', 'ping lost', (the) => lose(the, 'ct1>internet')],
  ['egress.ct2', 'port 80 lost', (the) => lose(the, 'ct2>site'), /port 80: no answer/],
  [
    'egress.ct1',
    'a server of the lab host answers',
    (the) => unsee(the, 'ct1>site', 'world'),
    /in place of the internet/,
  ],
  [
    'egress.masquerade',
    'no translation',
    (the) => the.evidence.seen.forEach((one) => (one.source = one.in === 'world' ? '172.18.0.11' : one.source)),
    /no way back/,
  ],
  ['dns.ct1', 'not found', (the) => lose(the, 'ct1 lookup', { error: 'the name was not found' })],
  [
    'dns.ct2',
    'a made-up answer',
    (the) => Object.assign(the.evidence.results['ct2 lookup'] ?? {}, { answers: ['10.0.0.1'] }),
    /makes the answer up/,
  ],
  ['dns.ct1', 'the world was not asked', (the) => unsee(the, 'ct1 lookup', 'world'), /makes the answer up/],
  ['dns.ct1', 'answered over a socket file', (the) => unsee(the, 'ct1 lookup', 'ct1'), /sent nothing/],
  ['dns.https', 'refused', (the) => lose(the, 'ct1 https')],
  [
    'dns.host-unchanged',
    'written',
    (the) =>
      the.facts.files.forEach(
        (file) => (file.sha256 = file.path === '/etc/resolv.conf' ? '0'.repeat(64) : file.sha256),
      ),
    /through the symlink/,
  ],
  [
    'dns.host-unchanged',
    'an entry in hosts',
    (the) =>
      the.facts.files.forEach((file) => (file.sha256 = file.path === '/etc/hosts' ? '0'.repeat(64) : file.sha256)),
    /\/etc\/hosts/,
  ],
  ['dns.host-works', 'broken', (the) => lose(the, 'host lookup')],
  [
    'publish.server',
    'nobody listens',
    (the) => (lose(the, 'host>server'), unanswer(the, 'host>server'), (net(the, 'ct1').sockets = [])),
    /Nothing listens/,
  ],
  [
    'publish.server',
    'on loopback only',
    (the) => {
      lose(the, 'host>server');
      unanswer(the, 'host>server');
      for (const one of net(the, 'ct1').sockets) one.address = '127.0.0.1';
    },
    /127.0.0.1 only/,
  ],
  ['publish.outside', 'no answer', (the) => lose(the, 'outside>uplink')],
  ['publish.outside', 'answered elsewhere', (the) => unsee(the, 'outside>uplink', 'ct1'), /nothing arrived in ct1/],
  ['publish.host-address', 'no answer', (the) => lose(the, 'host>uplink')],
  ['publish.loopback', 'no answer', (the) => lose(the, 'host>loopback')],
  ['publish.transit', 'hijacked', (the) => hijack(the, 'ct2>site:port'), /whatever its destination/],
  ['publish.outgoing', 'hijacked', (the) => hijack(the, 'host>site:port'), /whatever its destination/],
  [
    'publish.outgoing',
    'lost',
    (the) => {
      unsee(the, 'host>site:port', 'world');
      lose(the, 'host>site:port');
    },
    /something takes port 8080/,
  ],
  [
    'connectivity.conditions',
    'lost under DROP',
    (the) => loseUnder(the, 'drop', 'ct1>ct2'),
    /FORWARD also judges what passes/,
  ],
  ['egress.conditions', 'lost under DROP', (the) => loseUnder(the, 'drop', 'ct2>site'), /accept a part of what passes/],
  ['dns.conditions', 'lost under DROP', (the) => loseUnder(the, 'drop', 'ct1 lookup'), /questions to port 53/],
  ['publish.conditions', 'lost under DROP', (the) => loseUnder(the, 'drop', 'outside>uplink'), /No rule of FORWARD/],
  ['publish.conditions', 'lost with bridge-nf 1', (the) => loseUnder(the, 'accept', 'host>uplink')],
];

test('Every check of the build passes on what our own build makes', () => {
  const bad = runChecks(learned, caseOf('right')).filter(({ verdict }) => verdict !== 'pass');
  assert.deepEqual(bad, []);
});

test("What a doubled MAC address brings to ct1, and is not for ct1's address, is no hijack", () => {
  const the = caseOf('right');
  const sight = the.evidence.seen.find(({ probe, what }) => probe === 'ct2>site:port' && what === 'request');
  assert.ok(sight);
  const { address } = the.plan.ct2;
  the.evidence.seen.push({ ...sight, in: the.plan.ct1.name, device: 'eth0', way: 'in', target: address });
  assert.equal(judged(the, 'publish.transit')?.verdict, 'pass');
});

test('A request that arrives at the other host is enough, where a translated source port hides its SYN', () => {
  const the = caseOf('right');
  the.evidence.seen = the.evidence.seen.filter(({ what }) => !['syn', 'rst'].includes(what));
  for (const id of ['publish.transit', 'publish.outgoing']) assert.equal(judged(the, id)?.verdict, 'pass', id);
});

test('A RST that passes by the translation says nothing of where a conversation comes from', () => {
  const the = caseOf('right');
  const sight = the.evidence.seen.find(
    ({ probe, what, in: where }) => probe === 'ct1>site' && what === 'syn' && where === 'world',
  );
  assert.ok(sight);
  the.evidence.seen.push({ ...sight, what: 'rst', source: the.plan.ct1.address });
  assert.equal(judged(the, 'egress.masquerade')?.verdict, 'pass');
});

for (const [id, name, damage, told] of faults) {
  test(`${id} fails: ${name}`, () => {
    const the = caseOf('right');
    damage(the);
    const outcome = judged(the, id);
    assert.equal(outcome?.verdict, 'fail', JSON.stringify(outcome));
    if (told) assert.match([outcome.actual, ...outcome.evidence, outcome.hint?.wrong].join('\n'), told);
  });
}

/** Faults of cleanup, done to a lab host that was left as it was found. */
const leftovers: [id: string, name: string, damage: (the: Case) => void, told?: RegExp][] = [
  ['cleanup.begun', 'nothing was ever there', (the) => (the.record = emptyRecord()), /nothing of yours was ever seen/],
  [
    'cleanup.namespaces',
    'a namespace',
    (the) => the.facts.namespaces.push({ name: 'ct1', inode: 5, real: true, net: null }),
    /yours: namespace ct1/,
  ],
  [
    'cleanup.links',
    'a bridge',
    (the) => the.facts.here.links.push({ ...link(the.facts.here.links, 'br-keep'), name: 'br7' }),
    /unknown: link br7/,
  ],
  [
    'cleanup.rules',
    'a rule',
    (the) => the.facts.here.iptables[0]?.chains[0]?.rules.push('-i br0 -j ACCEPT'),
    /yours: .*-i br0/,
  ],
  [
    'cleanup.rules',
    'a policy',
    (the) => Object.assign(the.facts.here.iptables[0]?.chains[0] ?? {}, { policy: 'DROP' }),
    /-P \w+ DROP/,
  ],
  [
    'cleanup.sysctls',
    'forwarding',
    (the) => (the.facts.here.sysctls['net/ipv4/ip_forward'] = '1'),
    /It was .*= 0 before/,
  ],
  [
    'cleanup.files',
    'a file',
    (the) =>
      the.facts.files.push({
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
    (the) => the.facts.processes.push({ pid: 7, inode: 5, netns: null, command: 'python3 -m http.server 80' }),
    /without a name/,
  ],
  [
    'cleanup.processes',
    'a listener',
    (the) => the.facts.here.sockets.push({ protocol: 'tcp', address: '0.0.0.0', port: 8080, program: 'socat', pid: 9 }),
    /yours: socat/,
  ],
  [
    'cleanup.kept',
    "somebody's rules flushed",
    (the) => the.facts.here.iptables.forEach((table) => table.chains.forEach((chain) => (chain.rules = []))),
    /Flushing/,
  ],
  ['cleanup.kept', "somebody's namespace", (the) => dropNetns(the, 'keep'), /not yours: namespace keep/],
];

test('Every check of cleanup passes on a lab host as it was found, when something had been built', () => {
  const bad = runChecks(closureOf(new Set(['cleanup'])), caseOf('empty')).filter(({ verdict }) => verdict !== 'pass');
  assert.deepEqual(bad, []);
});

for (const [id, name, damage, told] of leftovers) {
  test(`${id} fails: ${name}`, () => {
    const the = caseOf('empty');
    damage(the);
    const outcome = judged(the, id);
    assert.equal(outcome?.verdict, 'fail', JSON.stringify(outcome));
    if (told) assert.match([outcome.actual, ...outcome.evidence, outcome.hint?.wrong].join('\n'), told);
  });
}

test('Every check has a fault that it catches', () => {
  const caught = new Set([...faults, ...leftovers].map(([id]) => id));
  assert.deepEqual(
    [...learned, ...closureOf(new Set(['cleanup']))].map(({ id }) => id).filter((id) => !caught.has(id)),
    [],
  );
});

test('An untouched lab host passes nothing', () => {
  const the = caseOf('empty');
  the.record = emptyRecord();
  assert.deepEqual(
    runChecks(checks, the).filter(({ verdict }) => verdict === 'pass' || verdict === 'error'),
    [],
  );
});

test("The seed's steps fail where they are wrong, with the cause", () => {
  const the = caseOf('seed');
  const failed = explained(runChecks(learned, the), the).filter(({ verdict }) => verdict !== 'pass');
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
  const the = caseOf('empty');
  the.facts.problems = [{ source: 'root nft', what: 'exit 1' }];
  assert.equal(judged(the, 'cleanup.rules')?.verdict, 'error');
  assert.equal(judged(the, 'cleanup.links')?.verdict, 'pass');
  const blind = caseOf('right');
  lose(blind, 'world>site');
  assert.equal(judged(blind, 'egress.ct1')?.verdict, 'error');
  assert.equal(judged(blind, 'dns.https')?.verdict, 'error');
});

test('What a capture that lost packets did not see proves nothing', () => {
  const the = caseOf('right');
  unsee(the, 'outside>uplink', 'ct1');
  the.evidence.drops = { ...the.evidence.drops, ct1: 3 };
  assert.equal(judged(the, 'publish.outside')?.verdict, 'error');
});

test('What was not answered while the lab host stood still proves nothing; a refusal does, and an answer', () => {
  const the = caseOf('right');
  the.evidence.lost = 12_000;
  lose(the, 'ct1>ct2');
  lose(the, 'host>server', { error: 'Connection refused' });
  assert.equal(judged(the, 'connectivity.ct1-ct2')?.verdict, 'error');
  assert.equal(judged(the, 'connectivity.ct2-ct1')?.verdict, 'pass');
  assert.equal(judged(the, 'publish.server')?.verdict, 'fail');
  the.evidence.lost = 11_999;
  assert.equal(judged(the, 'connectivity.ct1-ct2')?.verdict, 'fail');
});

test('A check that throws is our error', () => {
  const the = caseOf('right');
  delete the.evidence.results['ct1>gateway'];
  const outcome = judged(the, 'connectivity.ct1-gateway');
  assert.equal(outcome?.verdict, 'error');
  assert.match(outcome.because ?? '', /does not declare/);
});

test('The registry lists every check file, ids are unique, and a check comes after those that it needs', async () => {
  const parts = new Set(['registry']);
  const files = readdirSync(import.meta.dirname).filter((name) => !name.includes('.test.'));
  for (const name of files.map((file) => file.replace('.ts', '')).filter((file) => !parts.has(file))) {
    const module = (await import(`./${name}.ts`)) as Record<string, unknown>;
    const { checks: own } = module[name] as ChapterChecks;
    assert.ok(own.length > 0 && own.every((check) => checks.includes(check)), `${name} is not listed`);
  }
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
    const the = caseOf('right');
    const declared: readonly string[] = check.probes;
    the.evidence.results = Object.fromEntries(
      Object.entries(the.evidence.results).filter(([probe]) => declared.includes(probe)),
    );
    assert.equal(check.judge(the).verdict, 'pass', check.id);
  }
});
