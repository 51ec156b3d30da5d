import assert from 'node:assert/strict';
import { test } from 'node:test';
import { build, undo } from '@handwired/labs';
import { course, failures, misses, said, seedCleanup, seedSteps, withGraded } from './grading.ts';

const accept = { 'forward-policy': 'accept' } as const;
const drop = { 'forward-policy': 'drop', 'bridge-nf': '1', 'ip-forward': '1', resolver: 'file' } as const;

test('An untouched lab host fails every chapter, passes no check, and has nothing to check without a flag', () =>
  withGraded(accept, async ({ check }) => {
    const report = await check({ through: 'cleanup' });
    assert.equal(report.exit, 1);
    assert.equal(report.summary.pass, 0, JSON.stringify(report.checks.filter(({ verdict }) => verdict === 'pass')));
    assert.deepEqual([...new Set(report.summary.chapters.map(({ verdict }) => verdict))], ['fail']);
    const graded = new Set(report.summary.chapters.map(({ id }) => id));
    for (const only of [...course, 'cleanup' as const]) {
      assert.equal((await check({ only })).exit, graded.has(only) ? 1 : 2, only);
    }
    assert.match(said(await check({ only: 'cleanup' }), 'cleanup.begun'), /nothing of yours was ever seen/);
    assert.equal((await check()).exit, 2);
  }));

for (const conditions of [accept, drop]) {
  test(`Our own build passes everything, and its undo the cleanup: ${JSON.stringify(conditions)}`, (t) =>
    withGraded(conditions, async ({ host, check, trips }) => {
      await build(host.session, host.plan, { chapters: course });
      const start = performance.now();
      const report = await check();
      t.diagnostic(`right: ${Math.round(performance.now() - start)} ms, ${trips()} round trips`);
      assert.deepEqual(misses(report), []);
      assert.equal(report.exit, 0);
      assert.ok(trips() <= 3);
      await undo(host.session, host.plan, { chapters: course.toReversed() });
      const after = await check();
      assert.deepEqual(
        after.summary.chapters.map(({ id }) => id),
        ['cleanup'],
      );
      assert.deepEqual(misses(after), [], JSON.stringify(after.checks.map(({ evidence }) => evidence)));
    }));
}

test("The seed's own steps, typed verbatim: what fails is what is wrong in them, and its cleanup is found wanting", (t) =>
  withGraded(accept, async ({ type, check }) => {
    await type(await seedSteps());
    const start = performance.now();
    const report = await check();
    t.diagnostic(`wrong: ${Math.round(performance.now() - start)} ms`);
    assert.deepEqual(misses(report), [
      'connectivity.conditions: fail',
      'dns.host-unchanged: fail',
      'publish.host-address: fail',
      'publish.loopback: fail',
      'publish.transit: fail',
      'publish.conditions: skipped',
    ]);
    assert.match(
      said(report, 'connectivity.conditions'),
      /under FORWARD DROP with bridge-nf 1: ct1 to ct2 ends at FORWARD/,
    );
    assert.match(said(report, 'publish.loopback'), /PREROUTING never sees locally generated packets/);
    assert.match(said(report, 'dns.host-unchanged'), /through the symlink/);
    assert.match(said(report, 'publish.transit'), /whatever its destination/);
    await type(await seedCleanup());
    const after = await check();
    assert.deepEqual(failures(after), ['cleanup.rules', 'cleanup.sysctls', 'cleanup.files']);
    const rules = after.checks.find(({ id }) => id === 'cleanup.rules')?.evidence ?? [];
    assert.equal(rules.length, 2);
    for (const rule of rules) assert.match(rule, /^yours: iptables -t filter -A FORWARD/);
    assert.match(said(after, 'cleanup.sysctls'), /ip_forward = 1 \(was: net\.ipv4\.ip_forward = 0\)/);
  }));

test("Under DROP with bridge-nf=1 the seed's containers don't reach each other, and are told why", () =>
  withGraded(drop, async ({ type, check }) => {
    // Without its own trials, which wait for what can't come.
    await type((await seedSteps()).replaceAll(/^.*(ping|curl|dig) .*$/gm, ''));
    await type('until ip netns exec ct1 ss -Hltn sport = 80 | grep -q .; do :; done');
    const report = await check({ only: 'connectivity', hints: 3 });
    assert.deepEqual(failures(report), ['connectivity.ct1-ct2', 'connectivity.ct2-ct1']);
    assert.match(said(report, 'connectivity.ct1-ct2'), /FORWARD judges what passes between two ports.*DROP/);
    const failed = report.checks.filter(({ verdict }) => verdict === 'fail');
    assert.deepEqual([...new Set(failed.map(({ diagnosis }) => diagnosis?.cause))], ['forward-drops-bridged']);
    for (const { hint } of failed) assert.match(hint ?? '', /\niptables -I FORWARD 1 -i br0 -o br0 -j ACCEPT$/);
  }));

test('A half-built lab is graded as far as it goes', () =>
  withGraded(accept, async ({ type, check }) => {
    await type((await seedSteps()).split('# ct2\nip -n')[0] ?? '');
    const report = await check();
    assert.deepEqual(
      report.summary.chapters.map(({ id, verdict }) => `${id} ${verdict}`),
      ['namespaces pass', 'bridge pass', 'veth pass', 'addressing fail'],
    );
    assert.equal(report.checks.find(({ id }) => id === 'addressing.ct1-route')?.verdict, 'pass');
    assert.match(said(report, 'addressing.ct2-link'), /still|called veth-ct2-ns/);
  }));
