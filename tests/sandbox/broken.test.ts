import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { type Conditions } from '@handwired/host';
import { build } from '@handwired/labs';
import { gradedChapters as chapters } from '@handwired/labs/checks';
import { recordLab, regradeRecording, type Report } from '@handwired/checker';
import { drawnBy, drawSample } from '../draw.ts';
import { type Breakage, fromFaults, underAccept, underDrop } from './breakages.ts';
import { course, type Graded, misses, withGraded } from './grading.ts';

const groups: [breakages: Breakage[], conditions: Partial<Conditions>][] = [
  [[...underAccept, ...fromFaults], {}],
  [underDrop, { 'forward-policy': 'drop', 'bridge-nf': '1' }],
];

/** The lab host at all three levels, from one observation. */
async function broken({ host, baseline, record }: Graded): Promise<(hints: 1 | 2 | 3) => Report> {
  const source = { seat: host.seat, chapters, plan: host.plan, baseline, record };
  const recording = await recordLab(source, { lab: 'lab', driver: 'sandbox' });
  return (hints) => regradeRecording(recording, { chapters, through: 'publish', hints });
}

const hintsOf = (report: Report): string[] => report.checks.flatMap(({ hint }) => hint ?? []);

const causesOf = (report: Report): string[] => [
  ...new Set(
    report.checks.flatMap(({ verdict, diagnosis }) => (verdict === 'fail' ? [diagnosis?.cause ?? 'none'] : [])),
  ),
];

/** What is said of each failure, to read when a test fails. */
const toldOf = (report: Report): string[] =>
  report.checks
    .filter(({ verdict }) => verdict === 'fail')
    .map(
      ({ id, actual, hint, diagnosis }) =>
        `${id}: ${diagnosis?.cause ?? 'none'} at ${diagnosis?.hop ?? '-'} (${actual})\n  ${hint ?? ''}`,
    );

/** The commands of a third-level hint, without its comment. */
const commandsOf = (hint: string): string[] => hint.split('\n').filter((line) => !line.startsWith('#'));

/** Breaks, grades, repairs and grades again. Takes a new sandbox only when one could not be repaired. */
async function each(t: TestContext, breakages: Breakage[], conditions: Partial<Conditions>): Promise<void> {
  const left = [...breakages];
  while (left.length > 0) {
    await withGraded(conditions, async (graded) => {
      await build(graded.host.session, graded.host.plan, { chapters: course });
      for (let mended = true; mended && left.length > 0; ) {
        const one = left.shift();
        if (!one) break;
        mended = false;
        await t.test(titleOf(one), async () => {
          await breakAndMend(graded, one);
          mended = true;
        });
      }
    });
  }
}

/** A bridge takes the lowest MAC address of its ports: without a port its neighbours may have a stale entry, another fault. */
const pinned = 'ip link set br0 address "$(cat /sys/class/net/br0/address)"';

async function breakAndMend(graded: Graded, { cause, script, rest = '' }: Breakage): Promise<void> {
  await graded.type(`${pinned}\n${script}`);
  const at = await broken(graded);
  const report = at(3);
  assert.deepEqual(causesOf(report), [cause], toldOf(report).join('\n'));
  const mends = [...new Set(hintsOf(report))];
  for (const line of mends.flatMap(commandsOf)) {
    for (const look of hintsOf(at(1))) assert.ok(!look.includes(line), `${look}\ngives away: ${line}`);
  }
  const output = await graded.type(mends[0] ?? '');
  const after = await graded.check({ through: 'publish' });
  const why = after.checks.flatMap(({ actual, because, evidence, verdict }) =>
    verdict === 'pass' ? [] : [actual, because, ...evidence],
  );
  assert.deepEqual(misses(after), [], `${why.join('\n')}\n${mends.join('\n\n')}\n${output}`);
  await graded.type(rest);
}

const titleOf = ({ cause, name }: Breakage): string => `${cause}: ${name}`;

const only = new RegExp(process.env.ONLY ?? '');
if (!groups.some(([all]) => all.some((one) => only.test(titleOf(one))))) {
  test('Something shows it on a lab host', () => {
    assert.fail(
      `no fault, and nothing in tests/sandbox/breakages.ts, matches ${only.source}; next: lab dev new fault NAME`,
    );
  });
}
/** Two to three seconds each: some are drawn, all by HANDWIRED_BREAKAGES=999. ONLY takes all that match. */
const count = process.env.ONLY === undefined ? Number(process.env.HANDWIRED_BREAKAGES ?? 40) : Infinity;
for (const [all, conditions] of groups) {
  const matching = all.filter((one) => only.test(titleOf(one)));
  const breakages = drawSample(matching, count, titleOf);
  test(`The planted cause is named, and its mend, typed as it stands, mends: ${JSON.stringify(conditions)}`, (t) => {
    t.diagnostic(`${breakages.length} of ${matching.length}, drawn by ${drawnBy}`);
    return each(t, breakages, conditions);
  });
}
