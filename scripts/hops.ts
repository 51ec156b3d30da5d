/**
 * Measures how easily a stranger can read the code: node --import ./cli/loader.mjs scripts/hops.ts. Counts the source files, finds
 * files that import one another in a circle, and counts the files to open to follow three paths through the code. A
 * path is a list of FILE#NAME. Each file and each name has to exist. Exit 1 when a limit is passed.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listFiles, root } from './files.ts';
import { findCircles, packages, readImports } from './imports.ts';

/** The paths, and how many files each may need. */
const ways: { title: string; most: number; steps: string[] }[] = JSON.parse(
  readFileSync(join(root, 'scripts/hops.json'), 'utf8'),
) as typeof ways;

/** Counts the source files without tests and without generated or recorded files. */
function countSources(): number {
  const isSource = (file: string): boolean =>
    /\.(ts|py|mjs|sh)$/.test(file) &&
    !/(\.test\.ts|\/test_\w+\.py)/.test(file) &&
    !/^(tests|infra\/sdks)\/|\/(fixtures|testing)\//.test(file);
  return listFiles().filter(isSource).length;
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
