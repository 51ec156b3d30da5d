import { rm } from 'node:fs/promises';
import { loadFacts, observe, saveFacts, type Facts } from '@handwired/checker';
import {
  baselineFile,
  connect,
  LabError,
  recordFile,
  type Endpoint,
  type LabSpec,
  type Session,
} from '@handwired/host';
import type { Context } from '../context.ts';

/** Takes the baseline of a lab host that nobody has touched, over a session that is open. */
export async function observeBaseline(spec: LabSpec, session: Session, { progress, signal }: Context): Promise<void> {
  await progress.stage('baseline taken', async () => {
    await saveFacts(baselineFile(spec.name), await observe(session, { plan: spec.plan, signal }));
    await rm(recordFile(spec.name), { force: true });
  });
}

/** The same over a session of its own. */
export async function takeBaseline(spec: LabSpec, endpoint: Endpoint, context: Context): Promise<void> {
  const session = await connect(endpoint, { signal: context.signal });
  try {
    await observeBaseline(spec, session, context);
  } finally {
    session.close();
  }
}

/** The facts taken when the lab host was ready. */
export async function loadBaseline(name: string): Promise<Facts> {
  const facts = await loadFacts(baselineFile(name));
  if (facts) return facts;
  throw new LabError({ what: `lab ${name} has no baseline`, where: baselineFile(name), next: `lab reset ${name}` });
}
