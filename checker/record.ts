import { type ChapterId, chapterIds, readJson, writeAtomic } from '@handwired/host';
import { z } from 'zod';

/** A fault that was put in on purpose, and what became of it; which one it was is not told here. */
const FaultNote = z.object({
  /** ISO 8601; also what it is known by. */
  injectedAt: z.string().max(40),
  level: z.union([z.literal(1), z.literal(2), z.literal(3)]),
  /** How many faults at once. */
  count: z.int().min(1).max(10),
  /** The root cause was named. */
  right: z.boolean(),
  /** And every check that passed before passes again. */
  repaired: z.boolean(),
  /** The learner gave up, and was told. */
  revealed: z.boolean(),
  /** Answers that were given, right and wrong. */
  attempts: z.int().min(0),
  /** Gradings that told what is wrong. */
  hints: z.int().min(0),
  /** From the injection to the last answer. */
  seconds: z.number().min(0),
});
export type FaultNote = z.infer<typeof FaultNote>;

/** What a learner has been seen to begin: facts alone can't tell a clean lab host from one that was cleaned. */
export const LabRecord = z.object({
  schemaVersion: z.literal(1),
  /** Chapter -> when it was first seen begun, ISO 8601. */
  begun: z.partialRecord(z.enum(chapterIds), z.string()),
  /** Names of links and namespaces that were seen and are not the baseline's: whose leftovers these are. */
  seen: z.array(z.string()).max(200),
  /** The oldest first; absent: none, as in records of before there were faults. */
  faults: z.array(FaultNote).max(200).optional(),
});
export type LabRecord = z.infer<typeof LabRecord>;

/** The record of a lab in which nothing was begun. */
export const emptyRecord = (): LabRecord => ({ schemaVersion: 1, begun: {}, seen: [] });

/** Reads a lab's record; none yet: an empty one. */
export const loadRecord = async (file: string): Promise<LabRecord> =>
  (await readJson(file, LabRecord)) ?? emptyRecord();

/** Writes a record, whole or not at all. */
export const saveRecord = (file: string, record: LabRecord): Promise<void> =>
  writeAtomic(file, `${JSON.stringify(record)}\n`);

/** Notes in the record that these chapters were begun, now: after `lab build`, and at each grade. */
export function noteBegun(record: LabRecord, chapters: readonly ChapterId[], seen: readonly string[] = []): void {
  const now = new Date().toISOString();
  for (const chapter of chapters) record.begun[chapter] ??= now;
  record.seen = [...new Set([...record.seen, ...seen])].slice(-200);
}

/** Writes down what became of a fault, in place of what was written of it before. */
export function noteFault(record: LabRecord, note: FaultNote): void {
  const others = (record.faults ?? []).filter(({ injectedAt }) => injectedAt !== note.injectedAt);
  record.faults = [...others, note].slice(-200);
}
