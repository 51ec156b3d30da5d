import { rm } from 'node:fs/promises';
import { loadRecord, noteFault, saveRecord } from '@handwired/checker';
import {
  chapterIds,
  EXIT,
  faultFile,
  LabError,
  type LabSpec,
  readJson,
  recordFile,
  writeAtomic,
} from '@handwired/host';
import { type Fault, faults } from '@handwired/labs/faults';
import { z } from 'zod';
import type { Context } from '../context.ts';
import { remember } from '../lab/history.ts';
import { labFlag } from '../options.ts';

/** Faults that are in place in a lab, as its state folder keeps them: the lab host holds nothing of it. */
const OpenFault = z.object({
  schemaVersion: z.literal(1),
  /** `injecting`: written before the first command; what was cut off there is finished by the next command. */
  phase: z.enum(['injecting', 'open', 'revealed']),
  ids: z.array(z.string()).min(1),
  level: z.union([z.literal(1), z.literal(2), z.literal(3)]),
  seed: z.string(),
  injectedAt: z.string(),
  /** The last chapter that passed before, and the checks that did: all of them must pass again. */
  through: z.enum(chapterIds),
  passed: z.array(z.string()),
  /** Answers that were given. */
  attempts: z.int(),
  /** The last answer named every cause. */
  right: z.boolean(),
  /** Gradings that told what is wrong. */
  hints: z.int(),
});
export type OpenFault = z.infer<typeof OpenFault>;

export const findFault = (name: string): Promise<OpenFault | undefined> => readJson(faultFile(name), OpenFault);

export const saveFault = (name: string, open: OpenFault): Promise<void> =>
  writeAtomic(faultFile(name), `${JSON.stringify(open)}\n`);

export const forgetFault = (name: string): Promise<void> => rm(faultFile(name), { force: true });

/** The faults themselves. LabError: one that this version does not have. */
export function faultsOf({ ids }: OpenFault, name: string): Fault[] {
  return ids.map((id) => {
    const fault = faults.find((one) => one.id === id);
    if (fault) return fault;
    throw new LabError({ what: 'the fault in place is none of this version of lab', next: `lab reset ${name}` });
  });
}

/** The error where no fault is in place. */
export const noFault = (name: string): LabError =>
  new LabError({
    what: `no fault is in place in lab ${name}`,
    next: `lab fault inject${labFlag(name)}`,
    exit: EXIT.usage,
  });

/** What came of it so far. */
export interface Outcome {
  repaired: boolean;
  /** The learner was told, or has answered: then it is kept with what it was. */
  closed: boolean;
}

/** Writes down what came of a fault: in the lab's record, by which it is graded, and in the history. */
export async function noteOutcome(
  { name }: Pick<LabSpec, 'name'>,
  open: OpenFault,
  { repaired, closed }: Outcome,
  context: Context,
): Promise<void> {
  const { injectedAt, level, ids, right, attempts, hints } = open;
  const revealed = open.phase === 'revealed';
  const seconds = Math.round(Math.max(0, Date.now() - Date.parse(injectedAt)) / 1000);
  const record = await loadRecord(recordFile(name));
  noteFault(record, { injectedAt, level, count: ids.length, right, repaired, revealed, attempts, hints, seconds });
  await saveRecord(recordFile(name), record);
  const answered = attempts > 0 || closed;
  await remember(name, context, {
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

/** Counts a grading that told what is wrong, or commands of ours that mend it, while a fault is looked for. The lab's lock is held. */
export async function noteHint(name: string): Promise<void> {
  const open = await findFault(name).catch(() => undefined);
  if (open?.phase === 'open') await saveFault(name, { ...open, hints: open.hints + 1 });
}
