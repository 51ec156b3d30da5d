import { type Plan, world } from '@handwired/host';
import type { Difference } from '../facts/diff.ts';
import type { Record } from '../record.ts';

/** `unknown`: nothing says whose it is. */
export type Owner = 'yours' | 'world' | 'docker' | 'unknown';

/** Settings that the course itself has a learner change. */
const taught = [/ip_forward/, /route_localnet/, /\/forwarding$/, /bridge-nf-call/, /^\/etc\/(resolv\.conf|netns\/)/];

/** Names that Docker gives to what it makes (libnetwork's drivers, osl/namespace_linux.go). */
const dockers = [
  /\bdocker0\b/,
  /\bbr-[0-9a-f]{12}\b/,
  /\bDOCKER(-[A-Z]+)*(?![\w-])/,
  /\bdocker-proxy\b/,
  /\bdockerd\b/,
  /\/(var\/)?run\/docker\/netns\//,
];

/**
 * Whose a difference is: yours if it carries a name or a port of the plan, or of what was seen to be yours; else Docker's
 * by its names; else yours by an address of the plan's; else the world's if it is about the uplink itself; else yours by a
 * setting of the course.
 */
export function ownerOf(
  found: Pick<Difference, 'subject' | 'scope' | 'key' | 'text'>,
  plan: Plan,
  record: Record,
): Owner {
  const { key, text } = found;
  const words = new Set([
    plan.bridge,
    ...[plan.ct1, plan.ct2].flatMap(({ name, veth }) => [name, veth]),
    ...record.seen,
  ]);
  const named = words.has(found.scope) || text.split(/[^\w.-]+/).some((word) => words.has(word));
  const port = new RegExp(`(dport |:|port )${plan.hostPort}\\b`).test(text);
  if (named || port) return 'yours';
  if (dockers.some((pattern) => pattern.test(text))) return 'docker';
  if (text.includes(`${plan.subnet.split('.').slice(0, 2).join('.')}.`)) return 'yours';
  if (isWorlds(found)) return 'world';
  return taught.some((pattern) => pattern.test(key)) ? 'yours' : 'unknown';
}

/** The uplink with its address and routes; what a learner does with it, a rule say, is another subject. */
const isWorlds = ({ subject, scope, key, text }: Pick<Difference, 'subject' | 'scope' | 'key' | 'text'>): boolean =>
  scope === '' &&
  ((subject === 'links' &&
    /^(link|address|route|port) /.test(key) &&
    text.split(/[\s,]+/).includes(world.uplink.name)) ||
    (subject === 'namespaces' && text.includes('/run/handwired/')));
