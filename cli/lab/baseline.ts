import { rm } from 'node:fs/promises';
import { loadFacts, observe, saveFacts, type Facts } from '@handwired/checker';
import {
  baselineFile,
  faultFile,
  LabError,
  recordFile,
  type Endpoint,
  type LabSpec,
  type OpenSeat,
  openSeat,
} from '@handwired/host';
import type { Context } from '../context.ts';

/** Takes the baseline of a lab host that nobody has touched, from a seat that is open. */
export async function observeBaseline(spec: LabSpec, seat: OpenSeat, { progress, signal }: Context): Promise<void> {
  await progress.stage('baseline taken', async () => {
    await saveFacts(baselineFile(spec.name), await observe(seat, { signal }));
    for (const file of [recordFile(spec.name), faultFile(spec.name)]) await rm(file, { force: true });
  });
}

/** The same from a seat that it opens. */
export async function takeBaseline(spec: LabSpec, endpoint: Endpoint, context: Context): Promise<void> {
  const seat = await openSeat(endpoint, { signal: context.signal });
  try {
    await observeBaseline(spec, seat, context);
  } finally {
    seat.close();
  }
}

/** The facts taken when the lab host was ready. */
export async function loadBaseline(name: string): Promise<Facts> {
  const facts = await loadFacts(baselineFile(name));
  if (facts) return facts;
  throw new LabError({ what: `lab ${name} has no baseline`, where: baselineFile(name), next: `lab reset ${name}` });
}
