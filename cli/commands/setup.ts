import { EXIT, type DriverName } from '@handwired/host';
import { ensureSetup } from '@handwired/infra';
import type { Context } from '../context.ts';

/** `lab setup`: packages, toolchain and image for a driver, or for all of them. */
export async function runSetup(context: Context, target: DriverName | 'all'): Promise<number> {
  context.resume = `lab setup ${target}   (goes on from here)`;
  await ensureSetup(target, context);
  context.print(
    `all that driver ${target === 'all' ? 'vm and driver sandbox need' : `${target} needs`} is here\nnext: lab up`,
  );
  return EXIT.ok;
}
