import { setTimeout as wait } from 'node:timers/promises';
import { type ChapterId, LabError, type OpenSeat, type Plan } from '@handwired/host';
import { explainFailures } from '../diagnosis/diagnose.ts';
import { Evidence, wasStarved } from '../evidence/evidence.ts';
import type { CopiesWanted, ProbeId } from '../evidence/probes.ts';
import { runProbes } from '../evidence/run.ts';
import type { Facts } from '../facts/facts.ts';
import { observeFacts } from '../facts/observe.ts';
import { findTampering, guardCheck, describeUnrest } from '../judge/integrity.ts';
import { failWithError, runChecks, selectOpenChecks } from '../judge/run.ts';
import { findBegun, findNames, listChecks, selectWithNeeds } from '../queries/chapters.ts';
import type { Case, Check, GradedChapter, HintLevel } from '../queries/check.ts';
import { chooseCopies, mayBeLate } from '../queries/conditions.ts';
import { canSettle } from '../queries/leftovers.ts';
import { type LabRecord, noteBegun } from '../record.ts';
import { type Report, makeReport } from '../report/report.ts';
import { digestOfJson } from './canonical.ts';

/** A lab host, what was recorded about it before, and the course. */
export interface Source {
  seat: OpenSeat;
  /** Every chapter of the course, in order. */
  chapters: readonly GradedChapter[];
  plan: Plan;
  /** Facts of the lab host as it was handed over. */
  baseline: Facts;
  /** Updated in place. The caller saves it afterwards. */
  record: LabRecord;
  signal?: AbortSignal | undefined;
}

/** Milliseconds. Leftovers that may disappear by themselves get this long. */
const SETTLE_MS = 3000;

/** Takes one snapshot in one round trip, and notes in the record which chapters it shows begun. */
export async function takeFacts({ seat, chapters, plan, baseline, record, signal }: Source): Promise<Facts> {
  const facts = await observeFacts(seat, { baseline, ...(signal ? { signal } : {}) });
  noteBegun(record, findBegun(chapters, { facts, baseline, plan, record }), findNames(facts, baseline));
  return facts;
}

/** Takes the facts again until nothing in them may still disappear by itself. */
export async function waitUntilSettled(first: Facts, { seat, baseline, signal }: Source): Promise<Facts> {
  const end = performance.now() + SETTLE_MS;
  let facts = first;
  while ((canSettle(facts, baseline) || describeUnrest(facts, null) !== null) && performance.now() < end) {
    await wait(100, undefined, signal ? { signal } : {});
    facts = await observeFacts(seat, { baseline, ...(signal ? { signal } : {}) });
  }
  return facts;
}

/**
 * Makes the wanted experiments on the lab host and in copies of it, in one round trip. Makes none if none are wanted.
 */
export function takeEvidence(
  wanted: ReadonlySet<ProbeId>,
  { seat, plan, baseline, signal }: Source,
  copies?: CopiesWanted,
): Promise<Evidence> {
  return wanted.size === 0
    ? Promise.resolve(noExperiments)
    : runProbes(seat, { plan, baseline, wanted, copies, signal });
}

/** The evidence of a grading that needs no experiment. */
export const noExperiments = Evidence.parse({ results: {}, seen: [], over: false, drops: {}, lost: 0 });

/** What to grade, and how much the hints say. */
export interface Selection {
  /** The course's chapters in order. */
  chapters: readonly GradedChapter[];
  /** `only` grades one chapter, `through` all chapters up to one. With neither, all begun chapters are graded. */
  only?: ChapterId | undefined;
  through?: ChapterId | undefined;
  /** Stop after the first failure of a check of these chapters. */
  failFast?: boolean | undefined;
  /** How much the hints say (default 1). */
  hints?: HintLevel | undefined;
}

/** The lab that a report is about. */
export interface Subject {
  lab: string;
  driver: Report['driver'];
}

/** A case that may be incomplete. `evidence` null: no experiments were made. `facts` null: no snapshot. */
export type Seen = Omit<Case, 'facts' | 'evidence'> & { facts: Facts | null; evidence: Case['evidence'] | null };

/** sha256 over the canonical JSON of everything that verdicts depend on. Reports and recordings carry it. */
export const digestCase = ({ facts, evidence, baseline, plan, record }: Seen): string =>
  digestOfJson({ facts, evidence, baseline, plan, record });

/** The chapters to grade. Chapters without checks are left out. */
function selectChapters({ only, through, ...selection }: Selection, found: readonly ChapterId[]): GradedChapter[] {
  const last = selection.chapters.findIndex(({ id }) => id === through);
  const upTo = new Set(selection.chapters.slice(0, last + 1));
  const chapters = selection.chapters.filter(({ checks }) => checks.length > 0);
  if (only !== undefined) return chapters.filter(({ id }) => id === only);
  if (through !== undefined) return chapters.filter((chapter) => upTo.has(chapter));
  return chapters.filter(({ id }) => found.includes(id));
}

const selectChecks = ({ chapters }: Selection, asked: readonly GradedChapter[]): Check[] =>
  selectWithNeeds(chapters, new Set(asked.map(({ id }) => id)));

