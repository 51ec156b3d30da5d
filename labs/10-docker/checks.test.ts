import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runChecks } from '../../checker/judge/run.ts';
import type { Case } from '../../checker/queries/check.ts';
import { dockerCase, dockers } from '../../checker/testing/docker.ts';
import { readCase, checks as all } from '../../checker/testing/fixtures.ts';

const checks = all.filter(({ chapter }) => chapter === 'docker');

const verdicts = (lab: Case): Record<string, string> =>
  Object.fromEntries(runChecks(checks, lab).map(({ check, verdict }) => [check.id.slice('docker.'.length), verdict]));

const judged = (lab: Case, id: string) => runChecks(checks, lab).find(({ check }) => check.id === `docker.${id}`);

const netOf = ({ facts }: Case) => {
  const net = facts.namespaces.find(({ name }) => name === 'docker')?.net;
  assert.ok(net);
  return net;
};

for (const version of dockers) {
  test(`A Docker ${version} that publishes the port passes`, () => {
    assert.deepEqual(verdicts(dockerCase(version)), { daemon: 'pass', container: 'pass', published: 'pass' });
    assert.match(
      judged(dockerCase(version), 'published')?.actual ?? '',
      /by 172\.17\.0\.\d+:80, asked by 192\.0\.2\.1/,
    );
  });
}

/** One fault each: the check that must fail of it, and what the learner is told. */
const faults: [id: string, what: string, damage: (lab: Case) => void, told: RegExp][] = [
  [
    'daemon',
    'no namespace for it',
    ({ facts }) => (facts.namespaces = facts.namespaces.filter(({ name }) => name !== 'docker')),
    /there is no network namespace docker/,
  ],
  [
    'daemon',
    'no daemon in it',
    ({ facts }) => (facts.processes = facts.processes.filter(({ command }) => !command.startsWith('dockerd'))),
    /no dockerd runs/,
  ],
  [
    'daemon',
    'a daemon in another one',
    ({ facts }) => facts.processes.forEach((one) => (one.netns = one.netns === 'docker' ? 'ct2' : one.netns)),
    /one runs in ct2/,
  ],
  [
    'daemon',
    "a daemon in the lab host's own",
    (lab) => lab.facts.here.links.push(...netOf(lab).links.filter(({ name }) => name === 'docker0')),
    /the lab host itself has a docker0/,
  ],
  [
    'daemon',
    'a program that has dockerd for a word of its command line',
    ({ facts }) => facts.processes.forEach((one) => (one.command = one.command.replace(/^dockerd/, 'sleep dockerd'))),
    /no dockerd runs/,
  ],
  [
    'container',
    'no docker0',
    (lab) => (netOf(lab).links = netOf(lab).links.filter(({ name }) => name !== 'docker0')),
    /there is no bridge docker0/,
  ],
  [
    'container',
    'docker0 is down',
    (lab) => netOf(lab).links.forEach((link) => (link.up = link.name !== 'docker0')),
    /is down/,
  ],
  [
    'container',
    'no port of it',
    (lab) => netOf(lab).links.forEach((link) => (link.master = link.master === 'docker0' ? null : link.master)),
    /no running container/,
  ],
  [
    'container',
    'a cable whose other end is in the same namespace',
    (lab) => netOf(lab).links.forEach((link) => link.peer && (link.peer.nsid = null)),
    /no running container/,
  ],
  [
    'published',
    'nobody answers',
    ({ evidence }) =>
      (evidence.results['host>docker'] = { ok: false, stage: 'connect', error: 'Connection refused', ms: 1 }),
    /connection refused/,
  ],
  [
    'published',
    'something else than a container answers',
    ({ evidence }) => (evidence.seen = evidence.seen.filter(({ device }) => device !== 'docker0')),
    /nothing left by docker0/,
  ],
];

for (const [id, what, damage, told] of faults) {
  test(`docker.${id} fails of: ${what}`, () => {
    const lab = dockerCase('26');
    damage(lab);
    const outcome = judged(lab, id);
    assert.equal(outcome?.verdict, 'fail');
    assert.match(outcome.actual, told);
    assert.ok(outcome.hint?.where);
  });
}

test('A namespace that could not be entered is no fault of the learner', () => {
  const lab = dockerCase('26');
  for (const entry of lab.facts.namespaces) if (entry.name === 'docker') entry.net = null;
  assert.equal(judged(lab, 'container')?.verdict, 'error');
});

test('Without a Docker the first check fails, and the others wait for it', () => {
  assert.deepEqual(verdicts(readCase('right')), { daemon: 'fail', container: 'skipped', published: 'skipped' });
});
