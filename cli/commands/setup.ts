import { EXIT } from '@handwired/host';
import { ensureSetup } from '@handwired/infra';
import { Argument } from 'commander';
import { type Context, type LabCommand, createWordParser } from '../command.ts';
import { pickDriver } from '../lab/life.ts';

const targets = ['auto', 'vm', 'sandbox', 'docker', 'all'] as const;
type Target = (typeof targets)[number];

/**
 * `lab setup`: installs packages, toolchain and image for one driver, for the driver that `lab up` would choose, or
 * for all.
 */
export const command: LabCommand = {
  example: 'lab setup sandbox',
  declare: (command) =>
    command.addArgument(
      new Argument('[target]', `what to install for: ${targets.join(', ')}`)
        .argParser(createWordParser('setup target', targets))
        .default('auto' as const),
    ),
  run: runSetup,
};

async function runSetup(context: Context, target: Target): Promise<number> {
  context.resume = `lab setup ${target}   (goes on from here)`;
  const wanted = target === 'auto' ? (await pickDriver({}, context)).name : target;
  await ensureSetup(wanted, context);
  context.print(`all that ${describeNeed(wanted)} is here\nnext: lab up`);
  return EXIT.ok;
}

function describeNeed(wanted: Exclude<Target, 'auto'>): string {
  if (wanted === 'all') return 'the drivers vm and sandbox need';
  return wanted === 'docker' ? 'chapter docker needs on a sandbox' : `driver ${wanted} needs`;
}