/** Grades a case. Pure: the same case gives the same report, live or recorded. */
export function judgeCase(lab: Seen & { facts: Facts }, selection: Selection, subject: Subject): Report {
  const { facts, evidence, baseline, plan, record } = lab;
  const asked = selectChapters(selection, findBegun(selection.chapters, { facts, baseline, plan, record }));
  const findings = findTampering({ ...lab, evidence: evidence ?? noEvidence });
  const own = selectChecks(selection, asked).map((check) => guardCheck(check, findings));
  const stopAt = selection.failFast === true ? new Set<string>(asked.map(({ id }) => id)) : undefined;
  const moved = describeUnrest(facts, evidence);
  const outcomes =
    moved !== null
      ? failWithError(own, `things changed while we looked: ${moved}. Next: lab check`)
      : evidence === null
        ? runChecks(own.map(withoutEvidence), { ...lab, evidence: noEvidence }, stopAt)
        : runChecks(own, { ...lab, evidence }, stopAt);
  const explained = explainFailures(outcomes, { ...lab, evidence: evidence ?? noEvidence });
  const made = {
    plan,
    chapters: asked,
    outcomes: explained,
    hints: selection.hints,
    digest: digestCase(lab),
    findings,
  };
  return makeReport({ ...subject, ...made });
}

const noEvidence: Case['evidence'] = {
  results: {},
  seen: [],
  over: false,
  drops: {},
  copies: [],
  changes: [],
  retaken: null,
  lost: 0,
  steady: null,
};

const withoutEvidence = (check: Check): Check => {
  const reason = 'no experiments were recorded. Next: lab facts -o json, without --no-evidence';
  return check.probes.length === 0 ? check : { ...check, judge: () => ({ verdict: 'error', expected: '', reason }) };
};

/** The report about an error of ours: every selected check is in error, without a verdict on the learner. */
export function reportTrouble(lab: Seen, error: LabError, selection: Selection, subject: Subject): Report {
  const reason = `${error.message}${error.where ? ` (${error.where})` : ''}. Next: ${error.next}`;
  const { facts, baseline, plan, record } = lab;
  const found = facts
    ? findBegun(selection.chapters, { facts, baseline, plan, record })
    : (Object.keys(record.begun) as ChapterId[]);
  const known = selectChapters(selection, found);
  const asked = known.length > 0 ? known : [...selection.chapters];
  const own = listChecks(asked);
  return makeReport({
    ...subject,
    plan,
    chapters: asked,
    outcomes: failWithError(own, reason),
    digest: digestCase(lab),
  });
}

/**
 * Milliseconds without packets of ours before a second take. State that our packets switched on is off again by then.
 */
const QUIET_MS = 2000;

/** A lab host, what to grade, and the lab that the report is about. */
export interface GradeOptions extends Source, Selection, Subject {}

/**
 * Grades a lab: one round trip for facts, one for the experiments that the chapters need. Trouble on our side
 * (connection, lab host, programs) gives the verdict `error` with its reason; only an abort throws. When something
 * changed meanwhile, or a check did not pass and an answer may only have been late, everything is taken once more, so
 * that no verdict depends on two states or on a busy lab host.
 */
export async function gradeSource(options: GradeOptions): Promise<Report> {
  const { baseline, plan, record } = options;
  const seen: Seen = { facts: null, evidence: null, baseline, plan, record };
  try {
    const taken = await takeCase(options, seen);
    const moved = describeUnrest(taken.facts, taken.evidence);
    if (moved === null) {
      const report = judgeCase(taken, options, options);
      if (!mayBeBusy(report, taken.evidence, options)) return report;
    }
    await wait(QUIET_MS, undefined, options.signal ? { signal: options.signal } : {});
    const again = await takeCase(options, seen);
    const evidence = { ...again.evidence, retaken: moved?.slice(0, 500) ?? null };
    return judgeCase({ ...again, evidence }, options, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!(error instanceof LabError)) throw error;
    return reportTrouble(seen, error, options, options);
  }
}

/** Did a check not pass, perhaps only because an answer came too late? */
function mayBeBusy({ checks }: Report, evidence: Evidence, { chapters }: Selection): boolean {
  if (wasStarved(evidence)) return checks.some(({ verdict }) => verdict !== 'pass');
  const inCopies = listChecks(chapters).filter(({ copies }) => copies !== undefined);
  const isFailed = ({ id }: Check): boolean => checks.some((one) => one.id === id && one.verdict === 'fail');
  return mayBeLate(evidence) && inCopies.some(isFailed);
}

type Taken = Seen & { facts: Facts; evidence: Evidence };

/** Takes facts and the evidence that the checks need. `seen` keeps what was taken if something goes wrong. */
async function takeCase(options: GradeOptions, seen: Seen): Promise<Taken> {
  const { baseline, plan, record, failFast } = options;
  let facts = (seen.facts = await takeFacts(options));
  const asked = selectChapters(options, findBegun(options.chapters, { facts, baseline, plan, record }));
  if (asked.some(({ id }) => id === 'cleanup')) facts = seen.facts = await waitUntilSettled(facts, options);
  const known = { ...seen, facts, evidence: noExperiments };
  const stopAt = failFast === true ? new Set<string>(asked.map(({ id }) => id)) : undefined;
  const open = selectOpenChecks(selectChecks(options, asked), known, stopAt);
  const wanted = new Set(open.flatMap(({ probes }) => probes));
  const evidence = await takeEvidence(wanted, options, chooseCopies(open, known));
  return { ...known, evidence };
}
