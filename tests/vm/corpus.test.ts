import assert from 'node:assert/strict';
import { test } from 'node:test';
import { vm } from '../../infra/drivers/vm/index.ts';
import { allCases } from '../corpus/cases.ts';
import { runCases } from '../corpus/run.ts';
import { sampleOf } from '../corpus/sample.ts';
import { stageOf } from '../corpus/stage.ts';
import { noVm, ownState, specOf, work } from './vm.ts';

/** Half a minute a case on an emulated VM: forty, which have every class of faults, by HANDWIRED_VM_SAMPLE=40. */
const size = Number(process.env.HANDWIRED_VM_SAMPLE ?? 3);

test('On a real VM a sample of the corpus is graded as on sandboxes', {
  skip: await noVm(),
}, async (t) => {
  t.after(await ownState());
  const cases = sampleOf(allCases(), size);
  const spec = await specOf('corpus');
  const start = performance.now();
  const { results, remade } = await runCases({
    cases,
    count: 1,
    make: () => stageOf(vm, spec, work),
    look: 'in doubt',
    onResult: ({ id, outcome, ms }) => t.diagnostic(`${outcome}, ${ms} ms: ${id}`),
  });
  t.diagnostic(`${results.length} cases in ${Math.round((performance.now() - start) / 1000)} s, reset ${remade} times`);
  assert.equal(results.length, size);
  assert.deepEqual(
    results.filter(({ outcome }) => outcome !== 'ok').map(({ id, outcome, told }) => ({ id, outcome, told })),
    [],
  );
});
