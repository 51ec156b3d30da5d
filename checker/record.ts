import { type ChapterId, chapterIds, readJson, writeAtomic } from '@handwired/host';
import { z } from 'zod';

/** A fault that was injected on purpose, and how the learner did. It does not say which fault it was. */
const FaultNote = z.object({
  /** ISO 8601. Also identifies the fault. */
  injectedAt: z.string().max(40),
  level: z.union([z.literal(1), z.literal(2), z.literal(3)]),
  /** How many faults were injected at once. */
  count: z.int().min(1).max(10),
  /** The learner named the root cause. */
  right: z.boolean(),
  /** The cause was named, and every check that passed before passes again. */
  repaired: z.boolean(),
  /** The learner gave up, and the solution was shown. */
  revealed: z.boolean(),
  /** Number of the learner's answers, right and wrong. */
  attempts: z.int().min(0),
  /** Number of gradings whose hints said what is wrong. */
  hints: z.int().min(0),
  /** Seconds from the injection to the last answer. */
  seconds: z.number().min(0),
});
export type FaultNote = z.infer<typeof FaultNote>;

/** What the learner has begun so far. Facts alone can't tell an untouched lab host from one that was cleaned up. */
export const LabRecord = z.object({
  schemaVersion: z.literal(1),
  /** Chapter -> when it was first seen begun, ISO 8601. */
  begun: z.partialRecord(z.enum(chapterIds), z.string()),
  /** Names of links and namespaces that the baseline lacks. They identify leftovers as the learner's. */
  seen: z.array(z.string()).max(200),
  /** Injected faults, the oldest first; absent: none. */
  faults: z.array(FaultNote).max(200).optional(),
});
export type LabRecord = z.infer<typeof LabRecord>;

/** The record of a lab in which nothing was begun. */
export const emptyRecord = (): LabRecord => ({ schemaVersion: 1, begun: {}, seen: [] });

/** Reads a lab's record. Without a file it gives an empty record. */
export const loadRecord = async (file: string): Promise<LabRecord> =>
  (await readJson(file, LabRecord)) ?? emptyRecord();

/** Writes a record atomically. */
export const saveRecord = (file: string, record: LabRecord): Promise<void> =>
  writeAtomic(file, `${JSON.stringify(record)}\n`);

/** Notes in the record that these chapters were begun, now: after `lab build`, and at each grade. */
export function noteBegun(record: LabRecord, chapters: readonly ChapterId[], seen: readonly string[] = []): void {
  const now = new Date().toISOString();
  for (const chapter of chapters) record.begun[chapter] ??= now;
  record.seen = [...new Set([...record.seen, ...seen])].slice(-200);
}

/** Writes a fault's note to the record. It replaces an earlier note about the same fault. */
export function noteFault(record: LabRecord, note: FaultNote): void {
  const others = (record.faults ?? []).filter(({ injectedAt }) => injectedAt !== note.injectedAt);
  record.faults = [...others, note].slice(-200);
}
