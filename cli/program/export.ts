import { type Command, Option } from 'commander';
import type { ExportOptions } from '../commands/export.ts';
import type { Context } from '../context.ts';
import { labName } from '../options.ts';
import { type Act, command, throughOption } from './parts.ts';

/** `lab export`: the network as a script that needs nothing of ours. */
export function addExport(program: Command, context: Context, act: Act): void {
  const example = 'lab export > network.sh && bash network.sh --dry-run';
  command(program, 'export', 'the whole network as one bash script, on stdout', example)
    .addOption(throughOption('all chapters up to this one'))
    .addOption(new Option('--lab <name>', "with this lab's plan (default: $LAB_NAME, else lab)").argParser(labName))
    .action((options: ExportOptions) =>
      act('export', async () => (await import('../commands/export.ts')).runExport(context, options)),
    );
}
