import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { diffFacts, observeFacts } from '@handwired/checker';
import { Conditions, defaultPlan } from '@handwired/host';
import { vm } from '../../infra/drivers/vm/index.ts';
import { stageOf } from '../corpus/stage.ts';
import { interrupted, places, put, script } from '../sandbox/exported.ts';
import { type Graded, misses } from '../sandbox/grading.ts';
import { noVm, ownState, specOf, work } from './vm.ts';

/** A quarter of a minute a place on an emulated VM: all ten by HANDWIRED_VM_PLACES=10. */
const few = Number(process.env.HANDWIRED_VM_PLACES ?? 2);

const conditions = Conditions.parse({ 'forward-policy': 'drop', 'bridge-nf': '1' });

test('In a VM the exported script builds what passes, does not double, and leaves nothing wherever it is interrupted', {
  skip: await noVm(),
}, async (t) => {
  t.after(await ownState());
  const stage = await stageOf(vm, await specOf('export'), work);
  try {
    await exported(t, await stage.fresh(conditions, defaultPlan));
  } finally {
    await stage.end();
  }
});

/** Asserts that the facts are the same as when the lab host was made. */
async function assertUntouched({ host, baseline }: Graded, when: string): Promise<void> {
  const changed = diffFacts(baseline, await observeFacts(host.seat)).map(({ change, text }) => `${change} ${text}`);
  assert.deepEqual(changed, [], when);
}

async function exported(t: TestContext, graded: Graded): Promise<void> {
  const { session, plan } = graded.host;
  const host = { session, plan };
  await put(host);
  const start = performance.now();
  await script(host, '--keep');
  t.diagnostic(`built in ${Math.round(performance.now() - start)} ms`);
  assert.deepEqual(misses(await graded.check({ through: 'publish' })), []);
  const first = await observeFacts(graded.host.seat);
  await script(host, '--keep');
  assert.deepEqual(diffFacts(first, await observeFacts(graded.host.seat)), [], 'a second run doubles nothing');
  await script(host, '--remove');
  await assertUntouched(graded, '--remove');
  const all = await places(host);
  for (const { at, signal } of all.filter((_, place) => (place * few) % all.length < few)) {
    assert.match(await interrupted(host, signal, at), signal === 'TERM' ? /^ended 143$/m : /^ended 130$/m);
    await assertUntouched(graded, `${signal} at ${at}`);
  }
  assert.deepEqual(misses(await graded.check({ only: 'cleanup' })), []);
}
