import { type ChapterId, EXIT, LabError, loadSpec } from '@handwired/host';
import { chapters } from '@handwired/labs';
import type { Context } from '../context.ts';
import { buildOn } from '../lab/build.ts';
import { toBuildBefore } from '../lab/chapters.ts';
import { remember } from '../lab/history.ts';
import { withLock } from '../lab/lock.ts';
import { withSession } from '../lab/session.ts';
import { toBaseline } from '../lab/up.ts';
import { labFlag, named } from '../options.ts';

/**
 * `lab reset`: the lab host as `lab up` gave it, whatever the learner did to it. `to`: with all that has to stand before
 * that chapter begins, built by us.
 */
export async function runReset(context: Context, name: string, to?: ChapterId): Promise<number> {
  const flag = to === undefined ? '' : ` --to ${to}`;
  context.resume = `lab reset ${name}${flag}   (goes on from here)`;
  const before = to === undefined ? [] : toBuildBefore(chapters, to);
  await withLock(name, context, async () => {
    const spec = await loadSpec(name);
    if (spec.phase === 'destroying') {
      throw new LabError({ what: `lab ${name} is half removed`, next: `lab destroy ${name}`, exit: EXIT.config });
    }
    await toBaseline(spec, context);
    await remember(name, context, { kind: 'reset', to: to ?? null });
    if (before.length > 0) await buildBefore(name, before, context);
  });
  if (to === undefined) context.print(`lab ${name} is back to its baseline\nnext: lab ssh${named(name)}`);
  else context.print(`lab ${name} is as it has to be before chapter ${to}\nnext: lab guide ${to}${labFlag(name)}`);
  return EXIT.ok;
}

/** From the baseline on there is nothing to reset again: what is left of an interrupted build goes on by itself. */
async function buildBefore(name: string, before: ChapterId[], context: Context): Promise<void> {
  const last = before.at(-1);
  context.resume = `lab build ${name} --through ${last}   (goes on from here)`;
  await context.progress.stage(`built through ${last}`, (note) =>
    withSession(name, context, ({ session, spec: { plan } }) =>
      buildOn(name, context)(session, plan, {
        chapters: before,
        onStep: ({ title }) => note(title),
        signal: context.signal,
      }),
    ),
  );
}
