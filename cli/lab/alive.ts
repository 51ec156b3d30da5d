import { connect, loadEndpoint, type LabSpec } from '@handwired/host';

/** How long a lab host that is up may take to accept a login before it counts as hanging. */
const answerMs = 8_000;

/** Whether the lab host of a ready lab accepts a login now. Never throws for a lab host that doesn't. */
export async function isAlive(spec: LabSpec, signal: AbortSignal): Promise<boolean> {
  try {
    const session = await connect(await loadEndpoint(spec.name), { timeoutMs: answerMs, signal });
    session.close();
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
