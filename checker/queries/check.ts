import type { ChapterId, ChapterInfo, Plan } from '@handwired/host';
import type { Evidence } from '../evidence/evidence.ts';
import type { ProbeId } from '../evidence/probes.ts';
import type { Difference } from '../facts/diff.ts';
import type { Facts } from '../facts/facts.ts';
import type { LabRecord } from '../record.ts';

/** What a learner is told of a failure, step by step. */
export interface Hint {
  /** Where to look and with which command; never the answer. */
  where: string;
  /** What is wrong. */
  wrong?: string | undefined;
  /** Commands that mend it, a line each, typeable as they stand at the lab host's bash as root. */
  mend?: string | undefined;
}

/** 0 no hint, 1 where to look, 2 what is wrong, 3 the commands that mend it. */
export type HintLevel = 0 | 1 | 2 | 3;

/** A hint at a level; where nothing is known for it, the level below. At 3 all of it can be typed: what is wrong is a comment. */
export function renderHint({ where, wrong, mend }: Hint, level: HintLevel): string | null {
  if (level === 0) return null;
  if (level === 1) return where;
  if (level === 2 || mend === undefined) return wrong ?? where;
  return wrong === undefined ? mend : `# ${wrong.replaceAll(/\s*\n\s*/g, ' ')}\n${mend}`;
}

/** A place on a path, in order, and whether the packet got past it. */
export interface Station {
  hop: string;
  passed: boolean;
}

/** Where a failed path breaks, and why. */
export interface Diagnosis {
  /** Who wanted to reach whom: `ct1 to internet`. */
  path: string;
  /** The first place that breaks. */
  hop: string;
  /** Id of the most probable cause; null: the evidence names none. */
  cause: string | null;
  /** What supports it, a line each. */
  seen: string[];
  /** Up to that place; the last one breaks. */
  trail: Station[];
}

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
  /** Experiments that are also made in copies of the lab host: queries/conditions.ts. */
  copies?: ProbeId[];
  /** Its share of the chapter's points is its weight over all of the chapter's; above 0, default 1. */
  weight?: number;
  /** Commands, a line each, after which a right build fails it: they prove it on a lab host. Absent: tests/corpus/ has some. */
  breaks?: (plan: Plan) => string;
  /**
   * Sources of facts that the verdict stands on, as they begin in `facts.problems`: a place and a reader's name, such as
   * `root iptables` or `netns ct1 links`. When one of them gave no answer the verdict is `error`.
   */
  sources?: string[];
  judge: (lab: Case) => Judgement;
}

/** A check as its chapter's checks.ts has it: the folder says which chapter it is of. */
export type ChapterCheck = Omit<Check, 'chapter'>;

/** What tells whether a chapter was begun. */
export interface Signs extends Omit<Case, 'evidence'> {
  /** What is new or another than in the baseline. */
  differences: readonly Difference[];
}

/** What grades one chapter: what its checks.ts holds. */
export interface ChapterChecks {
  /** Does the lab host, or the record, show that the learner began it? */
  isBegun: (signs: Signs) => boolean;
  /** While it is begun by these signs, the lab host is not cleaned up. */
  standing?: boolean;
  /** Each after those that it needs. */
  checks: readonly ChapterCheck[];
}

/** A chapter with what grades it. */
export interface GradedChapter extends ChapterInfo, Omit<ChapterChecks, 'checks'> {
  checks: readonly Check[];
}

interface Seen {
  expected: string;
  actual: string;
  evidence?: string[];
}

/** The judgement of a check that passes. */
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
  hint: hint ? { where: 'what was expected, and what was found instead', ...hint } : null,
});
