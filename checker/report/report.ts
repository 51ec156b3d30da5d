import { chapterIds, type ChapterInfo, EXIT, type Plan } from '@handwired/host';
import { z } from 'zod';
import type { Outcome } from '../judge/run.ts';
import { renderHint, type HintLevel } from '../queries/check.ts';
import { escapeText } from './escape.ts';

/**
 * Divides a whole by weights into shares of two decimals that add up to exactly the whole. It uses the
 * largest-remainder method; of equal remainders the earlier comes first. Weights are above 0. Without weights there are
 * no shares.
 */
export function sharePoints(whole: number, weights: readonly number[]): number[] {
  const total = sum(weights);
  const exact = weights.map((weight) => (whole * 100 * weight) / total);
  const shares = exact.map(Math.floor);
  const left = Math.round(whole * 100) - sum(shares);
  const order = exact
    .map((value, at) => ({ at, rest: value - Math.floor(value) }))
    // Remainders that differ only by rounding errors are equal.
    .sort((a, b) => (Math.abs(a.rest - b.rest) < 1e-6 ? a.at - b.at : b.rest - a.rest));
  for (const { at } of order.slice(0, left)) shares[at] = (shares[at] ?? 0) + 1;
  return shares.map((share) => share / 100);
}

/** The sum of points, rounded to two decimals. */
export const sumPoints = (points: readonly number[]): number => Math.round(sum(points) * 100) / 100;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const Verdict = z.enum(['pass', 'fail', 'skipped', 'error']);

/** Where the packets of a failed check ended, and why. */
const ReportedDiagnosis = z.object({
  /** Sender and destination: `ct1 to internet`. */
  path: z.string(),
  /** The first place where the path breaks: `FORWARD`. */
  hop: z.string(),
  /** Id of the cause; null: the evidence names none. */
  cause: z.string().nullable(),
  /** What supports the cause, one line each. */
  seen: z.array(z.string()).max(20),
  /** The places up to `hop`, in order. The path breaks at the last one. */
  trail: z.array(z.object({ hop: z.string(), passed: z.boolean() })).max(30),
});

const ReportedCheck = z.object({
  id: z.string(),
  chapter: z.enum(chapterIds),
  title: z.string(),
  verdict: Verdict,
  expected: z.string(),
  actual: z.string(),
  evidence: z.array(z.string()),
  /** At the requested level. At level 3 all lines can be typed: what is wrong is a comment, the commands follow. */
  hint: z.string().nullable(),
  diagnosis: ReportedDiagnosis.nullable(),
  /** Why the check was skipped, or what went wrong on our side. */
  because: z.string().nullable(),
  /** The check's share of the chapter's points, with two decimals. A chapter's shares add up to its points. */
  of: z.number(),
  /** `of` or 0; null: the check is in error and was not graded. */
  points: z.number().nullable(),
});

const ReportedChapter = z.object({
  id: z.enum(chapterIds),
  number: z.string(),
  title: z.string(),
  /** `error` if one of the chapter's checks is in error; `pass` if all of them pass. */
  verdict: z.enum(['pass', 'fail', 'error']),
  /** The sum of the checks' points; null: a check is in error, so the chapter is not graded. */
  points: z.number().nullable(),
  of: z.int(),
});

/** The result of one grading of one lab. Every output format is made from it. */
export const Report = z.object({
  schemaVersion: z.literal(1),
  lab: z.string(),
  driver: z.enum(['vm', 'sandbox']),
  /** The level of its hints: 0 none, 1 where to look, 2 what is wrong, 3 the commands that mend it. */
  hints: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]),
  summary: z.object({
    pass: z.int(),
    fail: z.int(),
    skipped: z.int(),
    error: z.int(),
    /** null: a check is in error. */
    points: z.number().nullable(),
    of: z.int(),
    chapters: z.array(ReportedChapter),
  }),
  checks: z.array(ReportedCheck),
  integrity: z.object({
    /** sha256 over the canonical JSON (RFC 8785) of the facts, evidence, baseline, plan and record that were graded. */
    digest: z.string(),
    /** Signs of tampering: judge/integrity.ts. */
    findings: z.array(z.object({ id: z.string(), what: z.string() })),
  }),
  /** 0 all checks pass, 1 some do not, 2 nothing to grade, 3 our error. */
  exit: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]),
});
export type Report = z.infer<typeof Report>;
/** One check of a report. */
export type ReportedCheck = Report['checks'][number];

/** What a report is made from. */
export interface ReportInput {
  lab: string;
  driver: Report['driver'];
  plan: Plan;
  /** The chapters to report, in order. */
  chapters: readonly ChapterInfo[];
  outcomes: readonly Outcome[];
  /** How much the hints say (default 1). */
  hints?: HintLevel | undefined;
  /** Digest of what was graded: `digestCase` in grading/grade.ts. */
  digest: string;
  /** Signs of tampering: judge/integrity.ts. */
  findings?: readonly { id: string; what: string }[] | undefined;
}

