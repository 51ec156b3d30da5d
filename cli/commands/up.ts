import { EXIT, type LabSpec } from '@handwired/host';
import type { Context } from '../context.ts';
import { withLock } from '../lab/lock.ts';
import { bringUp, type UpResult } from '../lab/up.ts';
import { named, type UpOptions } from '../options.ts';

/** `lab up`: brings the lab up and prints its plan and the next command. */
export async function runUp(context: Context, name: string, options: UpOptions): Promise<number> {
  context.resume = `lab up ${name}   (goes on from here; lab destroy ${name} removes it)`;
  const result = await withLock(name, context, () => bringUp(name, options, context));
  context.print(summary(result));
  return EXIT.ok;
}

const did: Record<UpResult['did'], string> = { 'was-up': 'is up', made: 'is up', mended: 'is up again' };

function summary({ spec, did: how }: UpResult): string {
  return [
    `lab ${spec.name} ${did[how]} (driver ${spec.driver}${odd(spec)})`,
    ...planLines(spec),
    `next: lab ssh${named(spec.name)}   (and in another window lab next${named(spec.name)}, for what to read and do)`,
  ].join('\n');
}

/** The conditions that are not the default ones, which a learner should know of. */
function odd({ conditions }: LabSpec): string {
  const pairs = Object.entries(conditions).map(([key, value]) => `${key}=${value}`);
  const usual = ['forward-policy=accept', 'bridge-nf=0', 'resolver=stub', 'ip-forward=0'];
  const shown = pairs.filter((pair) => !usual.includes(pair));
  return shown.length === 0 ? '' : `, ${shown.join(', ')}`;
}

/** What the learner is to build, in the plan's own values. */
function planLines({ plan }: LabSpec): string[] {
  const { ct1, ct2 } = plan;
  return [
    `  to build: ${plan.bridge} ${plan.gateway}/${plan.prefix}, ${ct1.name} ${ct1.address}, ${ct2.name} ${ct2.address}`,
    `  publish:  port ${plan.hostPort} to ${ct1.name}:${plan.containerPort}; name server ${plan.resolver}`,
  ];
}
