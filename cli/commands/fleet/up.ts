import { derivePlan } from '@handwired/host';
import { ensureSetup } from '@handwired/infra';
import { addUpOptions, type Context, type LabCommand, type UpOptions } from '../../command.ts';
import {
  addFleetOptions,
  type FleetOptions,
  forEachStudent,
  loadRoster,
  measureMachine,
  printOutcomes,
  renderFleetCommand,
  computeUpLimit,
} from '../../fleet/roster.ts';
import { bringUp, pickDriver } from '../../lab/life.ts';
import { withLock } from '../../lab/open.ts';

/** `lab fleet up`: a lab for each student, each with a plan derived from the student. */
export const command: LabCommand = {
  example: 'lab fleet up roster.csv',
  declare: (command) => addUpOptions(addFleetOptions(command)),
  run: runUp,
};

async function runUp(context: Context, file: string, options: FleetOptions & UpOptions): Promise<number> {
  context.resume = `${renderFleetCommand('up', file, options)}   (goes on from here)`;
  const students = await loadRoster(file, options.prefix);
  const driver = await pickDriver(options, context);
  await ensureSetup(driver.name, context);
  const limit = options.jobs ?? computeUpLimit(driver.name, options.memory ?? 512, await measureMachine());
  const wanted: UpOptions = { ...options, driver: driver.name };
  const outcomes = await forEachStudent(students, limit, context, ({ student, lab }, own) =>
    own.progress.stage('lab up', () =>
      withLock(lab, own, () => bringUp(lab, wanted, own, { plan: derivePlan(student), driver })),
    ),
  );
  return printOutcomes(
    outcomes,
    ({ spec: { plan } }) => ({ state: 'up', detail: `subnet ${plan.subnet}, port ${plan.hostPort}` }),
    options,
    context,
  );
}
