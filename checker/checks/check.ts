import type { ChapterId, Plan } from '@handwired/host';
import type { Facts } from '../facts/facts.ts';
import type { Evidence } from '../probes/evidence.ts';
import type { ProbeId } from '../probes/list.ts';
import type { Hint } from '../diagnosis/hint.ts';
import type { Record as LabRecord } from '../record.ts';

/** All that a check may look at. */
export interface Case {
  facts: Facts;
  /** What the check's own probes yielded; reading another's is an error. */
  evidence: Evidence;
  baseline: Facts;
  plan: Plan;
  record: LabRecord;
}

/** What a check says of a case. `skipped`: it can't be told as long as the named check fails. */
export type Judgement =
  | { verdict: 'pass'; expected: string; actual: string; evidence: string[] }
  | { verdict: 'fail'; expected: string; actual: string; evidence: string[]; hint: Hint | null }
  | { verdict: 'skipped'; expected: string; unless: string }
  | { verdict: 'error'; expected: string; reason: string };

/** One thing that is right or wrong about a lab. A pure function of a case, and the data to run it by. */
export interface Check {
  /** `CHAPTER.NAME` */
  id: string;
  chapter: ChapterId;
  /** A sentence that is true when the check passes. */
  title: (plan: Plan) => string;
  /** Checks without which this one makes no sense: it is skipped when one of them does not pass. */
  needs: string[];
  /** Checks without which a pass would be by accident: then it is skipped; a failure counts all the same. */
  passNeeds?: string[];
  probes: ProbeId[];
  /** Experiments that are also made in copies of the lab host: probes/copies.ts. */
  copies?: ProbeId[];
  /** Its share of the chapter's points is its weight over all of the chapter's; above 0, default 1. */
  weight?: number;
  /** Sources of facts that the verdict stands on, as they begin in `facts.problems`. */
  sources?: string[];
  judge: (the: Case) => Judgement;
}

interface Seen {
  expected: string;
  actual: string;
  evidence?: string[];
}

export const pass = ({ expected, actual, evidence }: Seen): Judgement => ({
  verdict: 'pass',
  expected,
  actual,
  evidence: evidence ?? [],
});

/** `hint` is what the check itself can say; a cause that is found says more (diagnosis/). */
export const fail = ({ expected, actual, evidence, hint }: Seen & { hint?: Partial<Hint> | undefined }): Judgement => ({
  verdict: 'fail',
  expected,
  actual,
  evidence: evidence ?? [],
  hint: hint ? { look: 'what was expected, and what was found instead', ...hint } : null,
});
