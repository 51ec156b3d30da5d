import { appendFile, open, readdir, rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { LabError, readMessage } from './errors.ts';
import { findWayToWrite, readErrno, historyDir, historyFile, makeFolder, stateDir, writeAtomic } from './files.ts';
import { underLock } from './lock.ts';
import { chapterIds } from './plan.ts';

const Chapter = z.enum(chapterIds);
const count = z.int().min(0);
/** ISO 8601, UTC. `noteHistory` sets it. */
const at = z.string().max(40);
/** Text that came from a lab host: bounded here, escaped where it is printed. */
const words = z.string().max(300);

/** One thing that a learner did with a lab, as the history stores it. */
export const HistoryEvent = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('check'),
    at,
    chapter: Chapter,
    verdict: z.enum(['pass', 'fail', 'error']),
    /** null: the check ended in error, so it gave no grade. */
    points: z.number().nullable(),
    of: z.number(),
    /** How much the report told the learner: from 0, no hint, to 3, the commands that repair it. */
    hints: z.int().min(0).max(3),
    /** The first check of the chapter that did not pass: what should be true, and what was found instead. */
    first: z.object({ id: words, title: words, actual: words }).nullable(),
  }),
  z.object({ kind: z.literal('build'), at, chapters: z.array(Chapter).max(20) }),
  z.object({ kind: z.literal('guide'), at, chapter: Chapter }),
  /** `to`: everything before this chapter was built; null: reset to the baseline. */
  z.object({ kind: z.literal('reset'), at, to: Chapter.nullable() }),
  /** Written when a fault is injected, and again with its outcome. The last event with the same `injectedAt` counts. */
  z.object({
    kind: z.literal('fault'),
    at,
    id: z.string().max(100),
    injectedAt: at,
    submittedAt: at.nullable(),
    /** `right`: the root cause was named. `repaired`: the symptoms are gone. null: nothing was submitted. */
    right: z.boolean().nullable(),
    repaired: z.boolean().nullable(),
    hints: count,
    seconds: z.number().min(0).nullable(),
  }),
  /** Answers to a chapter's questions that were graded. */
  z.object({ kind: z.literal('answers'), at, chapter: Chapter, right: count, of: count }),
]);
export type HistoryEvent = z.infer<typeof HistoryEvent>;

type Without<Event, Key extends PropertyKey> = Event extends unknown ? Omit<Event, Key> : never;

/** An event before `noteHistory` adds its time and stores it. */
export type NewEvent = Without<HistoryEvent, 'at'>;

/** Largest size of a history in bytes: some thousands of events. `shorten` drops the older half of a larger one. */
const mostBytes = 1024 * 1024;

/**
 * Adds events to a lab's history, all with the same time. The history is a file of one JSON object a line, outside the
 * lab's folder: it survives reset and destroy. Safe for several writers; one that is killed leaves at most a damaged
 * line. LabError: it can't be written.
 */
export async function noteHistory(name: string, ...events: NewEvent[]): Promise<void> {
  const now = new Date().toISOString();
  const added = events.map((event) => `${JSON.stringify(HistoryEvent.parse({ ...event, at: now }))}\n`).join('');
  const file = historyFile(name);
  await underLock(lockName(), {}, async () => {
    try {
      makeFolder(dirname(file), 0o700);
      const { end, bytes } = await readTail(file);
      await appendFile(file, `${end === '' || end === '\n' ? '' : '\n'}${added}`, { mode: 0o600 });
      if (bytes + added.length > mostBytes) await shorten(name);
    } catch (error) {
      if (error instanceof LabError) throw error;
      const next = findWayToWrite(file, error);
      throw new LabError({ what: `cannot write: ${readMessage(error)}`, where: file, next, cause: error });
    }
  });
}

/** A lab's history, the oldest event first; empty when there is none. Damaged lines and unknown events are left out. */
export async function readHistory(name: string): Promise<HistoryEvent[]> {
  const text = await readBounded(historyFile(name));
  return text.split('\n').flatMap((line) => eventIn(line) ?? []);
}

/** The names of all labs that have a history, sorted. */
export async function listHistories(): Promise<string[]> {
  const files = await readdir(historyDir()).catch(() => []);
  return files.flatMap((file) => /^(.+)\.jsonl$/.exec(file)?.[1] ?? []).sort();
}

/** Removes a lab's history, and our folders when they have become empty. Gives false when there was no history. */
export function forgetHistory(name: string): Promise<boolean> {
  return underLock(lockName(), {}, async () => {
    const { bytes } = await readTail(historyFile(name));
    await rm(historyFile(name), { force: true });
    for (const folder of [historyDir(), stateDir()]) await rmdir(folder).catch(() => undefined);
    return bytes > 0;
  });
}

/** One lock for all histories, because `forgetHistory` may also remove their folder. */
const lockName = (): string => `history ${historyDir()}`;

function eventIn(line: string): HistoryEvent | undefined {
  if (line === '') return undefined;
  try {
    return HistoryEvent.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** Keeps the newer half. Of the older half, keeps each chapter's best check and the named faults. Needs the lock. */
async function shorten(name: string): Promise<void> {
  const all = await readHistory(name);
  const half = Math.floor(all.length / 2);
  const older = all.slice(0, half);
  const best = new Map<string, HistoryEvent>();
  for (const event of older) {
    const before = best.get(makeKey(event));
    if (!before || worth(event) > worth(before)) best.set(makeKey(event), event);
  }
  const kept = older.filter((event) => worth(event) > 0 && best.get(makeKey(event)) === event);
  await writeAtomic(
    historyFile(name),
    [...kept, ...all.slice(half)].map((event) => `${JSON.stringify(event)}\n`).join(''),
  );
}

const makeKey = (event: HistoryEvent): string =>
  event.kind === 'fault' ? `fault ${event.id}` : `${event.kind} ${'chapter' in event ? event.chapter : ''}`;

function worth(event: HistoryEvent): number {
  if (event.kind === 'check') return event.points ?? 0;
  return event.kind === 'fault' && event.right === true ? 1 : 0;
}

/** The last byte of a file, and its size. */
async function readTail(path: string): Promise<{ end: string; bytes: number }> {
  const file = await openIfThere(path);
  if (!file) return { end: '', bytes: 0 };
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1));
    return { end: buffer.toString('latin1', 0, bytesRead), bytes: size };
  } finally {
    await file.close();
  }
}

/** The end of a file, bounded in size because somebody may have changed the file. */
async function readBounded(path: string): Promise<string> {
  const file = await openIfThere(path);
  if (!file) return '';
  try {
    const { size } = await file.stat();
    const length = Math.min(size, 2 * mostBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8', 0, bytesRead);
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    await file.close();
  }
}

async function openIfThere(path: string) {
  try {
    return await open(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(readErrno(error) ?? '')) return undefined;
    throw unreadable(path, error);
  }
}

const unreadable = (where: string, cause: unknown): LabError =>
  new LabError({ what: `cannot read: ${readMessage(cause)}`, where, next: 'lab doctor', cause });
