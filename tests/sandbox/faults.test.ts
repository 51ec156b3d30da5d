import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import { Conditions } from '@handwired/host';
import { build } from '@handwired/labs';
import { applyFaults, drawFaults, type Fault, faults, findFitting } from '@handwired/labs/faults';
import { type Proof, writeRows } from '../faults/table.ts';
import { course, failures, type Graded, misses, withGraded } from './grading.ts';

/** What a fault must not leave behind: see `leavings`. */
interface Leavings {
  newer: string[];
  programs: string[];
  names: string;
  /** What was there before the learner. */
  kept: string;
}

/** Where a lab host keeps what a fault may change; in a sandbox the rest is this machine's, where others work too. */
const places = [
  '/etc/netns',
  '/etc/resolv.conf',
  '/etc/hosts',
  '/etc/nsswitch.conf',
  '/srv',
  '/run',
  '/root/.bash_history',
];

/**
 * Everything with a name or a time that a learner can look at: files changed since a moment (mtime), programs by their
 * command lines, rules, links and namespaces.
 */
async function leavings({ host: { session } }: Graded, since: string): Promise<Leavings> {
  const script = `find ${places.join(' ')} -path /run/handwired -prune -o -newermt '@${since}' -print 2>/dev/null
echo ---
ps -eo pid=,args= | grep -vE 'ps -eo|/bin/sh|sshd|find /etc|setpriv'
echo ---
iptables-save; iptables-legacy-save; nft list ruleset; ip -d link; ip rule; ls -A /run/netns /etc/netns /root
echo ---
iptables-save | grep keep; nft list table inet keep; ip -br addr show br-keep; ip netns | grep -w keep`;
  const { stdout } = await session.exec(['/bin/sh'], { input: script });
  const [newer = '', programs = '', names = '', kept = ''] = stdout.split('---\n');
  return { kept, newer: newer.split('\n').filter(Boolean), programs: programs.split('\n').filter(Boolean), names };
}

const telling = /\b(fault|inject|broken|sabotage|wrong|trouble)/i;

async function proven(t: TestContext, graded: Graded, fault: Fault): Promise<Proof> {
  const source = { session: graded.host.session, plan: graded.host.plan };
  assert.deepEqual(await findFitting(source, [fault]), [fault], 'it finds nothing to take hold of');
  const since = (await graded.type('date +%s.%N')).trim();
  const before = await leavings(graded, since);
  assert.ok(await applyFaults(source, 'inject', [fault]), 'it could not be injected');

  const after = await leavings(graded, since);
  // A namespace's own file is as old as the namespace, and nothing sets its time (nsfs).
  const newer = after.newer.filter((path) => !path.startsWith('/run/netns/'));
  assert.deepEqual(newer, [], 'files that were changed since');
  const started = after.programs.filter((line) => !before.programs.includes(line));
  assert.equal(after.kept, before.kept, "what is not the learner's");
  for (const line of [...started, ...after.names.split('\n')]) assert.doesNotMatch(line, telling);
  assert.deepEqual(await findFitting(source, [fault]), [], 'it is in, and yet not');

  const report = await graded.check({ through: 'publish', hints: 3 });
  const failed = failures(report);
  const told = report.checks
    .filter(({ verdict }) => verdict === 'fail' || verdict === 'error')
    .map((one) => {
      const { id, actual, diagnosis, because } = one;
      return `${id}: ${diagnosis?.cause ?? 'none'} at ${diagnosis?.hop ?? '-'} (${because ?? actual})`;
    });
  t.diagnostic(`${fault.id}: ${failed.join(' ')}`);
  assert.deepEqual(
    fault.symptoms.filter((id) => !failed.includes(id)),
    [],
    `symptoms that do not appear\n${told.join('\n')}`,
  );
  const causes = report.checks.flatMap(({ verdict, diagnosis }) =>
    verdict === 'fail' ? [diagnosis?.cause ?? 'none'] : [],
  );
  assert.deepEqual([...new Set(causes)], [fault.cause], told.join('\n'));

  assert.ok(await applyFaults(source, 'repair', [fault]), 'the repair failed');
  const mended = await graded.check({ through: 'publish' });
  const left = mended.checks.filter(({ verdict }) => verdict !== 'pass');
  const why = left.flatMap(({ actual, because, evidence }) => [actual, because ?? '', ...evidence]);
  assert.deepEqual(misses(mended), [], `after the repair: ${why.join('\n')}`);
  const hop = report.checks.find(({ id }) => id === failed[0])?.diagnosis?.hop ?? '';
  return { fault, failed, hop };
}

const proofs: Proof[] = [];

/** The number of lab hosts at once. Most of the time passes in waiting for packets that do not come. */
const lanes = 2;

/** Takes faults from a list, in one sandbox after the other: a new one only where one could not be mended. */
async function each(t: TestContext, left: Fault[], conditions: Partial<Conditions>): Promise<void> {
  while (left.length > 0) {
    await withGraded(conditions, async (graded) => {
      await build(graded.host.session, graded.host.plan, { chapters: course });
      assert.deepEqual(misses(await graded.check({ through: 'publish' })), []);
      for (let mended = true; mended && left.length > 0; ) {
        const fault = left.shift();
        if (!fault) break;
        mended = false;
        await t.test(fault.id, async (own) => {
          proofs.push(await proven(own, graded, fault));
          mended = true;
        });
      }
    });
  }
}

const only = new RegExp(process.env.ONLY ?? '');
const here = faults.filter(({ machine }) => machine !== 'vm');
const groups = Map.groupBy(
  here.filter(({ id }) => only.test(id)),
  ({ conditions }) => JSON.stringify(Conditions.parse(conditions ?? {})),
);
for (const [conditions, some] of groups) {
  const title = `Each fault leaves no trace of itself, shows its symptoms, is named, and ends with its repair: ${conditions}`;
  test(title, { concurrency: lanes }, async (t) => {
    const left = [...some];
    const lane = () => each(t, left, JSON.parse(conditions) as Partial<Conditions>);
    await Promise.all(Array.from({ length: Math.min(lanes, some.length) }, lane));
  });
}

test('Several at once are all in place, and all end with their repairs', async () => {
  await withGraded({}, async (graded) => {
    await build(graded.host.session, graded.host.plan, { chapters: course });
    const source = { session: graded.host.session, plan: graded.host.plan };
    const plain = here.filter(({ conditions }) => conditions === undefined);
    for (const seed of ['1', '2', '3', '4']) {
      const [set = []] = drawFaults(plain, 3, seed);
      const ids = set.map(({ id }) => id).join(' ');
      assert.deepEqual(await findFitting(source, set), set, ids);
      assert.ok(await applyFaults(source, 'inject', set), ids);
      assert.deepEqual(await findFitting(source, set), [], ids);
      assert.ok(failures(await graded.check({ through: 'publish' })).length > 0, ids);
      assert.ok(await applyFaults(source, 'repair', set), ids);
      assert.deepEqual(misses(await graded.check({ through: 'publish' })), [], ids);
    }
  });
});

after(async () => {
  if (process.env.FAULTS_TABLE !== 'write') return;
  await writeRows(proofs);
});
