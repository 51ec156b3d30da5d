import { LabError, loadEndpoint, type LabSpec, probeGreeting } from '@handwired/host';

/** How long a lab host that is up may take to greet before it counts as hanging; an emulated one under load is slow. */
const greetingMs = 8_000;

/**
 * Whether sshd greets at the lab host of a ready lab. The seat's is asked where there is one: it runs already, a third
 * of the time. A lab host that can't be found is not alive either: the driver then makes its endpoint file anew.
 */
export async function isAlive(spec: LabSpec, signal: AbortSignal): Promise<boolean> {
  const endpoint = await loadEndpoint(spec.name).catch((error: unknown) => {
    if (error instanceof LabError) return undefined;
    throw error;
  });
  if (!endpoint) return false;
  const { dial, seat } = endpoint;
  return (await probeGreeting('dial' in seat ? seat.dial : dial, { timeoutMs: greetingMs, signal })) === undefined;
}
