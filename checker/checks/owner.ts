import type { Plan } from '@handwired/host';
import type { Difference } from '../facts/diff.ts';
import type { Record } from '../record.ts';

export type Owner = 'yours' | 'unknown';

/** Settings that the course itself has a learner change. */
const taught = [/ip_forward/, /route_localnet/, /\/forwarding$/, /bridge-nf-call/, /^\/etc\/(resolv\.conf|netns\/)/];

/** Whose a difference is: yours if it carries a name, an address or a port of the plan, or of what was seen to be yours. */
export function ownerOf({ key, text }: Difference, plan: Plan, record: Record): Owner {
  const network = plan.subnet.split('.').slice(0, 2).join('.');
  const words = [plan.bridge, plan.ct1.name, plan.ct2.name, plan.ct1.veth, plan.ct2.veth, ...record.seen];
  const ours = taught.some((pattern) => pattern.test(key)) || text.includes(`${network}.`);
  const named = words.some((word) => text.split(/[^\w.-]+/).includes(word));
  const port = new RegExp(`(dport |:|port )${plan.hostPort}\\b`).test(text);
  return ours || named || port ? 'yours' : 'unknown';
}
