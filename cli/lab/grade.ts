import { grade, type HintLevel, type Report, type Selection as Graded } from '@handwired/checker';
import type { LabSpec, OpenSeat } from '@handwired/host';
import { chapters } from '@handwired/labs';
import type { Context } from '../context.ts';
import type { Selection } from './chapters.ts';
import { withSeat } from './session.ts';
import { withSource } from './source.ts';

/** What of a lab is to be graded, as flags give it. */
export type GradeFlags = Selection & { hints?: HintLevel; failFast?: boolean };

/** Grades a lab from its lab host's state and traffic, at the grader's seat; remembers which chapters were seen begun. The caller holds its lock. */
export const gradeLab = (name: string, flags: GradeFlags, context: Context): Promise<Report> =>
  withSeat(name, context, (open) => gradeAt(open, flags, context));

/** The same at a seat that is open. */
export const gradeAt = (
  open: { spec: LabSpec; seat: OpenSeat },
  flags: GradeFlags,
  context: Context,
): Promise<Report> =>
  withSource(open, context, (source) => grade({ ...source, ...subjectOf(open.spec), ...selectionOf(flags) }));

export const subjectOf = ({ name, driver }: LabSpec): { lab: string; driver: LabSpec['driver'] } => ({
  lab: name,
  driver,
});

export const selectionOf = ({ chapter, through, hints, failFast }: GradeFlags): Graded => ({
  ...{ chapters, hints, failFast },
  ...(chapter === undefined ? { through } : { only: chapter }),
});
