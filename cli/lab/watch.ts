import { type Report, watchLab } from '@handwired/checker';
import type { Context } from '../context.ts';
import { gradeAt, type GradeFlags } from './grade.ts';
import { rememberReport } from './history.ts';
import { withLock } from './lock.ts';
import { withSeat } from './session.ts';

/** Gradings follow one another no faster than this, whatever a lab host does. */
const REST_MS = 500;

/**
 * Grades a lab, and again at each change of its network, until `done` says so of a report. `ms`: at most this long.
 * The lab's lock is only held while it is graded: the learner goes on working. Returns the last report.
 */
export async function gradeOnChange(
  name: string,
  flags: GradeFlags,
  context: Context,
  { done, ms }: { done: (report: Report) => boolean; ms?: number },
): Promise<Report> {
  const end = ms === undefined ? undefined : performance.now() + ms;
  const left = (): number | undefined => (end === undefined ? undefined : Math.max(0, end - performance.now()));
  return withSeat(name, context, async (open) => {
    const watcher = await watchLab(open.seat, context.signal);
    let before: Report | undefined;
    try {
      for (;;) {
        const began = performance.now();
        const report = await withLock(name, context, () => gradeAt(open, flags, context));
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
