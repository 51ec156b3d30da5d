/** Samples of what is too much to try each time: others in each run, the same by HANDWIRED_SEED. */
import { createHash, randomUUID } from 'node:crypto';

const seed = process.env.HANDWIRED_SEED ?? randomUUID().slice(0, 8);

/** How to draw the same again, for a test's output. */
export const drawnBy = `HANDWIRED_SEED=${seed}`;

const digest = (text: string): Buffer => createHash('sha256').update(`${seed} ${text}`).digest();

/** `size` of the entries, in their order. `name` tells them apart. */
export function drawSample<T>(entries: readonly T[], size: number, name: (entry: T) => string): T[] {
  const place = (entry: T): string => digest(name(entry)).toString('hex');
  const drawn = new Set(entries.toSorted((one, other) => place(one).localeCompare(place(other))).slice(0, size));
  return entries.filter((entry) => drawn.has(entry));
}

/** A number from 0 to 1, the same for the same text. */
export const drawNumber = (text: string): number => digest(text).readUInt32BE() / 2 ** 32;
