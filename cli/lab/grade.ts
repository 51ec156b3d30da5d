/** Grading a lab that is there: once, or again at each change of its network. */
import {
  gradeSource,
  type HintLevel,
  type Report,
  type Selection as GradeSelection,
  watchLab,
} from '@handwired/checker';
import { gradedChapters } from '@handwired/labs/checks';
import type { ChapterFlags, Context } from '../command.ts';
import { type LabSeat, rememberReport, withLock, withSeat, withSourceAt } from './open.ts';

/** What of a lab is to be graded, as flags give it. */
export type GradeFlags = ChapterFlags & { hints?: HintLevel; failFast?: boolean };

/** The same as the checker takes it. */
export function toGradeSelection({ chapter, through, hints, failFast }: GradeFlags): GradeSelection {
  const selected = chapter === undefined ? { through } : { only: chapter };
  return { chapters: gradedChapters, hints, failFast, ...selected };
}

/** Grades a lab by its lab host's state and traffic. The caller holds its lock. */
export const gradeLab = (name: string, flags: GradeFlags, context: Context): Promise<Report> =>
  withSeat(name, context, (lab) => gradeAtSeat(lab, flags, context));

/** The same at a seat that is open. */
export const gradeAtSeat = (lab: LabSeat, flags: GradeFlags, context: Context): Promise<Report> =>
  withSourceAt(lab, context, ({ spec: { name, driver }, ...source }) =>
    gradeSource({ ...source, ...toGradeSelection(flags), lab: name, driver }),
  );

/** The shortest time from the start of one grading to the next, however often a lab host changes. */
const REST_MS = 500;

/**
 * Grades a lab, and again at each change of its network, until `done` returns true for a report. `ms`: for at most this
 * long. The lab's lock is only held during a grading, so that the learner can go on working. Returns the last report.
 */
export async function gradeOnChange(
  name: string,
  flags: GradeFlags,
  context: Context,
  { done, ms }: { done: (report: Report) => boolean; ms?: number },
): Promise<Report> {
  const end = ms === undefined ? undefined : performance.now() + ms;
  const left = (): number | undefined => (end === undefined ? undefined : Math.max(0, end - performance.now()));
  return withSeat(name, context, async (lab) => {
    const watcher = await watchLab(lab.seat, context.signal);
    let before: Report | undefined;
    try {
      for (;;) {
        const began = performance.now();
        const report = await withLock(name, context, () => gradeAtSeat(lab, flags, context));
        await rememberReport(name, report, context, before);
        before = report;
        if (done(report)) return report;
        if (!(await watcher.changed(left()))) return report;
        const rest = Math.min(began + REST_MS - performance.now(), left() ?? REST_MS);
        if (rest > 0) await watcher.changed(rest);
      }
    } finally {
      watcher.close();
    }
  });
}
