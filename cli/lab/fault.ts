/** The fault that is in place in a lab: what is kept of it, how it is put in, and how a lab with it is graded. */
import { rm } from 'node:fs/promises';
import { loadRecord, noteFault, type Report, saveRecord } from '@handwired/checker';
import {
  type ChapterId,
  chapterIds,
  EXIT,
  faultFile,
  LabError,
  type LabSpec,
  type OpenSeat,
  readJson,
  recordFile,
  type Session,
  writeAtomic,
} from '@handwired/host';
import { chapters } from '@handwired/labs';
import { applyFaults, type Fault, faults, findFitting } from '@handwired/labs/faults';
import { z } from 'zod';
import { type Context, renderLabFlag, renderName } from '../command.ts';
import { gradeAtSeat, type GradeFlags } from './grade.ts';
import { rememberEvents, withLock, withSeat, withSession } from './open.ts';

/** Faults that are in place together, as the lab's state folder keeps them. Nothing on the lab host names them. */
const OpenFault = z.object({
  schemaVersion: z.literal(1),
  /** `injecting`: written before the first command; the next command finishes an injection that was cut off. */
  phase: z.enum(['injecting', 'open', 'revealed']),
  ids: z.array(z.string()).min(1),
  level: z.union([z.literal(1), z.literal(2), z.literal(3)]),
  seed: z.string(),
  /** ISO 8601. */
  injectedAt: z.string(),
  /** The last chapter that passed before. */
  through: z.enum(chapterIds),
  /** The checks that passed before. All of them must pass again. */
  passed: z.array(z.string()),
  /** How many answers were given. */
  attempts: z.int(),
  /** Whether the last answer named every cause. */
  right: z.boolean(),
  /** How many gradings and commands have told the learner what is wrong. */
  hints: z.int(),
});
export type OpenFault = z.infer<typeof OpenFault>;

/** Reads which fault is in place in a lab. undefined when there is none. Throws LabError for a damaged file. */
export const findFault = (name: string): Promise<OpenFault | undefined> => readJson(faultFile(name), OpenFault);

/** Writes which fault is in place in a lab. */
export const saveFault = (name: string, open: OpenFault): Promise<void> =>
  writeAtomic(faultFile(name), `${JSON.stringify(open)}\n`);

/** Notes that no fault is in place any more. */
export const forgetFault = (name: string): Promise<void> => rm(faultFile(name), { force: true });

/** The faults that are in place. Throws LabError for one that this version of lab does not have. */
export function readFaults({ ids }: OpenFault, name: string): Fault[] {
  return ids.map((id) => {
    const fault = faults.find((one) => one.id === id);
    if (fault) return fault;
    throw new LabError({
      what: 'this version of lab does not have the fault that is in place',
      next: `lab reset ${name}`,
    });
  });
}

/** What has become of a fault so far. */
export interface FaultOutcome {
  repaired: boolean;
  /** The learner has found the fault or was told it. Only then does the history name it. */
  closed: boolean;
}

/** Writes down what has become of a fault: in the lab's record, by which it is graded, and in the history. */
export async function noteOutcome(
  name: string,
  open: OpenFault,
  { repaired, closed }: FaultOutcome,
  context: Context,
): Promise<void> {
  const { injectedAt, level, ids, right, attempts, hints } = open;
  const revealed = open.phase === 'revealed';
  const seconds = Math.round(Math.max(0, Date.now() - Date.parse(injectedAt)) / 1000);
  const record = await loadRecord(recordFile(name));
  noteFault(record, { injectedAt, level, count: ids.length, right, repaired, revealed, attempts, hints, seconds });
  await saveRecord(recordFile(name), record);
  const answered = attempts > 0 || closed;
  await rememberEvents(name, context, {
    kind: 'fault',
    id: closed ? ids.join('+').slice(0, 100) : `level ${level}`,
    injectedAt,
    submittedAt: answered ? new Date().toISOString() : null,
    right: answered ? right && !revealed : null,
    repaired: answered ? repaired : null,
    hints,
    seconds: answered ? seconds : null,
  });
}

/**
 * Counts a hint while a fault is looked for: a grading that told what is wrong, or commands of ours that mend it. The
 * caller holds the lab's lock.
 */
export async function noteHint(name: string): Promise<void> {
  const open = await findFault(name).catch(() => undefined);
  if (open?.phase === 'open') await saveFault(name, { ...open, hints: open.hints + 1 });
}

/** A lab with two connections to its lab host: the learner's, which faults are injected through, and the grader's. */
export interface FaultLab {
  name: string;
  spec: LabSpec;
  session: Session;
  seat: OpenSeat;
}

/** Holds a ready lab's lock and opens both connections to its lab host while `work` runs. */
export const withFaultLab = <T>(name: string, context: Context, work: (lab: FaultLab) => Promise<T>): Promise<T> =>
  withLock(name, context, () =>
    withSeat(name, context, ({ seat }) =>
      withSession(name, context, ({ spec, session }) => work({ name, spec, session, seat })),
    ),
  );

/**
 * The same for a lab with a fault in place. Finishes an injection that was cut off first. Throws LabError (64) when no
 * fault is in place. `verb`: the command that runs, as `submit`.
 */
