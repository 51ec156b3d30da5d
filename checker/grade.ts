import { setTimeout as wait } from 'node:timers/promises';
import { LabError } from '@handwired/host';
import { askedOf, brokenReport, checksOf, judgeCase, type Seen, type Selection, type Subject } from './judge.ts';
import { begun } from './begun.ts';
import { copiesWanted } from './checks/conditions.ts';
import { stillOpen } from './checks/run.ts';
import type { Facts } from './facts/facts.ts';
import { unsteady } from './facts/steady.ts';
import { type Evidence, starved } from './probes/evidence.ts';
import type { Report } from './report/report.ts';
import { nothing, settled, type Source, takeEvidence, takeFacts } from './take.ts';

/** Before a second take nothing of ours is sent for so long: what only our packets switched on is off again by then. */
const QUIET_MS = 2000;

export interface GradeOptions extends Source, Selection, Subject {}

/**
 * Grades a lab: one round trip for facts, one for the experiments that the chapters need. What goes wrong on our side
 * (connection, lab host, programs) is the verdict `error` with its reason; only an abort throws. When something changed
 * between the first look and the last, or the lab host stood still, all of it is taken once more, so that no verdict
 * stands on two states or on answers that we could not wait for.
 */
export async function grade(options: GradeOptions): Promise<Report> {
  const { baseline, plan, record } = options;
  const seen: Seen = { facts: null, evidence: null, baseline, plan, record };
  try {
    const taken = await take(options, seen);
    const moved = unsteady(taken.facts, taken.evidence);
    if (moved === null && !starved(taken.evidence)) return judgeCase(taken, options, options);
    await wait(QUIET_MS, undefined, options.signal ? { signal: options.signal } : {});
    const again = await take(options, seen);
    const evidence = { ...again.evidence, retaken: moved?.slice(0, 500) ?? null };
    return judgeCase({ ...again, evidence }, options, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!(error instanceof LabError)) throw error;
    return brokenReport(seen, error, options, options);
  }
}

type Taken = Seen & { facts: Facts; evidence: Evidence };

/** Facts and the evidence that they call for; `seen` has what there is of it when something goes wrong on the way. */
async function take(options: GradeOptions, seen: Seen): Promise<Taken> {
  const { baseline, plan, record, failFast } = options;
  let facts = (seen.facts = await takeFacts(options));
  const asked = askedOf(options, begun(facts, baseline, plan, record));
  if (asked.some(({ id }) => id === 'cleanup')) facts = seen.facts = await settled(facts, options);
  const known = { ...seen, facts, evidence: nothing };
  const stopAt = failFast === true ? new Set<string>(asked.map(({ id }) => id)) : undefined;
  const open = stillOpen(checksOf(asked), known, stopAt);
  const wanted = new Set(open.flatMap(({ probes }) => probes));
  const evidence = await takeEvidence(wanted, options, copiesWanted(open, known));
  return { ...known, evidence };
}
