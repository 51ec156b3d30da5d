/**
 * Proves one check on a sandbox: `node --import ./cli/loader.mjs tests/sandbox/prove-check.ts ID`. It passes on a build by `lab build`, and
 * fails after what its entry says breaks it; so do the first wrong builds of the corpus that it must catch. Exit 1: it does not.
 */
import { chapterIds } from '@handwired/host';
import { build } from '@handwired/labs';
import { listChecks } from '@handwired/checker/checks';
import { gradedChapters } from '@handwired/labs/checks';
import { wrongBuilds } from '../corpus/wrong.ts';
import { course, type Graded, said, withGraded } from './grading.ts';

/** Wrong builds of the corpus that are tried: as many as there is time for. */
const most = 3;

const [id = ''] = process.argv.slice(2);
const check = listChecks(gradedChapters).find((one) => one.id === id);
if (!check) {
  process.stderr.write(`there is no check '${id}'\n`);
  process.exit(64);
}
const { chapter, breaks } = check;
const before = chapterIds.slice(0, chapterIds.indexOf(chapter) + 1);
const built = chapter === 'cleanup' ? course : [...new Set([...course, ...before])];

let wrong = 0;

/** Grades the chapter, and says whether the check's verdict is the expected one. */
async function expect({ check: grade }: Graded, verdict: 'pass' | 'fail', what: string): Promise<void> {
  const report = await grade({ only: chapter });
  const found = report.checks.find((one) => one.id === id);
  const isRight = found?.verdict === verdict;
  if (!isRight) wrong += 1;
  process.stdout.write(`${isRight ? 'ok' : 'WRONG'}: ${found?.verdict ?? 'not graded'} for ${what}\n`);
  if (!isRight) process.stdout.write(`  expected: ${verdict}\n  ${said(report, id).replaceAll('\n', '\n  ')}\n`);
}

const conditions = { 'forward-policy': 'drop', 'bridge-nf': '1' } as const;
await withGraded(conditions, async (graded) => {
  await build(graded.host.session, graded.host.plan, { chapters: built });
  await expect(graded, 'pass', 'a right build');
  if (!breaks) return;
  const output = await graded.type(breaks(graded.host.plan));
  await expect(
    graded,
    'fail',
    `a right build after: ${breaks(graded.host.plan)}${output && `\n  (it printed: ${output.trim()})`}`,
  );
});
for (const one of wrongBuilds()
  .filter(({ expected }) => 'fails' in expected && expected.fails === id)
  .slice(0, most)) {
  await withGraded(one.conditions, async (graded) => {
    await graded.type(one.script);
    await expect(graded, 'fail', `the corpus: ${one.id}`);
  });
}
process.exitCode = wrong > 0 ? 1 : 0;
