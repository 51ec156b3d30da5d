import { EXIT, type LabSpec } from '@handwired/host';
import {
  addUpOptions,
  type Context,
  type LabCommand,
  resolveLabName,
  createNameArgument,
  renderName,
  type UpOptions,
} from '../command.ts';
import { bringUp, type UpResult } from '../lab/life.ts';
import { withLock } from '../lab/open.ts';

/** `lab up`: brings the lab up and prints its plan and the next command. */
export const command: LabCommand = {
  example: 'lab up\n  lab up demo --driver sandbox --condition forward-policy=drop',
  declare: (command) => addUpOptions(command.addArgument(createNameArgument())),
  run: runUp,
};

async function runUp(context: Context, name: string = resolveLabName(), options: UpOptions): Promise<number> {
  context.resume = `lab up ${name}   (goes on from here; lab destroy ${name} removes it)`;
  const result = await withLock(name, context, () => bringUp(name, options, context));
  context.print(renderResult(result));
  return EXIT.ok;
}

function renderResult({ spec, did }: UpResult): string {
  const name = renderName(spec.name);
  return [
    `lab ${spec.name} is up${did === 'mended' ? ' again' : ''} (driver ${spec.driver}${renderConditions(spec)})`,
    ...renderPlan(spec),
    `next: lab ssh${name}   (and in another window lab next${name}, for what to read and do)`,
  ].join('\n');
}

/** The conditions that differ from the default. A learner should know them. */
function renderConditions({ conditions }: LabSpec): string {
  const pairs = Object.entries(conditions).map(([key, value]) => `${key}=${value}`);
  const usual = ['forward-policy=accept', 'bridge-nf=0', 'resolver=stub', 'ip-forward=0'];
  const shown = pairs.filter((pair) => !usual.includes(pair));
  return shown.length === 0 ? '' : `, ${shown.join(', ')}`;
}

/** What the learner is to build, in the plan's own values. */
function renderPlan({ plan }: LabSpec): string[] {
  const { ct1, ct2 } = plan;
  return [
    `  to build: ${plan.bridge} ${plan.gateway}/${plan.prefix}, ${ct1.name} ${ct1.address}, ${ct2.name} ${ct2.address}`,
    `  publish:  port ${plan.hostPort} to ${ct1.name}:${plan.containerPort}; name server ${plan.resolver}`,
  ];
}
