import type { Context, LabCommand } from '../../command.ts';
import {
  addFleetOptions,
  type FleetOptions,
  forEachStudent,
  loadRoster,
  measureMachine,
  printOutcomes,
  renderFleetCommand,
} from '../../fleet/roster.ts';
import { destroyLab } from '../../lab/life.ts';
import { withLock } from '../../lab/open.ts';

/** `lab fleet destroy`: removes every lab of the roster. A lab that does not exist is no error. */
export const command: LabCommand = {
  example: 'lab fleet destroy roster.csv',
  declare: addFleetOptions,
  run: runDestroy,
};

async function runDestroy(context: Context, file: string, options: FleetOptions): Promise<number> {
  context.resume = `${renderFleetCommand('destroy', file, options)}   (goes on from here)`;
  const students = await loadRoster(file, options.prefix);
  const { cores } = await measureMachine();
  const outcomes = await forEachStudent(students, options.jobs ?? cores * 2, context, ({ lab }, own) =>
    own.progress.stage('lab destroy', () => withLock(lab, own, () => destroyLab(lab, own))),
  );
  return printOutcomes(outcomes, describeRemoval, options, context);
}

const describeRemoval = (removed: readonly string[]): { state: string; detail: string } =>
  removed.length === 0
    ? { state: 'absent', detail: '' }
    : { state: 'gone', detail: `removed ${removed.length} things` };
