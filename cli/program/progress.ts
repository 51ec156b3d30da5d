import { EXIT, LabError } from '@handwired/host';
import { type Command, Option } from 'commander';
import type { ProgressOptions } from '../commands/progress.ts';
import type { Context } from '../context.ts';
import { labName } from '../options.ts';
import { labCommand, output, type Act } from './parts.ts';

/** Commands about how far a learner is. */
export function addProgress(program: Command, context: Context, act: Act): void {
  labCommand(program, 'next', 'what to do now', 'lab next').action((name: string = labName()) =>
    act('next', async () => (await import('../commands/next.ts')).runNext(context, name)),
  );
  labCommand(program, 'progress', 'chapters, points, time, attempts; kept when the lab goes', 'lab progress -o json')
    .addOption(output(['table', 'json']))
    .addOption(new Option('--forget', 'forget all of that, for good').conflicts('output'))
    .option('--all', 'with --forget: of every lab')
    .action((name: string | undefined, options: ProgressOptions) => {
      checkSense(name, options);
      return act('progress', async () =>
        (await import('../commands/progress.ts')).runProgress(context, name ?? labName(), options),
      );
    });
}

/** What conflicts of options can't say. */
function checkSense(name: string | undefined, { forget, all }: ProgressOptions): void {
  if (all !== true || (forget === true && name === undefined)) return;
  const what = '--all goes with --forget, and without a name';
  throw new LabError({ what, next: 'lab progress --help', exit: EXIT.usage });
}
