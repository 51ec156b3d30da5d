import { EXIT, LabError, loadSpec } from '@handwired/host';
import type { Context } from '../context.ts';
import { remember } from '../lab/history.ts';
import { withLock } from '../lab/lock.ts';
import { named } from '../options.ts';
import { toBaseline } from '../lab/up.ts';

/** `lab reset`: the lab host as `lab up` gave it, whatever the learner did to it. */
export async function runReset(context: Context, name: string): Promise<number> {
  context.resume = `lab reset ${name}   (goes on from here)`;
  await withLock(name, context, async () => {
    const spec = await loadSpec(name);
    if (spec.phase === 'destroying') {
      throw new LabError({ what: `lab ${name} is half removed`, next: `lab destroy ${name}`, exit: EXIT.config });
    }
    await toBaseline(spec, context);
    await remember(name, context, { kind: 'reset', to: null });
  });
  context.print(`lab ${name} is back to its baseline\nnext: lab ssh${named(name)}`);
  return EXIT.ok;
}
