import { z } from 'zod';
import { chapterIds } from './chapter.ts';

const Chapter = z.enum(chapterIds);
const count = z.int().min(0);
/** ISO 8601, UTC. Set by `noteHistory`. */
const at = z.string().max(40);
/** Text that came from a lab host: bounded here, escaped where it is printed. */
const words = z.string().max(300);

/** One thing that a learner did with a lab, as it is kept. */
export const HistoryEvent = z.discriminatedUnion('kind', [
  z.object({
    ...{ kind: z.literal('check'), at, chapter: Chapter },
    verdict: z.enum(['pass', 'fail', 'error']),
    /** null: in error, so not graded. */
    points: z.number().nullable(),
    of: z.number(),
    /** How much the report gave away: 0 nothing to 3 the commands that mend it. */
    hints: z.int().min(0).max(3),
    /** The chapter's first check that did not pass, what should be true, and what was found instead. */
    first: z.object({ id: words, title: words, actual: words }).nullable(),
  }),
  z.object({ kind: z.literal('build'), at, chapters: z.array(Chapter).max(20) }),
  z.object({ kind: z.literal('guide'), at, chapter: Chapter }),
  /** `to`: the chapter before which everything was built; null: the baseline. */
  z.object({ kind: z.literal('reset'), at, to: Chapter.nullable() }),
  /** Written when a fault is put in, and again with what came of it: the last of one `injectedAt` counts. */
  z.object({
    ...{ kind: z.literal('fault'), at, id: z.string().max(100), injectedAt: at, submittedAt: at.nullable() },
    /** Whether the root cause was named, and whether the symptoms are gone; null: not submitted. */
    ...{ right: z.boolean().nullable(), repaired: z.boolean().nullable() },
    ...{ hints: count, seconds: z.number().min(0).nullable() },
  }),
  /** Answers to a chapter's questions that were graded. */
  z.object({ kind: z.literal('answers'), at, chapter: Chapter, right: count, of: count }),
]);
export type HistoryEvent = z.infer<typeof HistoryEvent>;

type Without<Event, Key extends PropertyKey> = Event extends unknown ? Omit<Event, Key> : never;
/** An event before it is kept: `noteHistory` gives it its time. */
export type NewEvent = Without<HistoryEvent, 'at'>;
