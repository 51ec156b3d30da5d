import type { Report } from '@handwired/checker';
import { EXIT, type ChapterId, LabError, type LabSpec, type OpenSeat, type Session } from '@handwired/host';
import { chapters } from '@handwired/labs';
import type { Context } from '../context.ts';
import { gradeAt, type GradeFlags } from '../lab/grade.ts';
import { withLock } from '../lab/lock.ts';
import { withSeat, withSession } from '../lab/session.ts';
import { named } from '../options.ts';

/** A lab with both its ways in: the learner's, by which it is broken, and the grader's. */
export interface BothWays {
  name: string;
  spec: LabSpec;
  session: Session;
  seat: OpenSeat;
}

/** Opens both ways to a ready lab for the length of some work, and holds its lock. */
export const withBothWays = <T>(name: string, context: Context, work: (lab: BothWays) => Promise<T>): Promise<T> =>
  withLock(name, context, () =>
    withSeat(name, context, ({ seat }) =>
      withSession(name, context, ({ spec, session }) => work({ name, spec, session, seat })),
    ),
  );

/** The chapters of the network itself: what can be broken. */
const network = chapters.filter(({ steps, id }) => steps.length > 0 && id !== 'cleanup').map(({ id }) => id);

/** Grades, and throws LabError where that is not possible: our own error is no verdict on anyone. */
export async function gradeWhole(lab: BothWays, flags: GradeFlags, context: Context): Promise<Report> {
  const report = await gradeAt(lab, flags, context);
  const error = report.checks.find(({ verdict, chapter }) => verdict === 'error' && network.includes(chapter));
  if (!error) return report;
  throw new LabError({
    what: `the lab can't be graded now: ${error.because ?? ''}`,
    where: error.id,
    next: `lab check${named(lab.name)}`,
  });
}

/**
 * The chapters of the network that are built, and their checks, all of which pass. A last one of which nothing works yet
 * does not count as built. Throws LabError: nothing is built, or something of it fails already.
 */
export async function passing(lab: BothWays, context: Context): Promise<{ built: ChapterId[]; passed: string[] }> {
  const { name } = lab;
  const { checks } = await gradeWhole(lab, { hints: 0 }, context);
  const last = network.findLastIndex((id) =>
    checks.some(({ chapter, verdict }) => chapter === id && verdict === 'pass'),
  );
  const built = network.slice(0, last + 1);
  if (built.length === 0) {
    throw new LabError({
      what: `nothing is built in lab ${name}, so there is nothing to break`,
      next: `lab build${named(name)}`,
      exit: EXIT.config,
    });
  }
  const own = checks.filter(({ chapter }) => built.includes(chapter));
  const failing = own.filter(({ verdict }) => verdict !== 'pass').map(({ id }) => id);
  if (failing.length === 0) return { built, passed: own.map(({ id }) => id) };
  throw new LabError({
    what: `lab ${name} does not pass its checks as it is (${listed(failing)}): a fault would be lost among them`,
    next: `lab check${named(name)}`,
    exit: EXIT.failed,
  });
}

/** Those of some checks that do not pass. */
export async function stillFailing(
  lab: BothWays,
  { through, passed }: { through: ChapterId; passed: readonly string[] },
  context: Context,
): Promise<string[]> {
  const report = await gradeWhole(lab, { through, hints: 0 }, context);
  return report.checks.filter(({ id, verdict }) => verdict !== 'pass' && passed.includes(id)).map(({ id }) => id);
}

/** At most four of some ids, and how many more. */
export const listed = (ids: readonly string[]): string =>
  `${ids.slice(0, 4).join(', ')}${ids.length > 4 ? ` and ${ids.length - 4} more` : ''}`;
