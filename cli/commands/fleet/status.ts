import { hasFolder } from '@handwired/host';
import type { Context, LabCommand } from '../../command.ts';
import {
  addFleetOptions,
  type FleetOptions,
  forEachStudent,
  computeGradeLimit,
  loadRoster,
  printOutcomes,
  renderFleetCommand,
} from '../../fleet/roster.ts';
import { readStatus } from '../status.ts';

/** `lab fleet status`: each student's lab as `lab status` sees it. */
export const command: LabCommand = {
  example: 'lab fleet status roster.csv',
  declare: addFleetOptions,
  run: runStatus,
};

async function runStatus(context: Context, file: string, options: FleetOptions): Promise<number> {
  const students = await loadRoster(file, options.prefix);
  const absent = { state: 'absent', detail: `next: ${renderFleetCommand('up', file, options)}` };
  const outcomes = await forEachStudent(students, computeGradeLimit(1), context, async ({ lab }) =>
    (await hasFolder(lab)) ? readStatus(lab, context.signal) : absent,
  );
  return printOutcomes(outcomes, (status) => status, options, context);
}