/** Makes the report with counts, points and exit code. Outcomes of other chapters are left out. */
export function makeReport({
  lab,
  driver,
  plan,
  chapters,
  outcomes,
  hints = 1,
  digest,
  findings = [],
}: ReportInput): Report {
  const checks = chapters.flatMap((chapter) => reportChecks(chapter, outcomes, plan, hints));
  const graded = chapters.map((chapter) => sumChapter(chapter, checks));
  const count = (verdict: z.infer<typeof Verdict>): number =>
    checks.filter((check) => check.verdict === verdict).length;
  return {
    schemaVersion: 1,
    lab,
    driver,
    hints,
    summary: {
      pass: count('pass'),
      fail: count('fail'),
      skipped: count('skipped'),
      error: count('error'),
      points: count('error') > 0 ? null : sumPoints(graded.map(({ points }) => points ?? 0)),
      of: sumPoints(graded.map(({ of }) => of)),
      chapters: graded,
    },
    checks,
    integrity: { digest, findings: findings.map(({ id, what }) => ({ id, what: cut(what, 300) })) },
    exit: chooseExit(checks),
  };
}

function chooseExit(checks: readonly ReportedCheck[]): Report['exit'] {
  if (checks.length === 0) return EXIT.nothing;
  if (checks.some(({ verdict }) => verdict === 'error')) return EXIT.fault;
  return checks.every(({ verdict }) => verdict === 'pass') ? EXIT.ok : EXIT.failed;
}

/** A chapter's own checks, each with its share of the points. */
function reportChecks(
  { id, points }: ChapterInfo,
  outcomes: readonly Outcome[],
  plan: Plan,
  level: HintLevel,
): ReportedCheck[] {
  const own = outcomes.filter(({ check }) => check.chapter === id);
  const shares = sharePoints(
    points,
    own.map(({ check }) => check.weight ?? 1),
  );
  return own.map((outcome, at) => reported(outcome, plan, level, shares[at] ?? 0));
}

function reported({ check, ...rest }: Outcome, plan: Plan, level: HintLevel, of: number): ReportedCheck {
  const { verdict, expected, actual, evidence, diagnosis, because } = rest;
  const hint = rest.hint === null ? null : renderHint(rest.hint, level);
  return {
    id: check.id,
    chapter: check.chapter,
    title: check.title(plan),
    verdict,
    expected,
    actual: cut(actual, 500),
    evidence: evidence.slice(0, 60).map((line) => cut(line, 300)),
    hint: hint === null ? null : cut(hint, HINT_LENGTH),
    diagnosis:
      diagnosis === null ? null : { ...diagnosis, seen: diagnosis.seen.slice(0, 20).map((line) => cut(line, 300)) },
    because,
    of,
    points: verdict === 'error' ? null : verdict === 'pass' ? of : 0,
  };
}

/** Characters. Long enough for the commands that rebuild a container. */
const HINT_LENGTH = 4000;

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

function sumChapter(
  { id, number, title, points }: ChapterInfo,
  checks: readonly ReportedCheck[],
): Report['summary']['chapters'][number] {
  const own = checks.filter(({ chapter }) => chapter === id);
  const broken = own.some(({ verdict }) => verdict === 'error');
  const whole = own.length > 0 && own.every(({ verdict }) => verdict === 'pass');
  return {
    id,
    number,
    title,
    verdict: broken ? 'error' : whole ? 'pass' : 'fail',
    points: broken ? null : sumPoints(own.map((check) => check.points ?? 0)),
    of: points,
  };
}

/** Counts and points on one line, the last line of reports for people. */
export function renderSummary({ lab, driver, summary }: Report): string {
  const { pass, fail, skipped, error, points, of } = summary;
  const counts = [`${pass} pass`, `${fail} fail`, `${skipped} skipped`, ...(error > 0 ? [`${error} error`] : [])];
  return `${lab} (${driver}): ${counts.join(', ')}; ${points === null ? 'not graded' : `${points} of ${of} points`}`;
}

/** How far the packets of a failed path got: `ct1 eth0 ✓ veth ✓ br0 ✗`. */
export function renderTrail({ diagnosis }: ReportedCheck): string | undefined {
  if (!diagnosis || diagnosis.trail.length === 0) return undefined;
  return `${diagnosis.path}: ${diagnosis.trail.map(({ hop, passed }) => `${hop} ${passed ? '✓' : '✗'}`).join(' ')}`;
}

/** The details of a check besides its title, each with a name and one or more lines. */
export function listDetails(check: ReportedCheck): { name: string; lines: string[] }[] {
  const { verdict, expected, actual, evidence, diagnosis, hint, because } = check;
  const seen = diagnosis?.seen ?? [];
  const all = {
    because: because === null ? [] : [because],
    expected: verdict === 'fail' ? [expected] : [],
    actual: verdict === 'fail' ? [actual] : [],
    evidence: verdict === 'fail' ? evidence : [],
    path: [renderTrail(check) ?? []].flat(),
    cause: diagnosis?.cause == null ? [] : [diagnosis.cause, ...seen],
    hint: verdict === 'fail' && hint !== null ? hint.split('\n') : [],
  };
  return Object.entries(all)
    .filter(([, lines]) => lines.length > 0)
    .map(([name, lines]) => ({ name, lines: lines.map(escapeText) }));
}
