/**
 * Counts what a stranger meets: node --import tsx scripts/hops.ts. How many source files there are, which import one another
 * in a circle, and how many files one has to open to follow three ways through the house. A way is a list of FILE#NAME; each
 * name has to be there, and each file of ours that it names has to exist. Exit 1 when a limit is passed.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '..');
const packages = ['host', 'infra', 'course', 'labs', 'checker', 'cli'];

/** The ways, and how many files each may take. */
const ways: { title: string; most: number; steps: string[] }[] = JSON.parse(
  readFileSync(join(root, 'scripts/hops.json'), 'utf8'),
) as typeof ways;

/** Circles of files that import one another, types included: the strongly connected components with more than one file. */
function findCircles(): string[][] {
  const files = packages.flatMap((folder) =>
    globSync(`${folder}/**/*.ts`, { cwd: root, exclude: ['**/node_modules/**', 'infra/sdks/**'] }),
  );
  const known = new Set(files);
  const edges = new Map(files.map((file) => [file, importsOf(file).filter((target) => known.has(target))]));
  return components(edges).filter((circle) => circle.length > 1);
}

/** The files of ours that a file imports. */
function importsOf(file: string): string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(root, file), 'utf8'));
  return importedFiles.flatMap(({ fileName }) => {
    if (fileName.startsWith('.')) return [relative(root, resolve(root, dirname(file), fileName))];
    const [, name, way] = /^@handwired\/([a-z]+)(\/.*)?$/.exec(fileName) ?? [];
    return name === undefined ? [] : [`${name}${way ?? '/index'}.ts`];
  });
}

/** Strongly connected components, after Tarjan. */
function components(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): void => {
    order.set(file, order.size);
    low.set(file, order.get(file) ?? 0);
    stack.push(file);
    for (const target of edges.get(file) ?? []) {
      if (!order.has(target)) visit(target);
      if (stack.includes(target)) low.set(file, Math.min(low.get(file) ?? 0, low.get(target) ?? 0));
    }
    if (low.get(file) === order.get(file)) found.push(stack.splice(stack.indexOf(file)).sort());
  };
  for (const file of edges.keys()) if (!order.has(file)) visit(file);
  return found;
}

/** Source files, tests and what is generated or recorded left out. */
function countSources(): number {
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' }).split(
    '\n',
  );
  const isSource = (file: string): boolean =>
    /\.(ts|py|mjs|sh)$/.test(file) &&
    !/(\.test\.ts|\/test_\w+\.py|^eslint\.config)/.test(file) &&
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
const circles = findCircles();
say(`circles of imports: ${circles.length}`, circles.length > 0);
for (const circle of circles) process.stdout.write(`  ${circle.length} files: ${circle.slice(0, 8).join(', ')}\n`);
if (problems.length > 0) process.exitCode = 1;
