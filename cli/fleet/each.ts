import { LabError, messageOf, type Progress } from '@handwired/host';
import pLimit from 'p-limit';
import type { Context } from '../context.ts';
import type { Student } from './roster.ts';

/** What became of one student's lab: a value, or the error that stopped it. */
export type Outcome<T> = Student & ({ value: T } | { error: unknown });

/**
 * Does the same work for each student, at most `limit` at once. One student's failure is kept as that student's
 * outcome and harms no other; only an interruption ends it all.
 */
export async function forEachStudent<T>(
  students: readonly Student[],
  limit: number,
  context: Context,
  work: (student: Student, context: Context) => Promise<T>,
): Promise<Outcome<T>[]> {
  const queue = pLimit(limit);
  const outcomes = await Promise.all(
    students.map((student) =>
      queue(async (): Promise<Outcome<T>> => {
        context.signal.throwIfAborted();
        try {
          return { ...student, value: await work(student, named(context, student)) };
        } catch (error) {
          return { ...student, error };
        }
      }),
    ),
  );
  context.signal.throwIfAborted();
  return outcomes;
}

/** The same context, its stages titled with the lab's name. */
function named(context: Context, { lab }: Student): Context {
  const { progress } = context;
  const prefixed: Progress = {
    stage: (title, work) => progress.stage(`${lab}: ${title}`, work),
    note: (text) => progress.note(`${lab}: ${text}`),
  };
  return { ...context, progress: prefixed };
}

/** A failed outcome's reason and next command, on one line. */
export function reasonOf(error: unknown): string {
  return error instanceof LabError ? `${messageOf(error)} (next: ${error.next})` : messageOf(error);
}
