import { type ChapterId, EXIT, LabError } from '@handwired/host';
import { type Command, Option } from 'commander';
import type { Context } from '../context.ts';
import { labName, parseChapter, type UpOptions } from '../options.ts';
import { addMachineOptions, labCommand, output, type Act } from './parts.ts';

/** Commands that make a lab come, come back and go. */
export function addLifecycle(program: Command, context: Context, act: Act): void {
  const example = 'lab up demo --driver sandbox --condition forward-policy=drop';
  addMachineOptions(labCommand(program, 'up', 'bring a lab host up, or say that it is up', example)).action(
    (name: string = labName(), options: UpOptions) =>
      act('up', async () => (await import('../commands/up.ts')).runUp(context, name, options)),
  );
  const toOption = new Option('--to <id>', 'then build all that has to stand before this chapter');
  labCommand(program, 'reset', 'back to the baseline, whatever was done to the lab host', 'lab reset --to veth')
    .addOption(toOption.argParser(parseChapter))
    .action((name: string = labName(), { to }: { to?: ChapterId }) =>
      act('reset', async () => (await import('../commands/reset.ts')).runReset(context, name, to)),
    );
  addStatus(program, context, act);
  addDestroy(program, context, act);
}

function addStatus(program: Command, context: Context, act: Act): void {
  labCommand(program, 'status', 'what exists: driver, state, age, cost', 'lab status -o json')
    .addOption(output(['table', 'json']))
    .action((name: string | undefined, options: { output: 'table' | 'json' }) =>
      act('status', async () => (await import('../commands/status.ts')).runStatus(context, name, options.output)),
    );
}

function addDestroy(program: Command, context: Context, act: Act): void {
  const load = () => import('../commands/destroy.ts');
  labCommand(program, 'destroy', 'remove everything of a lab, a half made one too', 'lab destroy demo')
    .option('--all', 'every lab')
    .action((name: string | undefined, { all = false }: { all?: boolean }) => {
      if (all && name !== undefined) {
        const next = `lab destroy ${name}`;
        throw new LabError({ what: 'lab destroy wants a name or --all, not both', next, exit: EXIT.usage });
      }
      const one = all ? undefined : (name ?? labName());
      return act('destroy', async () =>
        one === undefined ? (await load()).runDestroyAll(context) : (await load()).runDestroy(context, one),
      );
    });
}
