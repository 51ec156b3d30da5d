import { LabError, type OpenSeat } from '@handwired/host';
import { runRemote } from '../remote.ts';
import type { Facts } from './facts.ts';
import { parseFacts } from './parse.ts';
import { Raw } from './raw.ts';
import { tools } from './tools.ts';

export interface ObserveOptions {
  /** Facts of when nobody had touched the lab host yet: they tell which namespace is the world's. */
  baseline?: Facts;
  signal?: AbortSignal;
}

/**
 * Takes one snapshot of the lab host in one round trip.
 * Throws LabError when there is no whole answer, or when it lacks the lab host's own links.
 */
export async function observe(seat: OpenSeat, options: ObserveOptions = {}): Promise<Facts> {
  return factsOf(await observeRaw(seat, options));
}

/** The same before it is parsed; `docker` names the scope of a namespace whose Docker is to be looked into as well. */
export async function observeRaw(
  seat: OpenSeat,
  { baseline, signal, docker }: ObserveOptions & { docker?: string } = {},
): Promise<Raw> {
  const answer = await runRemote(seat, {
    program: 'facts',
    parameters: { limit: 1 << 20, seconds: 20, world: knownWorld(baseline), tools, docker: docker ?? null },
    timeoutMs: 60_000,
    maxBytes: 16 << 20,
    signal,
  });
  const raw = Raw.safeParse(answer);
  if (raw.success) return raw.data;
  throw unreadable(`its snapshot has another shape: ${raw.error.issues[0]?.path.join('.') ?? ''}`);
}

/** Throws LabError when there are not even the lab host's own links in it. */
export function factsOf(raw: Raw): Facts {
  const facts = parseFacts(raw);
  if (facts.here.links.length > 0) return facts;
  const reason = facts.problems.find((problem) => problem.source.startsWith('root ip'));
  throw unreadable(`its links could not be read (${reason?.what ?? 'none listed'})`);
}

/** What the programs need to know the world's namespace again: `find_world` in agent/processes.py. */
export const knownWorld = (baseline: Facts | undefined): { inode: number; boot: string; host: number } | null =>
  baseline?.world.inode ? { inode: baseline.world.inode, boot: baseline.host.boot, host: baseline.host.inode } : null;

const unreadable = (what: string): LabError =>
  new LabError({ what: `the lab host can't be observed: ${what}`, next: 'lab reset' });
