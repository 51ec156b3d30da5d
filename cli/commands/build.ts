import { EXIT } from '@handwired/host';
import { chapters } from '@handwired/labs';
import {
  type ChapterFlags,
  createChapterOption,
  type Context,
  type LabCommand,
  resolveLabName,
  createNameArgument,
  renderChapterFlags,
  renderName,
  createThroughOption,
} from '../command.ts';
import { createBuild, createStepPrinter, selectToBuild } from '../lab/build.ts';
import { withLock, withSession } from '../lab/open.ts';

/** `lab build`: builds our solution on the learner's lab host, step by step. */
export const command: LabCommand = {
  example: 'lab build\n  lab build --through egress',
  declare: (command) =>
    command
      .addArgument(createNameArgument())
      .addOption(createChapterOption('this chapter and those that it needs'))
      .addOption(createThroughOption('all chapters up to this one (default: the whole course)')),
  run: runBuild,
};

async function runBuild(context: Context, name: string = resolveLabName(), flags: ChapterFlags): Promise<number> {
  context.resume = `lab build ${name}${renderChapterFlags(flags)}   (goes on from here; lab undo ${name} takes it back)`;
  const wanted = selectToBuild(chapters, flags);
  const options = { chapters: wanted, onStep: createStepPrinter(context), signal: context.signal };
  await withLock(name, context, () =>
    withSession(name, context, ({ session, spec }) => createBuild(name, context)(session, spec.plan, options)),
  );
  if (!chapters.some(({ id, steps }) => wanted.includes(id) && steps.length > 0))
    context.print(`nothing is built in ${wanted.join(', ')}`);
  context.print(`next: lab check${renderName(name)}`);
  return EXIT.ok;
}
