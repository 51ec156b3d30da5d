import { type ChapterId, EXIT, LabError, loadSpec } from '@handwired/host';
import { chapters } from '@handwired/labs';
import { Option } from 'commander';
import {
  type Context,
  type LabCommand,
  resolveLabName,
  createNameArgument,
  parseChapter,
  renderLabFlag,
  renderName,
} from '../command.ts';
import { createBuild, selectToBuildBefore } from '../lab/build.ts';
import { resetLab } from '../lab/life.ts';
import { rememberEvents, withLock, withSession } from '../lab/open.ts';

/**
 * `lab reset`: the lab host as `lab up` gave it, whatever the learner did to it. `--to`: then we build all that must
 * stand before that chapter begins.
 */
export const command: LabCommand = {
  example: 'lab reset\n  lab reset --to veth',
  declare: (command) =>
    command
      .addArgument(createNameArgument())
      .addOption(
        new Option('--to <id>', 'then build everything that this chapter starts from').argParser(parseChapter),
      ),
  run: runReset,
};

async function runReset(
  context: Context,
  name: string = resolveLabName(),
  { to }: { to?: ChapterId },
): Promise<number> {
  const flag = to === undefined ? '' : ` --to ${to}`;
  context.resume = `lab reset ${name}${flag}   (goes on from here)`;
  const before = to === undefined ? [] : selectToBuildBefore(chapters, to);
  await withLock(name, context, async () => {
    const spec = await loadSpec(name);
    if (spec.phase === 'destroying') {
      throw new LabError({ what: `lab ${name} is half removed`, next: `lab destroy ${name}`, exit: EXIT.config });
    }
    await resetLab(spec, context);
    await rememberEvents(name, context, { kind: 'reset', to: to ?? null });
    if (before.length > 0) await buildBefore(name, before, context);
  });
  if (to === undefined) context.print(`lab ${name} is back to its baseline\nnext: lab ssh${renderName(name)}`);
  else
    context.print(`lab ${name} is as it has to be before chapter ${to}\nnext: lab guide ${to}${renderLabFlag(name)}`);
  return EXIT.ok;
}

/** Builds what comes before a chapter, after the reset. When this is interrupted, `lab build` is enough to go on. */
async function buildBefore(name: string, before: ChapterId[], context: Context): Promise<void> {
  const last = before.at(-1);
  context.resume = `lab build ${name} --through ${last}   (goes on from here)`;
  await context.progress.stage(`built through ${last}`, (note) =>
    withSession(name, context, ({ session, spec: { plan } }) =>
      createBuild(name, context)(session, plan, {
        chapters: before,
        onStep: ({ title }) => note(title),
        signal: context.signal,
      }),
    ),
  );
}
