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
import { findBegun, findNames, selectWithNeeds } from '../queries/chapters.ts';
import type { Case, Check, GradedChapter, HintLevel } from '../queries/check.ts';
import { chooseCopies } from '../queries/conditions.ts';
import { canSettle } from '../queries/leftovers.ts';
import { type LabRecord, noteBegun } from '../record.ts';
import { type Report, makeReport } from '../report/report.ts';
import { digestOfJson } from './canonical.ts';

/** A lab host, what is known of it from before, and the course. */
export interface Source {
  seat: OpenSeat;
  /** Every chapter of the course, in order. */
  chapters: readonly GradedChapter[];
  plan: Plan;
  /** Facts of the lab host as it was handed over. */
  baseline: Facts;
  /** Brought up to date in place: the caller saves it afterwards. */
  record: LabRecord;
  signal?: AbortSignal | undefined;
}

/** How long leftovers that can go by themselves are waited for. */
const SETTLE_MS = 3000;

/** One snapshot, in one round trip; what it shows begun is noted in the record. */
export async function takeFacts({ seat, chapters, plan, baseline, record, signal }: Source): Promise<Facts> {
  const facts = await observeFacts(seat, { baseline, ...(signal ? { signal } : {}) });
  noteBegun(record, findBegun(chapters, { facts, baseline, plan, record }), findNames(facts, baseline));
  return facts;
}

/** The facts again, as long as something in them can still go by itself. */
export async function waitUntilSettled(first: Facts, { seat, baseline, signal }: Source): Promise<Facts> {
  const end = performance.now() + SETTLE_MS;
  let facts = first;
  while ((canSettle(facts, baseline) || describeUnrest(facts, null) !== null) && performance.now() < end) {
    await wait(100, undefined, signal ? { signal } : {});
    facts = await observeFacts(seat, { baseline, ...(signal ? { signal } : {}) });
  }
  return facts;
}

/** What some probes yield on the lab host, and some in copies of it, in one round trip; none wanted: none made. */
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

/** What of a lab is to be graded. */
export interface Selection {
  /** The course's chapters in order. */
  chapters: readonly GradedChapter[];
  /** This chapter alone; or all up to one; neither: every chapter that has been begun. */
  only?: ChapterId | undefined;
  through?: ChapterId | undefined;
  /** Nothing more is run once a check of these chapters fails. */
  failFast?: boolean | undefined;
  /** How much the hints say (default 1). */
  hints?: HintLevel | undefined;
}

/** Whose report it is. */
export interface Subject {
  lab: string;
  driver: Report['driver'];
}

/** A case as far as it was got: `evidence` null when no experiments were made, `facts` null when nothing was seen. */
export type Seen = Omit<Case, 'facts' | 'evidence'> & { facts: Facts | null; evidence: Case['evidence'] | null };

/** sha256 over the canonical JSON of all that a verdict stands on: what a report carries, and a recording is told by. */
export const digestCase = ({ facts, evidence, baseline, plan, record }: Seen): string =>
  digestOfJson({ facts, evidence, baseline, plan, record });

/** Of the chapters that have checks at all, those that are to be graded. */
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

/** Grades what was seen. Pure: the same case gives the same report, wherever it comes from. */
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

/** Our own trouble as a report: every check that was asked for is in error, and none has a verdict on the learner. */
export function reportTrouble(lab: Seen, error: LabError, selection: Selection, subject: Subject): Report {
  const reason = `${error.message}${error.where ? ` (${error.where})` : ''}. Next: ${error.next}`;
  const { facts, baseline, plan, record } = lab;
  const found = facts
    ? findBegun(selection.chapters, { facts, baseline, plan, record })
    : (Object.keys(record.begun) as ChapterId[]);
  const known = selectChapters(selection, found);
  const asked = known.length > 0 ? known : [...selection.chapters];
  const own = asked.flatMap(({ checks }) => checks);
  return makeReport({
    ...subject,
    plan,
    chapters: asked,
    outcomes: failWithError(own, reason),
    digest: digestCase(lab),
  });
}

/** Before a second take nothing of ours is sent for so long: what only our packets switched on is off again by then. */
const QUIET_MS = 2000;

/** A lab host, what of it is to be graded, and whose report it is. */
export interface GradeOptions extends Source, Selection, Subject {}

/**
 * Grades a lab: one round trip for facts, one for the experiments that the chapters need. What goes wrong on our side
 * (connection, lab host, programs) is the verdict `error` with its reason; only an abort throws. When something changed
 * between the first look and the last, or the lab host stood still, all of it is taken once more, so that no verdict
 * stands on two states or on answers that we could not wait for.
 */
export async function gradeSource(options: GradeOptions): Promise<Report> {
  const { baseline, plan, record } = options;
  const seen: Seen = { facts: null, evidence: null, baseline, plan, record };
  try {
    const taken = await takeCase(options, seen);
    const moved = describeUnrest(taken.facts, taken.evidence);
    if (moved === null && !wasStarved(taken.evidence)) return judgeCase(taken, options, options);
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

type Taken = Seen & { facts: Facts; evidence: Evidence };

/** Facts and the evidence that they call for; `seen` has what there is of it when something goes wrong on the way. */
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
