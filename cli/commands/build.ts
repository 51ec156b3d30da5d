import { EXIT, type ChapterId } from '@handwired/host';
import { chapters, undo, type build, type StepEvent } from '@handwired/labs';
import pc from 'picocolors';
import type { Context } from '../context.ts';
import { buildOn } from '../lab/build.ts';
import { asFlags, toBuild, toUndo, type Selection } from '../lab/chapters.ts';
import { withLock } from '../lab/lock.ts';
import { withSession } from '../lab/session.ts';
import { named } from '../options.ts';
import { printable } from '../printable.ts';

/** `lab build`: our solution, step by step, in the learner's lab host. */
export async function runBuild(context: Context, name: string, selection: Selection): Promise<number> {
  context.resume = `lab build ${name}${asFlags(selection)}   (goes on from here; lab undo ${name} takes it back)`;
  const wanted = toBuild(chapters, selection);
  await onLabHost(context, name, wanted, buildOn(name, context));
  if (!chapters.some(({ id, steps }) => wanted.includes(id) && steps.length > 0))
    context.print(`nothing is built in ${wanted.join(', ')}`);
  context.print(`next: lab check${named(name)}`);
  return EXIT.ok;
}

/** `lab undo`: takes our solution back, the last step first, and nothing that was there before it. */
export async function runUndo(context: Context, name: string, chapter: ChapterId | undefined): Promise<number> {
  const flag = chapter === undefined ? '' : asFlags({ chapter });
  context.resume = `lab undo ${name}${flag}   (goes on from here)`;
  await onLabHost(context, name, toUndo(chapters, chapter), undo, 'taken back: ');
  context.print(`next: lab check${named(name)} --chapter cleanup`);
  return EXIT.ok;
}

async function onLabHost(
  context: Context,
  name: string,
  wanted: ChapterId[],
  work: typeof build,
  verb = '',
): Promise<void> {
  await withLock(name, context, () =>
    withSession(name, context, ({ session, spec }) =>
      work(session, spec.plan, { chapters: wanted, onStep: stepPrinter(context, verb), signal: context.signal }),
    ),
  );
}

/** Prints each step as it ends: its chapter once, its title with what became of it, its commands as one would type them. */
function stepPrinter(context: Context, verb: string): (event: StepEvent) => void {
  const colors = pc.createColors(context.color);
  const mark = { run: colors.green('✔'), already: colors.dim('='), failed: colors.red('✖') };
  let shown: ChapterId | undefined;
  return ({ chapter: id, title, command, status, ms, output }) => {
    const chapter = chapters.find((one) => one.id === id);
    if (shown !== id) context.print(colors.bold(`${chapter?.number ?? ''} ${chapter?.title ?? id}`));
    shown = id;
    const how = { run: `${(ms / 1000).toFixed(1)} s`, already: 'already so', failed: 'failed' }[status];
    context.print(`  ${mark[status]} ${verb}${title}  ${colors.dim(how)}`);
    for (const line of command.trim().split('\n'))
      context.print(`      ${status === 'already' ? colors.dim(line) : line}`);
    if (status === 'failed') for (const line of output.trim().split('\n')) context.print(`      ${printable(line)}`);
  };
}
