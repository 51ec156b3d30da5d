import { rm } from 'node:fs/promises';
import { loadFacts, observe, saveFacts, type Facts } from '@handwired/checker';
import { baselineFile, connect, LabError, recordFile, saveSpec, type Endpoint, type LabSpec } from '@handwired/host';
import type { Context } from '../context.ts';

/**
 * Takes the baseline of a lab host that nobody has touched, and makes the lab ready.
 * The phase is written last: a lab is ready only if its baseline is stored.
 */
export async function takeBaseline(spec: LabSpec, endpoint: Endpoint, context: Context): Promise<LabSpec> {
  const { signal } = context;
  await context.progress.stage('baseline taken', async () => {
    const session = await connect(endpoint, { signal });
    try {
      await saveFacts(baselineFile(spec.name), await observe(session, { plan: spec.plan, signal }));
    } finally {
      session.close();
    }
    await rm(recordFile(spec.name), { force: true });
  });
  const ready: LabSpec = { ...spec, phase: 'ready' };
  await saveSpec(ready);
  return ready;
}

/** The facts taken when the lab host was ready. */
export async function loadBaseline(name: string): Promise<Facts> {
  const facts = await loadFacts(baselineFile(name));
  if (facts) return facts;
  throw new LabError({ what: `lab ${name} has no baseline`, where: baselineFile(name), next: `lab reset ${name}` });
}
