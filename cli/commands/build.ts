import { EXIT, type ChapterId } from '@handwired/host';
import { build, chapters, undo, type StepEvent } from '@handwired/labs';
import pc from 'picocolors';
import type { Context } from '../context.ts';
import { toBuild, toUndo, type Selection } from '../lab/chapters.ts';
import { withLock } from '../lab/lock.ts';
import { withSession } from '../lab/session.ts';

/** `lab build`: our solution, step by step, in the learner's lab host. */
export async function runBuild(context: Context, name: string, selection: Selection): Promise<number> {
  context.resume = `lab build ${name}   (goes on from here; lab undo ${name} takes it back)`;
  const wanted = toBuild(chapters, selection);
  await onLabHost(context, name, wanted, build);
  context.print(`next: lab check ${name}`);
  return EXIT.ok;
}

/** `lab undo`: takes our solution back, the last step first, and nothing that was there before it. */
export async function runUndo(context: Context, name: string, chapter: ChapterId | undefined): Promise<number> {
  context.resume = `lab undo ${name}   (goes on from here)`;
  await onLabHost(context, name, toUndo(chapters, chapter), undo);
  context.print(`next: lab check ${name} --chapter cleanup`);
  return EXIT.ok;
}

async function onLabHost(context: Context, name: string, wanted: ChapterId[], work: typeof build): Promise<void> {
  await withLock(name, context, () =>
    withSession(name, context, ({ session, spec }) =>
      work(session, spec.plan, { chapters: wanted, onStep: stepPrinter(context), signal: context.signal }),
    ),
  );
}

/** Prints each step as it ends: the chapter once, then its commands with what became of them. */
function stepPrinter(context: Context): (event: StepEvent) => void {
  const colors = pc.createColors(context.color);
  const look = { run: colors.green('✔'), already: colors.dim('='), failed: colors.red('✖') };
  const note = { run: '', already: colors.dim('  (already so)'), failed: colors.red('  (failed)') };
  let shown: ChapterId | undefined;
  return (event) => {
    const chapter = chapters.find(({ id }) => id === event.chapter);
    if (shown !== event.chapter)
      context.print(colors.bold(`${chapter?.number ?? ''} ${chapter?.title ?? event.chapter}`));
    shown = event.chapter;
    const lines = event.command.trim().split('\n');
    context.print(`  ${look[event.status]} ${lines.join('\n      ')}${note[event.status]}`);
  };
}
