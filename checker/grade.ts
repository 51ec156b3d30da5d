import { setTimeout as wait } from 'node:timers/promises';
import { type ChapterId, type ChapterInfo, LabError, type Plan, type Session } from '@handwired/host';
import { begun, namesOf } from './begun.ts';
import type { Case, Check } from './checks/check.ts';
import { canSettle } from './checks/cleanup.ts';
import { closureOf } from './checks/registry.ts';
import { allErrors, type Outcome, runChecks, stillOpen } from './checks/run.ts';
import type { HintLevel } from './diagnosis/hint.ts';
import type { Facts } from './facts/facts.ts';
import { observe } from './facts/observe.ts';
import { Evidence } from './probes/evidence.ts';
import { runProbes } from './probes/run.ts';
import { noteBegun, type Record } from './record.ts';
import { type Report, reportOf } from './report/report.ts';

export interface GradeOptions {
  session: Session;
  lab: string;
  driver: 'vm' | 'sandbox';
  plan: Plan;
  /** Facts of the lab host as it was handed over. */
  baseline: Facts;
  /** Brought up to date in place: the caller saves it afterwards. */
  record: Record;
  /** The course's chapters in order. */
  chapters: readonly ChapterInfo[];
  /** This chapter alone; or all up to one; neither: every chapter that has been begun. */
  only?: ChapterId;
  through?: ChapterId;
  /** How much the hints say (default 1). */
  hints?: HintLevel | undefined;
  signal?: AbortSignal;
}

/** How long leftovers that can go by themselves are waited for. */
const SETTLE_MS = 3000;

/**
 * Grades a lab: one round trip for facts, one for the experiments that the chapters need. What goes wrong on our side
 * (connection, lab host, programs) is the verdict `error` with its reason; only an abort throws.
 */
export async function grade(options: GradeOptions): Promise<Report> {
  const { session, plan, baseline, record, signal } = options;
  let facts: Facts;
  try {
    facts = await observe(session, { plan, ...(signal ? { signal } : {}) });
  } catch (error) {
    return broken(options, error);
  }
  const found = begun(facts, baseline, plan, record);
  noteBegun(record, found, namesOf(facts, baseline));
  const asked = askedOf(options, found);
  const checks = closureOf(new Set(asked.map(({ id }) => id)));
  try {
    if (asked.some(({ id }) => id === 'cleanup')) facts = await settled(facts, options);
    const known: Case = { facts, evidence: nothing, baseline, plan, record };
    const evidence = await experiments(stillOpen(checks, known), options);
    return reportFor(options, asked, runChecks(checks, { ...known, evidence }));
  } catch (error) {
    return broken(options, error, asked);
  }
}

function askedOf({ chapters, only, through }: GradeOptions, found: readonly ChapterId[]): ChapterInfo[] {
  if (only !== undefined) return chapters.filter(({ id }) => id === only);
  if (through !== undefined) return chapters.slice(0, chapters.findIndex(({ id }) => id === through) + 1);
  return chapters.filter(({ id }) => found.includes(id));
}

const reportFor = ({ lab, driver, plan, hints }: GradeOptions, chapters: ChapterInfo[], outcomes: Outcome[]): Report =>
  reportOf({ lab, driver, plan, chapters, outcomes, hints });

const nothing = Evidence.parse({ results: {}, seen: [], over: false, drops: {}, log: [], lost: 0 });

async function experiments(checks: readonly Check[], { session, plan, signal }: GradeOptions): Promise<Evidence> {
  const wanted = new Set(checks.flatMap((check) => check.probes));
  return wanted.size === 0 ? nothing : runProbes(session, { plan, wanted, signal });
}

/** The facts again, as long as something in them can still go by itself. */
async function settled(first: Facts, { session, plan, baseline, signal }: GradeOptions): Promise<Facts> {
  const end = performance.now() + SETTLE_MS;
  let facts = first;
  while (canSettle(facts, baseline) && performance.now() < end) {
    await wait(100, undefined, signal ? { signal } : {});
    facts = await observe(session, { plan, ...(signal ? { signal } : {}) });
  }
  return facts;
}

/** Our own trouble as a report: every check that was asked for is in error. An abort is the caller's own. */
function broken(options: GradeOptions, error: unknown, asked?: ChapterInfo[]): Report {
  options.signal?.throwIfAborted();
  if (!(error instanceof LabError)) throw error;
  const reason = `${error.message}${error.where ? ` (${error.where})` : ''}. Next: ${error.next}`;
  const known = asked ?? askedOf(options, Object.keys(options.record.begun) as ChapterId[]);
  const chapters = known.length > 0 ? known : [...options.chapters];
  const ids = new Set<string>(chapters.map(({ id }) => id));
  const checks = closureOf(ids).filter(({ chapter }) => ids.has(chapter));
  return reportFor(options, chapters, allErrors(checks, reason));
}
