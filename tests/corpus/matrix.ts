import { chapterIds, defaultPlan } from '@handwired/host';
import { checks } from '../../checker/testing/fixtures.ts';
import type { Case } from './case.ts';
import type { Result } from './run.ts';

/** The chapters that the corpus builds; what is done beside the network has tests of its own. */
const built = new Set<string>([...chapterIds.slice(0, chapterIds.indexOf('publish') + 1), 'cleanup']);

/** The faults that each check must catch, by the check's id; a check that must catch none has an empty list. */
export function duties(cases: readonly Case[]): Map<string, Case[]> {
  const own = checks.filter(({ chapter }) => built.has(chapter));
  const of = new Map<string, Case[]>(own.map(({ id }) => [id, []]));
  for (const one of cases) if ('fails' in one.expected) of.get(one.expected.fails)?.push(one);
  return of;
}

const count = (cases: readonly Case[], kind: string): number => cases.filter(({ expected }) => kind in expected).length;

function classes(cases: readonly Case[]): string {
  const groups = Map.groupBy(cases, (one) => one.class);
  const rows = [...groups].map(
    ([name, list]) => `| ${name} | ${count(list, 'pass')} | ${count(list, 'fails')} | ${count(list, 'same')} |`,
  );
  return ['| class | right | wrong | no fault |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function matrix(cases: readonly Case[], results: readonly Result[]): string {
  const rows = [...duties(cases)].map(([id, list]) => {
    const title = checks.find((check) => check.id === id)?.title(defaultPlan) ?? '';
    const fails = results.filter((result) => result.fails.includes(id));
    const rejected = fails.filter((result) => result.class === 'right').length;
    return `| ${id} | ${title} | ${list.length} | ${fails.length} | ${rejected} |`;
  });
  const head = '| check | passes when | must catch | failed for | right builds failed |';
  return [head, '| --- | --- | --- | --- | --- |', ...rows].join('\n');
}

const lists = (cases: readonly Case[]): string =>
  [...duties(cases)]
    .map(([id, list]) => [`### ${id}`, '', ...list.map((one) => `- ${one.id}`)].join('\n'))
    .join('\n\n');

const harmless = (cases: readonly Case[]): string =>
  cases.flatMap(({ id, expected }) => ('same' in expected ? [`- ${id}: ${expected.same}`] : [])).join('\n');

/** docs/grading.md, from the corpus and what came of it. */
export const render = (cases: readonly Case[], results: readonly Result[]): string => `# Grading

What the checker grades, and what shows that it grades it. Written by \`node --run corpus -- --write\` in \`tests/\`, from a
run of the whole corpus on sandboxes; \`tests/corpus.test.ts\` holds that it is up to date.

- A **right** build is proven by plain commands (tests/corpus/works.ts), not by the checker; every check must pass.
- A **wrong** one has one fault, and names the check that must fail. Plain commands must find it broken too.
- An alteration that is **no fault** leaves a network that works: every check must pass, as it does for a right build.

${classes(cases)}

## Check x fault

${matrix(cases, results)}

"Must catch" counts the faults that are expected of this check; "failed for" all cases for which it failed.

## The faults of each check

${lists(cases)}

## Alterations that are no fault

${harmless(cases)}
`;
