import { randomBytes } from 'node:crypto';
import { LabError, type OpenSeat, world } from '@handwired/host';
import type { Facts } from '../facts/facts.ts';
import { knownWorld } from '../facts/observe.ts';
import { runRemote } from '../remote.ts';
import { Seen } from './seen.ts';
import type { Errand } from './shape.ts';

/** At most so long, and so long without anything new, in seconds; on a slow lab host 20 times what a trivial program takes. */
const patience = { seconds: 0.95, quiet: 0.3 };

/** Sends the packet and looks at all links and rules meanwhile, in one round trip. Throws LabError without a whole answer. */
export async function takeTrace(
  seat: OpenSeat,
  errand: Errand,
  { baseline, signal }: { baseline: Facts; signal?: AbortSignal | undefined },
): Promise<Seen> {
  const answer = await runRemote(seat, {
    program: 'trace',
    parameters: {
      ...errand,
      ...patience,
      label: `hw${randomBytes(9).toString('hex')}`,
      site: world.site.name,
      world: knownWorld(baseline),
    },
    timeoutMs: 30_000,
    maxBytes: 16 << 20,
    signal,
  });
  const seen = Seen.safeParse(answer);
  if (seen.success) return seen.data;
  const where = seen.error.issues[0]?.path.join('.') ?? '';
  throw new LabError({ what: `the trace's answer has another shape: ${where}`, next: 'lab reset' });
}
