import { type ChapterId, defaultPlan, EXIT, findSpec, loadSpec, type Plan } from '@handwired/host';
import { exportScript } from '@handwired/labs';
import { type Context, type LabCommand, resolveLabName, createLabOption, createThroughOption } from '../command.ts';

/** `lab export`: prints the whole network as a script. Neither a lab nor a lab host is needed. */
export const command: LabCommand = {
  example: 'lab export > network.sh && bash network.sh --dry-run',
  declare: (command) =>
    command
      .addOption(createThroughOption('all chapters up to this one (default: the whole course)'))
      .addOption(createLabOption("with this lab's plan (default: $LAB_NAME, else lab)")),
  run: runExport,
};

async function runExport(context: Context, options: { through?: ChapterId; lab?: string }): Promise<number> {
  context.print((await exportScript(await findPlan(options.lab), options.through)).trimEnd());
  return EXIT.ok;
}

/**
 * The plan of the named lab, which must exist. Without a name: the plan of the default lab if there is one, else the
 * default plan.
 */
async function findPlan(lab: string | undefined): Promise<Plan> {
  if (lab !== undefined) return (await loadSpec(lab)).plan;
  return (await findSpec(resolveLabName()))?.plan ?? defaultPlan;
}
