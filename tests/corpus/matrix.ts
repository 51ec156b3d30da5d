import { chapterIds, defaultPlan } from '@handwired/host';
import { checks } from '../../checker/testing/fixtures.ts';
import type { Case } from './case.ts';
import type { Result } from './run.ts';

/** The chapters that the corpus builds; what is done beside the network has tests of its own. */
const built = new Set<string>([...chapterIds.slice(0, chapterIds.indexOf('publish') + 1), 'cleanup']);

/** The faults that each check must catch, by the check's id. A check without such faults has an empty list. */
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

How well the checker grades. A corpus of builds, right ones and wrong ones, is built on sandboxes and graded. This page counts
what came of it. \`node --run corpus -- --write\` in \`tests/\` writes the page. \`tests/corpus.test.ts\` fails when the page is
out of date.

- A **right** build is one that works. Plain commands (\`tests/corpus/works.ts\`) show that, not the checker. Every check must
  pass.
- A **wrong** build has one fault. The corpus names the check that must fail. Plain commands must find the build broken too.
- An alteration that is **no fault** leaves a network that works. Every check must pass, as for a right build.

A class is a way to alter a right build. For example, \`drop\` leaves one command out, \`double\` gives one twice, and \`mask\`
changes the prefix length of an address. The class \`by hand\` has faults that were written one by one.

${classes(cases)}

## The checks

${matrix(cases, results)}

- "must catch" counts the wrong builds for which this check must fail.
- "failed for" counts all builds for which it did fail. One fault may fail several checks.
- "right builds failed" counts the right builds that it failed. It must be 0.

## The faults of each check

Each check with the wrong builds that it must catch. \`A\` -> \`B\` means that command B was given in place of A.
A class behind \`cleanup,\` alters the commands that take a build back. The other classes alter the commands that make it.

${lists(cases)}

## Alterations that are no fault

Each alteration with the reason why the network still works.

${harmless(cases)}
`;
