import { quoteAll, world } from '@handwired/host';
import type { Case } from './check.ts';
import { type Chain, type Rule, target } from './iptables.ts';
import { findLink, findNetns, findPair } from './links.ts';
import type { Which } from './paths.ts';

/** A command line with words quoted where needed. Replaces NUL, which no kernel name has but a recorded file may. */
export const command = (...words: (string | number)[]): string =>
  quoteAll(words.map((word) => String(word).replaceAll('\0', '\uFFFD')));

/** `ip` in the lab host's namespace or in a container's. */
export const ip = (netns: string | null, ...words: (string | number)[]): string =>
  netns === null ? command('ip', ...words) : command('ip', '-n', netns, ...words);

/** The command that gives a container its default route. */
export const defaultRoute = ({ plan }: Case, which: Which): string =>
  ip(plan[which].name, 'route', 'replace', 'default', 'via', plan.gateway, 'dev', plan.inner);

/** The command that gives the lab host its default route back. */
export const hostRoute = (): string =>
  ip(null, 'route', 'replace', 'default', 'via', world.uplink.gateway, 'dev', world.uplink.name);

/** The command that sets a kernel setting; `key` is its path under /proc/sys. */
export const sysctl = (key: string, value: string): string =>
  command('sysctl', '-w', `${key.replaceAll(/[./]/g, (sign) => (sign === '.' ? '/' : '.'))}=${value}`);

/** The command that deletes exactly this rule, with the tool that owns it. */
export const deleteRule = ({ tool, table, chain, words }: Rule): string =>
  command(tool, '-t', table, '-D', chain, ...words);

/** The name of the veth's host end; if there is no pair, the plan's name for it. */
const findEnd = (lab: Case, which: Which): string =>
  findPair(lab.facts, lab.plan[which], lab.plan)?.host.name ?? lab.plan[which].veth;

/** The commands that make the host end of a container's veth a port of the bridge, and set it up. */
export const plug = (lab: Case, which: Which): string[] => {
  const end = findEnd(lab, which);
  return [ip(null, 'link', 'set', end, 'master', lab.plan.bridge), ip(null, 'link', 'set', end, 'up')];
};

const beganWith = (lab: Case, chapter: 'addressing' | 'veth' | 'publish'): boolean =>
  lab.record.begun[chapter] !== undefined;

/** The commands that set links, address and default route inside a container. */
export function settle(lab: Case, which: Which): string[] {
  const { plan } = lab;
  const { name, address } = plan[which];
  return [
    ip(name, 'link', 'set', 'lo', 'up'),
    ip(name, 'addr', 'replace', `${address}/${plan.prefix}`, 'dev', plan.inner),
    ip(name, 'link', 'set', plan.inner, 'up'),
    defaultRoute(lab, which),
  ];
}

/** The commands that flush ARP entries, so that nobody uses the MAC address of a replaced link. */
const forget = ({ facts, plan }: Case): string[] => [
  ip(null, 'neigh', 'flush', 'dev', plan.bridge),
  ...[plan.ct1, plan.ct2]
    .filter(({ name }) => findNetns(facts, name))
    .map(({ name }) => ip(name, 'neigh', 'flush', 'all')),
];

/** The commands that replace a container's veth and restore its settings. `fresh`: the namespace is new and empty. */
export function cable(lab: Case, which: Which, fresh = false): string[] {
  const { facts, plan } = lab;
  const { name, veth } = plan[which];
  const there = fresh ? [] : findNetns(facts, name)?.net?.links;
  return [
    ...(findLink(there, plan.inner) ? [ip(name, 'link', 'del', plan.inner)] : []),
    ...(findLink(facts.here.links, veth) ? [ip(null, 'link', 'del', veth)] : []),
    ip(null, 'link', 'add', veth, 'type', 'veth', 'peer', 'name', plan.inner, 'netns', name),
    ...(findLink(facts.here.links, plan.bridge) ? [ip(null, 'link', 'set', veth, 'master', plan.bridge)] : []),
    ip(null, 'link', 'set', veth, 'up'),
    ...(beganWith(lab, 'addressing')
      ? [...settle(lab, which), ...(findLink(facts.here.links, plan.bridge) ? forget(lab) : [])]
      : []),
  ];
}

/** The commands that start the published server and wait until it listens. */
export function serve({ plan }: Case): string[] {
  const { name } = plan.ct1;
  const folder = `/srv/${name}`;
  const argv = ['python3', '-m', 'http.server', plan.containerPort, '--bind', '0.0.0.0', '--directory', folder];
  const listening = command('ip', 'netns', 'exec', name, 'ss', '-Hltn', `sport = :${plan.containerPort}`);
  return [
    command('mkdir', '-p', folder),
    `setsid --fork ${command('ip', 'netns', 'exec', name, ...argv)} </dev/null >/dev/null 2>&1`,
    `until ${listening} | grep -q .; do sleep 0.1; done`,
  ];
}

/** The commands that build a container from nothing, as far as the learner had begun it. */
export function container(lab: Case, which: Which): string[] {
  return [
    ip(null, 'netns', 'add', lab.plan[which].name),
    ...(beganWith(lab, 'veth') ? cable(lab, which, true) : []),
    ...(which === 'ct1' && beganWith(lab, 'publish') ? serve(lab) : []),
  ];
}

/** The commands that build the bridge from nothing and plug in the veths that exist. */
export function bridge(lab: Case): string[] {
  const { plan, facts, record } = lab;
  const ends = (['ct1', 'ct2'] as const).filter((which) => findPair(facts, plan[which], plan));
  return [
    ip(null, 'link', 'add', plan.bridge, 'type', 'bridge'),
    ip(null, 'addr', 'add', `${plan.gateway}/${plan.prefix}`, 'dev', plan.bridge),
    ip(null, 'link', 'set', plan.bridge, 'up'),
    ...ends.flatMap((which) => plug(lab, which)),
    ...forget(lab),
    ...(record.begun.publish === undefined ? [] : [sysctl(`net/ipv4/conf/${plan.bridge}/route_localnet`, '1')]),
  ];
}

/** The command that publishes the plan's port in a chain of nat. */
export const dnat = (lab: Case, chain: Chain): string => {
  const published = ['-p', 'tcp', '--dport', lab.plan.hostPort, '-m', 'addrtype', '--dst-type', 'LOCAL'];
  return command('iptables', '-t', 'nat', '-A', chain, ...published, '-j', 'DNAT', '--to-destination', target(lab));
};
