import { LabError } from '@handwired/host';
import { askedOf, brokenReport, checksOf, judgeCase, type Seen, type Selection, type Subject } from './judge.ts';
import { begun } from './begun.ts';
import { copiesWanted } from './checks/conditions.ts';
import { stillOpen } from './checks/run.ts';
import type { Report } from './report/report.ts';
import { nothing, settled, type Source, takeEvidence, takeFacts } from './take.ts';

export interface GradeOptions extends Source, Selection, Subject {}

/**
 * Grades a lab: one round trip for facts, one for the experiments that the chapters need. What goes wrong on our side
 * (connection, lab host, programs) is the verdict `error` with its reason; only an abort throws.
 */
export async function grade(options: GradeOptions): Promise<Report> {
  const { baseline, plan, record, failFast } = options;
  const seen: Seen = { facts: null, evidence: null, baseline, plan, record };
  try {
    let facts = (seen.facts = await takeFacts(options));
    const asked = askedOf(options, begun(facts, baseline, plan, record));
    if (asked.some(({ id }) => id === 'cleanup')) facts = seen.facts = await settled(facts, options);
    const known = { ...seen, facts, evidence: nothing };
    const stopAt = failFast === true ? new Set<string>(asked.map(({ id }) => id)) : undefined;
    const open = stillOpen(checksOf(asked), known, stopAt);
    const wanted = new Set(open.flatMap(({ probes }) => probes));
    const evidence = await takeEvidence(wanted, options, copiesWanted(open, known));
    return judgeCase({ ...known, evidence }, options, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!(error instanceof LabError)) throw error;
    return brokenReport(seen, error, options, options);
  }
}
