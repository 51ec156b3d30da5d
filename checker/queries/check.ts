import type { ChapterId, ChapterInfo, Plan } from '@handwired/host';
import type { Evidence } from '../evidence/evidence.ts';
import type { ProbeId } from '../evidence/probes.ts';
import type { Difference } from '../facts/diff.ts';
import type { Facts } from '../facts/facts.ts';
import type { LabRecord } from '../record.ts';

/** Help with a failure, in three steps. */
export interface Hint {
  /** Where to look and with which command; never the answer. */
  where: string;
  /** What is wrong. */
  wrong?: string | undefined;
  /** Commands that repair it, one per line. Root can type them unchanged in the lab host's bash. */
  mend?: string | undefined;
}

/** 0 no hint, 1 where to look, 2 what is wrong, 3 the commands that repair it. */
export type HintLevel = 0 | 1 | 2 | 3;

/**
 * The hint at a level. When the hint has nothing for that level, the level below is used. At level 3 what is wrong
 * becomes a comment, so that all lines can be typed.
 */
export function renderHint({ where, wrong, mend }: Hint, level: HintLevel): string | null {
  if (level === 0) return null;
  if (level === 1) return where;
  if (level === 2 || mend === undefined) return wrong ?? where;
  return wrong === undefined ? mend : `# ${wrong.replaceAll(/\s*\n\s*/g, ' ')}\n${mend}`;
}

/** One place on a path, and whether the packet got past it. */
export interface Station {
  hop: string;
  passed: boolean;
}

/** Where a failed path breaks, and why. */
export interface Diagnosis {
  /** Sender and destination: `ct1 to internet`. */
  path: string;
  /** The first place where the path breaks. */
  hop: string;
  /** Id of the most probable cause; null: the evidence names none. */
  cause: string | null;
  /** What supports the cause, one line each. */
  seen: string[];
  /** The places up to `hop`. The path breaks at the last one. */
  trail: Station[];
}

/** Everything that a check may read. */
export interface Case {
  facts: Facts;
  /** Results of experiments. A check may read only those of its own `probes`: see `findResult`. */
  evidence: Evidence;
  baseline: Facts;
  plan: Plan;
  record: LabRecord;
}

/** A check's verdict on a case. `skipped`: the check can't be judged until the check `unless` passes. */
export type Judgement =
  | { verdict: 'pass'; expected: string; actual: string; evidence: string[] }
  | { verdict: 'fail'; expected: string; actual: string; evidence: string[]; hint: Hint | null }
  | { verdict: 'skipped'; expected: string; unless: string }
  | { verdict: 'error'; expected: string; reason: string };

/**
 * One thing that is right or wrong about a lab: `judge`, a pure function of a case, and the data that it needs to run.
 */
export interface Check {
  /** `CHAPTER.NAME` */
  id: string;
  chapter: ChapterId;
  /** A sentence that is true when the check passes. */
  title: (plan: Plan) => string;
  /** Checks that must pass first. When one of them does not, this check is skipped. */
  needs: string[];
  /** If one of these checks does not pass, a pass would be an accident and becomes `skipped`. A failure counts. */
  passNeeds?: string[];
  probes: ProbeId[];
  /** Experiments that are also made in copies of the lab host: queries/conditions.ts. */
  copies?: ProbeId[];
  /** The check gets weight / sum of the chapter's weights of the chapter's points. Above 0, default 1. */
  weight?: number;
  /** For tests: commands, one per line, that make a right build fail this check. Absent: tests/corpus/ has some. */
  breaks?: (plan: Plan) => string;
  /**
   * Sources that the verdict depends on. Each is the beginning of a `source` in `facts.problems`: `root iptables` or
   * `netns ct1 links`. When one of them has a problem, the verdict is `error`.
   */
  sources?: string[];
  judge: (lab: Case) => Judgement;
}

/** A check in its chapter's checks.ts. The folder tells the chapter. */
export type ChapterCheck = Omit<Check, 'chapter'>;

/** What `isBegun` may read. */
export interface Signs extends Omit<Case, 'evidence'> {
  /** What is new or changed since the baseline. */
  differences: readonly Difference[];
}

/** The contents of a chapter's checks.ts. */
export interface ChapterChecks {
  /** Does the lab host, or the record, show that the learner began it? */
  isBegun: (signs: Signs) => boolean;
  /** True: as long as `isBegun` is true, the lab host is not cleaned up. */
  standing?: boolean;
  /** A check comes after the checks that it needs. */
  checks: readonly ChapterCheck[];
}

/** A chapter with its checks. */
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

/** What was not seen in a namespace proves nothing: its capture was blind (isBlind). `where`: `ct1`, `the world`. */
export const lostPackets = (where: string, expected: string): Judgement => ({
  verdict: 'error',
  expected,
  reason: `the capture in ${where} lost packets`,
});

/** The judgement of a check that fails. `hint` is the check's own; a cause found later says more (diagnosis/). */
export const fail = ({ expected, actual, evidence, hint }: Seen & { hint?: Partial<Hint> | undefined }): Judgement => ({
  verdict: 'fail',
  expected,
  actual,
  evidence: evidence ?? [],
  hint: hint ? { where: 'what was expected, and what was found instead', ...hint } : null,
});