export async function withOpenFault<T>(
  name: string,
  verb: string,
  context: Context,
  work: (lab: FaultLab, open: OpenFault) => Promise<T>,
): Promise<T> {
  context.resume = `lab fault ${verb}${renderLabFlag(name)}`;
  return withFaultLab(name, context, async (lab) => {
    const before = await findFault(name);
    const open = before?.phase === 'injecting' ? await finishInjection(lab, before, context) : before;
    if (open) return work(lab, open);
    throw new LabError({
      what: `no fault is in place in lab ${name}`,
      next: `lab fault inject${renderLabFlag(name)}`,
      exit: EXIT.usage,
    });
  });
}

/** Finishes an injection that was cut off. undefined when the fault can't take hold. */
export async function finishInjection(
  lab: FaultLab,
  before: OpenFault,
  context: Context,
): Promise<OpenFault | undefined> {
  context.progress.note('an injection was cut off: finishing it first');
  return putFaultsIn(lab, before, context);
}

/**
 * Puts faults in and returns what is in place. undefined: they did not take hold or made no check fail, and are out
 * again. Throws LabError when taking them out left something behind.
 */
export async function putFaultsIn(lab: FaultLab, open: OpenFault, context: Context): Promise<OpenFault | undefined> {
  const { name } = lab;
  const target = toTarget(lab, context);
  const some = readFaults(open, name);
  await saveFault(name, { ...open, phase: 'injecting' });
  const isIn = (await applyFaults(target, 'inject', some)) && (await findFitting(target, some)).length === 0;
  if (isIn && (await findFailing(lab, open, context)).length > 0) {
    const taken: OpenFault = { ...open, phase: 'open' };
    await noteOutcome(name, taken, { repaired: false, closed: false }, context);
    await saveFault(name, taken);
    return taken;
  }
  await applyFaults(target, 'repair', some);
  const left = await findFailing(lab, open, context);
  await forgetFault(name);
  if (left.length === 0) return undefined;
  throw new LabError({
    what: `a fault that could not take hold left something behind (${listIds(left)})`,
    next: `lab check --hints 3${renderName(name)}`,
  });
}

/** The lab as the functions of labs/faults.ts take it. */
export const toTarget = ({ session, spec: { plan } }: FaultLab, { signal }: Context) => ({ session, plan, signal });

/** The chapters that build the network, which is what can be broken. */
const network = chapters.filter(({ steps, id }) => steps.length > 0 && id !== 'cleanup').map(({ id }) => id);

/** A check of the network that ended in `error`. A grading that has one says nothing about the learner. */
export const findUngraded = ({ checks }: Report): Report['checks'][number] | undefined =>
  checks.find(({ verdict, chapter }) => verdict === 'error' && network.includes(chapter));

/** Grades a lab. Throws LabError when a check of the network ends in `error`. */
async function gradeWholeLab(lab: FaultLab, flags: GradeFlags, context: Context): Promise<Report> {
  const report = await gradeAtSeat(lab, flags, context);
  const error = findUngraded(report);
  if (!error) return report;
  throw new LabError({
    what: `the lab can't be graded now: ${error.because ?? ''}`,
    where: error.id,
    next: `lab check${renderName(lab.name)}`,
  });
}

/**
 * The chapters of the network that are built, and the ids of their checks, all of which pass. A last chapter of which
 * nothing works yet does not count as built. Throws LabError when nothing is built, or when something of it fails.
 */
export async function gradeBuilt(lab: FaultLab, context: Context): Promise<{ built: ChapterId[]; passed: string[] }> {
  const { name } = lab;
  const { checks } = await gradeWholeLab(lab, { hints: 0 }, context);
  const last = network.findLastIndex((id) =>
    checks.some(({ chapter, verdict }) => chapter === id && verdict === 'pass'),
  );
  const built = network.slice(0, last + 1);
  if (built.length === 0) {
    throw new LabError({
      what: `nothing is built in lab ${name}, so there is nothing to break`,
      next: `lab build${renderName(name)}`,
      exit: EXIT.config,
    });
  }
  const own = checks.filter(({ chapter }) => built.includes(chapter));
  const failing = own.filter(({ verdict }) => verdict !== 'pass').map(({ id }) => id);
  if (failing.length === 0) return { built, passed: own.map(({ id }) => id) };
  throw new LabError({
    what: `lab ${name} does not pass its checks as it is (${listIds(failing)}): a fault would be lost among them`,
    next: `lab check${renderName(name)}`,
    exit: EXIT.failed,
  });
}

/** The ids of the checks that passed before the fault and do not pass now. */
export async function findFailing(
  lab: FaultLab,
  { through, passed }: Pick<OpenFault, 'through' | 'passed'>,
  context: Context,
): Promise<string[]> {
  const report = await gradeWholeLab(lab, { through, hints: 0 }, context);
  return report.checks.filter(({ id, verdict }) => verdict !== 'pass' && passed.includes(id)).map(({ id }) => id);
}

/** A list of at most four ids, with the number of those left out. */
export const listIds = (ids: readonly string[]): string =>
  `${ids.slice(0, 4).join(', ')}${ids.length > 4 ? ` and ${ids.length - 4} more` : ''}`;
