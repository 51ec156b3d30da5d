import { type ChapterId, EXIT } from '@handwired/host';
import { chapters, undo } from '@handwired/labs';
import { Option } from 'commander';
import {
  createChapterOption,
  type Context,
  type LabCommand,
  resolveLabName,
  createNameArgument,
  renderName,
} from '../command.ts';
import { createStepPrinter, selectToUndo } from '../lab/build.ts';
import { withLock, withSession } from '../lab/open.ts';

/** `lab undo`: undoes what `lab build` does, the last step first, and nothing else. */
export const command: LabCommand = {
  example: 'lab undo --all\n  lab undo --chapter publish',
  declare: (command) =>
    command
      .addArgument(createNameArgument())
      .addOption(createChapterOption('this chapter and those that need it'))
      .addOption(new Option('--all', 'the whole course (the default)').conflicts('chapter')),
  run: runUndo,
};

async function runUndo(
  context: Context,
  name: string = resolveLabName(),
  { chapter }: { chapter?: ChapterId },
): Promise<number> {
  context.resume = `lab undo ${name}${chapter === undefined ? '' : ` --chapter ${chapter}`}   (goes on from here)`;
  const wanted = selectToUndo(chapters, chapter);
  const options = { chapters: wanted, onStep: createStepPrinter(context, 'taken back: '), signal: context.signal };
  await withLock(name, context, () =>
    withSession(name, context, ({ session, spec }) => undo(session, spec.plan, options)),
  );
  context.print(`next: lab check${renderName(name)} --chapter cleanup`);
  return EXIT.ok;
}
