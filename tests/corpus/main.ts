/**
 * Grades the corpus on sandboxes: `node --import ./cli/loader.mjs tests/corpus/main.ts [--only PATTERN] [--sample N] [--stages N] [--look] [--resume FILE] [--write]`.
 * A line of JSON for each case on stdout; exit 1 if anything is not as expected. `--look`: plain commands look at every
 * build, also at those that the checker found wrong. `--resume`: what such lines of an
 * earlier run say that came out as expected is not done again. `--write` writes docs/grading.md.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { sandbox } from '../../infra/drivers/sandbox/index.ts';
import { ownState, specOf, work } from '../sandbox/sandbox.ts';
import { allCases } from './cases.ts';
import { render } from './matrix.ts';
import { type Result, runCases } from './run.ts';
import { sampleOf } from './sample.ts';
import { stageOf } from './stage.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    sample: { type: 'string' },
    stages: { type: 'string', default: '2' },
    look: { type: 'boolean', default: false },
    resume: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const all = allCases();
const sampled = values.sample === undefined ? all : sampleOf(all, Number(values.sample));
const before = values.resume === undefined ? '' : await readFile(values.resume, 'utf8');
const known = before.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Result]));
const good = new Map(known.filter(({ outcome }) => outcome === 'ok').map((result) => [result.id, result]));
const asked = sampled.filter(({ id }) => new RegExp(values.only).test(id));
const cases = asked.filter(({ id }) => !good.has(id));
const removeState = await ownState();
const make = (n: number) => stageOf(sandbox, specOf(`corpus-${n}`), work);
const controller = new AbortController();
process.once('SIGINT', () => controller.abort());
const start = performance.now();
const { results: fresh, remade } = await runCases({
  cases,
  count: Number(values.stages),
  make,
  look: values.look ? 'always' : 'in doubt',
  onResult: (result) => process.stdout.write(`${JSON.stringify(result)}\n`),
  signal: controller.signal,
});
await removeState();
const now = new Map(fresh.map((result) => [result.id, result]));
const results = asked.flatMap(({ id }) => now.get(id) ?? good.get(id) ?? []);
const wrong = results.filter(({ outcome }) => outcome !== 'ok');
const seconds = ((performance.now() - start) / 1000).toFixed(1);
process.stderr.write(
  `${results.length} cases in ${seconds} s, ${wrong.length} not as expected, ${remade} lab hosts made anew\n`,
);
if (values.write && results.length === all.length)
  await writeFile(new URL('../../docs/grading.md', import.meta.url), render(all, results));
process.exitCode = wrong.length > 0 ? 1 : 0;
