import { EXIT, type DriverName } from '@handwired/host';
import { ensureSetup } from '@handwired/infra';
import type { Context } from '../context.ts';
import { choose } from '../lab/up.ts';

/** `lab setup`: packages, toolchain and image for a driver, for the one that `lab up` would take, or for all. */
export async function runSetup(context: Context, target: DriverName | 'docker' | 'auto' | 'all'): Promise<number> {
  context.resume = `lab setup ${target}   (goes on from here)`;
  const wanted = target === 'auto' ? (await choose({}, context)).name : target;
  await ensureSetup(wanted, context);
  context.print(`all that ${whose(wanted)} is here\nnext: lab up`);
  return EXIT.ok;
}

function whose(wanted: DriverName | 'docker' | 'all'): string {
  if (wanted === 'all') return 'the drivers vm and sandbox need';
  return wanted === 'docker' ? 'chapter docker needs on a sandbox' : `driver ${wanted} needs`;
}
