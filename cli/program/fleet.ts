import { EXIT, labNamePattern, LabError } from '@handwired/host';
import { Option, type Command } from 'commander';
import type { FleetOptions } from '../commands/fleet.ts';
import type { Context } from '../context.ts';
import { defaultPrefix, parseJobs, type UpOptions } from '../options.ts';
import { addMachineOptions, chapterOption, command, output, throughOption, type Act } from './parts.ts';

/** `lab fleet ...`: a roster in, labs out, everyone graded, everything gone. */
export function addFleet(program: Command, context: Context, act: Act): void {
  const fleet = command(
    program,
    'fleet',
    'a lab for each student of a roster',
    'lab fleet up roster.csv && lab fleet grade roster.csv -o csv',
  );
  const load = () => import('../commands/fleet.ts');
  addMachineOptions(
    fleetCommand(fleet, 'up', 'a lab for each student, as many at once as memory and cores allow'),
  ).action((roster: string, options: FleetOptions & UpOptions) =>
    act('fleet up', async () => (await load()).runFleetUp(context, roster, options)),
  );
  fleetCommand(fleet, 'status', "each student's lab: its state").action((roster: string, options: FleetOptions) =>
    act('fleet status', async () => (await load()).runFleetStatus(context, roster, options)),
  );
  fleetCommand(fleet, 'grade', 'a gradebook: one row for each student')
    .addOption(chapterOption('this chapter alone'))
    .addOption(throughOption('all chapters up to this one'))
    .action((roster: string, options: FleetOptions) =>
      act('fleet grade', async () => (await load()).runFleetGrade(context, roster, options)),
    );
  fleetCommand(fleet, 'destroy', "remove every student's lab").action((roster: string, options: FleetOptions) =>
    act('fleet destroy', async () => (await load()).runFleetDestroy(context, roster, options)),
  );
}

function fleetCommand(fleet: Command, name: string, summary: string): Command {
  return command(
    fleet,
    `${name} <roster>`,
    `${summary} (roster: CSV with a student column)`,
    `lab fleet ${name} roster.csv`,
  )
    .addOption(new Option('--prefix <word>', "start of each lab's name").default(defaultPrefix).argParser(parsePrefix))
    .addOption(output(['table', 'csv', 'json']))
    .option('--jobs <n>', 'labs at once', parseJobs);
}

/** Short enough to leave room for a student in a DNS label of 32 characters. */
function parsePrefix(word: string): string {
  if (labNamePattern.test(word) && word.length <= 16) return word;
  throw new LabError({
    what: `--prefix wants 1-16 characters a-z, 0-9 and -, not '${word.slice(0, 40)}'`,
    next: 'lab fleet up roster.csv',
    exit: EXIT.usage,
  });
}
