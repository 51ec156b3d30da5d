import { type ChapterId, chapterIds, readJson, writeAtomic } from '@handwired/host';
import { z } from 'zod';

/** What a learner has been seen to begin: facts alone can't tell a clean lab host from one that was cleaned. */
export const Record = z.object({
  schemaVersion: z.literal(1),
  /** Chapter -> when it was first seen begun, ISO 8601. */
  begun: z.partialRecord(z.enum(chapterIds), z.string()),
  /** Names of links and namespaces that were seen and are not the baseline's: whose leftovers these are. */
  seen: z.array(z.string()).max(200),
});
export type Record = z.infer<typeof Record>;

export const emptyRecord = (): Record => ({ schemaVersion: 1, begun: {}, seen: [] });

/** Reads a lab's record; none yet: an empty one. */
export const loadRecord = async (file: string): Promise<Record> => (await readJson(file, Record)) ?? emptyRecord();

export const saveRecord = (file: string, record: Record): Promise<void> =>
  writeAtomic(file, `${JSON.stringify(record)}\n`);

/** Notes in the record that these chapters were begun, now: after `lab build`, and at each grade. */
export function noteBegun(record: Record, chapters: readonly ChapterId[], seen: readonly string[] = []): void {
  const now = new Date().toISOString();
  for (const chapter of chapters) record.begun[chapter] ??= now;
  record.seen = [...new Set([...record.seen, ...seen])].slice(-200);
}
