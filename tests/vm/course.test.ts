import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { diffFacts, observe } from '@handwired/checker';
import { Conditions, defaultPlan } from '@handwired/host';
import { build } from '@handwired/labs';
import { carryOut, faults, fitting } from '@handwired/labs/faults';
import { vm } from '../../infra/drivers/vm/index.ts';
import { stageOf } from '../corpus/stage.ts';
import { interrupted, places, put, script } from '../sandbox/exported.ts';
import { course, failures, type Graded, misses } from '../sandbox/grading.ts';
import { noVm, ownState, specOf, work } from './vm.ts';

/** A quarter of a minute a place on an emulated VM: all ten by HANDWIRED_VM_PLACES=10. */
const few = Number(process.env.HANDWIRED_VM_PLACES ?? 2);

const conditions = Conditions.parse({ 'forward-policy': 'drop', 'bridge-nf': '1' });

const only = new RegExp(process.env.ONLY ?? '');

test('What only a machine of its own shows: the exported script, and faults of the whole kernel', {
  skip: await noVm(),
}, async (t) => {
  t.after(await ownState());
  const stage = await stageOf(vm, await specOf('course'), work);
  try {
    if (only.test('the script'))
      await t.test('the script', async (own) => exported(own, await stage.fresh(conditions, defaultPlan)));
    for (const fault of faults.filter(({ id, machine }) => machine === 'vm' && only.test(id))) {
      await t.test(fault.id, async () => proven(await stage.fresh(conditions, defaultPlan), fault));
    }
  } finally {
    await stage.end();
  }
});

/** Nothing that facts can tell has changed since the lab host was handed over. */
async function assertUntouched({ host, baseline }: Graded, when: string): Promise<void> {
  const changed = diffFacts(baseline, await observe(host.seat)).map(({ change, text }) => `${change} ${text}`);
  assert.deepEqual(changed, [], when);
}

async function exported(t: TestContext, graded: Graded): Promise<void> {
  const { session, plan } = graded.host;
  const sh = async (command: string): Promise<string> => (await session.exec(command)).stdout;
  const host = { session, plan, sh };
  await put(host);
  const start = performance.now();
  await script(host, '--keep');
  t.diagnostic(`built in ${Math.round(performance.now() - start)} ms`);
  assert.deepEqual(misses(await graded.check({ through: 'publish' })), []);
  const first = await observe(graded.host.seat);
  await script(host, '--keep');
  assert.deepEqual(diffFacts(first, await observe(graded.host.seat)), [], 'a second run doubles nothing');
  await script(host, '--remove');
  await assertUntouched(graded, '--remove');
  const all = await places(host);
  for (const { at, signal } of all.filter((_, place) => (place * few) % all.length < few)) {
    assert.match(await interrupted(host, signal, at), signal === 'TERM' ? /^ended 143$/m : /^ended 130$/m);
    await assertUntouched(graded, `${signal} at ${at}`);
  }
  assert.deepEqual(misses(await graded.check({ only: 'cleanup' })), []);
}

async function proven(graded: Graded, fault: (typeof faults)[number]): Promise<void> {
  const source = { session: graded.host.session, plan: graded.host.plan };
  await build(source.session, source.plan, { chapters: course });
  assert.deepEqual(misses(await graded.check({ through: 'publish' })), []);
  assert.deepEqual(await fitting(source, [fault]), [fault], 'it finds nothing to take hold of');
  assert.ok(await carryOut(source, 'inject', [fault]), 'it could not be injected');
  const report = await graded.check({ through: 'publish', hints: 3 });
  const failed = failures(report);
  assert.deepEqual(
    fault.symptoms.filter((id) => !failed.includes(id)),
    [],
    `symptoms that do not appear: ${misses(report).join(' ')}`,
  );
  const causes = report.checks.flatMap(({ verdict, diagnosis }) =>
    verdict === 'fail' ? [diagnosis?.cause ?? 'none'] : [],
  );
  assert.deepEqual([...new Set(causes)], [fault.cause]);
  assert.ok(await carryOut(source, 'repair', [fault]), 'the repair failed');
  assert.deepEqual(misses(await graded.check({ through: 'publish' })), []);
}
