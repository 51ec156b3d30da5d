import { defaultPlan, type Plan, world } from '@handwired/host';

/** One part of a build, as a shell text for the default plan. The parts of one build are typed one after the other. */
export interface Recipe {
  name: string;
  script: string;
  /** A server that takes one client at a time; a proxy, which may bring it several at once and then waits for seconds. */
  kind?: 'one by one' | 'proxy';
}

export const uplink = world.uplink.name;
export const subnet = defaultPlan.subnet;

/** The same line for each container. */
export const both = (line: (n: number) => string): string => [1, 2].map(line).join('\n');

/** A text for the default plan, for another one: plans differ in the network and in the host's port. */
export function forPlan(text: string, plan: Plan): string {
  const network = plan.gateway.replace(/\.0\.1$/, '');
  return text.replaceAll('172.18.', `${network}.`).replaceAll('8080', String(plan.hostPort));
}
