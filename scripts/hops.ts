/**
 * Counts what a stranger meets: node --import tsx scripts/hops.ts. How many source files there are, which import one another
 * in a circle, and how many files one has to open to follow three ways through the house. A way is a list of FILE#NAME; each
 * name has to be there, and each file of ours that it names has to exist. Exit 1 when a limit is passed.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findCircles, packages, readImports, root } from './imports.ts';

/** The ways, and how many files each may take. */
const ways: { title: string; most: number; steps: string[] }[] = JSON.parse(
  readFileSync(join(root, 'scripts/hops.json'), 'utf8'),
) as typeof ways;

/** Source files, tests and what is generated or recorded left out. */
function countSources(): number {
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' }).split(
    '\n',
  );
  const isSource = (file: string): boolean =>
    /\.(ts|py|mjs|sh)$/.test(file) &&
    !/(\.test\.ts|\/test_\w+\.py)/.test(file) &&
    !/^(tests|infra\/sdks)\/|\/(fixtures|testing)\//.test(file) &&
    existsSync(join(root, file));
  return files.filter(isSource).length;
}

const problems: string[] = [];
const say = (text: string, isWrong: boolean): void => {
  process.stdout.write(`${text}\n`);
  if (isWrong) problems.push(text);
};
const sources = countSources();
say(`source files: ${sources} (at most 400)`, sources > 400);
for (const { title, most, steps } of ways) {
  const files = new Set(steps.map((step) => step.split('#')[0] ?? ''));
  for (const step of steps) {
    const [file = '', name = ''] = step.split('#');
    const path = join(root, file);
    if (!existsSync(path) || !readFileSync(path, 'utf8').includes(name)) say(`${title}: there is no ${step}`, true);
  }
  say(`${title}: ${files.size} files (at most ${most})`, files.size > most);
}
const circles = findCircles(Object.keys(packages).flatMap(readImports));
say(`circles of imports: ${circles.length}`, circles.length > 0);
for (const circle of circles) process.stdout.write(`  ${circle.length} files: ${circle.slice(0, 8).join(', ')}\n`);
if (problems.length > 0) process.exitCode = 1;
