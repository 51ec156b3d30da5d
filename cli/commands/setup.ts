import { EXIT, type DriverName } from '@handwired/host';
import { ensureSetup } from '@handwired/infra';
import type { Context } from '../context.ts';
import { choose } from '../lab/up.ts';

/** `lab setup`: packages, toolchain and image for a driver, for the one that `lab up` would take, or for all. */
export async function runSetup(context: Context, target: DriverName | 'auto' | 'all'): Promise<number> {
  context.resume = `lab setup ${target}   (goes on from here)`;
  const wanted = target === 'auto' ? (await choose({}, context)).name : target;
  await ensureSetup(wanted, context);
  const what = wanted === 'all' ? 'the drivers vm and sandbox need' : `driver ${wanted} needs`;
  context.print(`all that ${what} is here\nnext: lab up`);
  return EXIT.ok;
}
