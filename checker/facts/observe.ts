import { LabError, type Plan, type Session } from '@handwired/host';
import { runRemote } from '../remote.ts';
import type { Facts } from './facts.ts';
import { parseFacts } from './parse.ts';
import { Raw } from './raw.ts';

export interface ObserveOptions {
  plan: Plan;
  signal?: AbortSignal;
}

/**
 * Takes one snapshot of the lab host in one round trip.
 * Throws LabError when there is no whole answer, or when it lacks the lab host's own links.
 */
export async function observe(session: Session, { signal }: ObserveOptions): Promise<Facts> {
  const answer = await runRemote(session, {
    folder: new URL('program/', import.meta.url),
    parameters: { limit: 1 << 20, seconds: 8 },
    timeoutMs: 20_000,
    maxBytes: 16 << 20,
    signal,
  });
  const raw = Raw.safeParse(answer);
  if (!raw.success) throw unreadable(`its snapshot has another shape: ${raw.error.issues[0]?.path.join('.') ?? ''}`);
  const facts = parseFacts(raw.data);
  if (facts.here.links.length > 0) return facts;
  const reason = facts.problems.find((problem) => problem.source.startsWith('root ip'));
  throw unreadable(`its links could not be read (${reason?.what ?? 'none listed'})`);
}

const unreadable = (what: string): LabError =>
  new LabError({ what: `the lab host can't be observed: ${what}`, next: 'lab reset' });
