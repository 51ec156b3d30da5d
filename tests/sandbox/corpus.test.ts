import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sandbox } from '../../infra/drivers/sandbox/index.ts';
import { allCases } from '../corpus/cases.ts';
import { duties } from '../corpus/matrix.ts';
import { runCases } from '../corpus/run.ts';
import { sampleOf } from '../corpus/sample.ts';
import { stageOf } from '../corpus/stage.ts';
import { noSandbox, ownState, specOf, work } from './sandbox.ts';

/** A second a case: in each run of all tests a part that has every class and every check, the whole by HANDWIRED_CORPUS=all. */
const size = process.env.HANDWIRED_CORPUS === 'all' ? Infinity : 120;

test('Of the corpus, every right build passes, and every wrong one fails the check that must catch it', {
  skip: noSandbox,
}, async (t) => {
  const cases = sampleOf(allCases(), size);
  const removeState = await ownState();
  t.after(removeState);
  const start = performance.now();
  const make = (n: number) => stageOf(sandbox, specOf(`corpus-${n}`), work);
  const { results, remade } = await runCases({ cases, count: 2, make, look: 'in doubt', onResult: () => undefined });
  t.diagnostic(
    `${results.length} cases in ${Math.round((performance.now() - start) / 1000)} s, ${remade} sandboxes made anew`,
  );
  assert.equal(results.length, cases.length);
  assert.deepEqual(
    results.filter(({ outcome }) => outcome !== 'ok').map(({ id, outcome, told }) => ({ id, outcome, told })),
    [],
  );
  const killed = new Set(results.flatMap(({ fails }) => fails));
  assert.deepEqual(
    [...duties(cases).keys()].filter((id) => !killed.has(id)),
    [],
    'a check that nothing fails',
  );
});
