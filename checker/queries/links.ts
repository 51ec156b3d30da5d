import type { Container, Plan } from '@handwired/host';
import type { Facts, File, Named } from '../facts/facts.ts';
import type { Link } from '../facts/iproute.ts';
import type { Case } from './check.ts';

/** A real namespace of /run/netns that is not the lab host's own, by name. */
export const findNetns = (facts: Facts, name: string): Named | undefined =>
  facts.namespaces.find((entry) => entry.name === name && entry.real && entry.inode !== facts.host.inode);

/** resolv.conf as a program under `ip netns exec NAME` sees it: ip-netns(8). */
export function findResolvConf(facts: Facts, name: string): File | undefined {
  const own = facts.files.find((file) => file.path === `/etc/netns/${name}/resolv.conf` && file.kind !== 'absent');
  return own ?? facts.files.find((file) => file.path === '/etc/resolv.conf');
}

/** A link by its name. */
export const findLink = (links: readonly Link[] | undefined, name: string): Link | undefined =>
  links?.find((link) => link.name === name);

/** Both ends of a veth pair: the container's, and the lab host's. */
export interface Pair {
  inner: Link;
  host: Link;
}

/**
 * The veth pairs between a container and the lab host. Names do not matter, only the kernel's data about both ends:
 * each end's link_index is the other's ifindex, and the host end's link_netnsid is the number of the container's
 * namespace.
 */
export function findPairs(facts: Facts, container: Pick<Container, 'name'>): Pair[] {
  const netns = findNetns(facts, container.name);
  const numbers = new Set(
    facts.here.ids
      .filter(
        ({ name }) => name !== null && facts.namespaces.some((ns) => ns.name === name && ns.inode === netns?.inode),
      )
      .map(({ nsid }) => nsid),
  );
  return (netns?.net?.links ?? [])
    .filter((inner) => inner.kind === 'veth')
    .flatMap((inner) =>
      facts.here.links
        .filter(
          (host) =>
            host.kind === 'veth' &&
            host.peer?.index === inner.index &&
            inner.peer?.index === host.index &&
            host.peer.nsid !== null &&
            numbers.has(host.peer.nsid),
        )
        .map((host) => ({ inner, host })),
    );
}

/** The pair that carries the container's traffic. Of several pairs it is the one with the plan's inner name (eth0). */
export function findPair(facts: Facts, container: Container, plan: Plan): Pair | undefined {
  const pairs = findPairs(facts, container);
  return pairs.find(({ inner }) => inner.name === plan.inner) ?? pairs[0];
}

/** The plan's containers. */
export const containers = ['ct1', 'ct2'] as const;

/** Checks that must pass before a container's packets can reach the bridge. */
export const needLinked = (which: (typeof containers)[number]): string[] => [
  `addressing.${which}-link`,
  `addressing.${which}-address`,
  `veth.${which}-port`,
];

/** Checks that must pass before a container's packets can leave its subnet. */
export const needRouted = (which: (typeof containers)[number]): string[] => [
  ...needLinked(which),
  `addressing.${which}-route`,
  'bridge.address',
  'bridge.up',
];

/** Links of a kind that the baseline lacks, by name. */
export const findNewLinks = (facts: Facts, baseline: Facts, kind: string): Link[] =>
  facts.here.links.filter((link) => link.kind === kind && !findLink(baseline.here.links, link.name));

/** A link's IPv4 addresses, each `ADDRESS/PREFIX`. */
export const listAddresses = (link: Link | undefined): string[] =>
  (link?.addresses ?? [])
    .filter(({ family }) => family === 'inet')
    .map(({ address, prefix }) => `${address}/${prefix}`);

/** Does a container have an IPv4 address on a link other than lo? */
export const isAddressed = (
  { facts, plan }: Pick<Case, 'facts' | 'plan'>,
  which: (typeof containers)[number],
): boolean =>
  (findNetns(facts, plan[which].name)?.net?.links ?? []).some(
    (link) => !link.loopback && listAddresses(link).length > 0,
  );

/** Joins words: `a, b and c`. An empty list gives `none`. */
export function joinWords(words: readonly string[]): string {
  if (words.length < 2) return words[0] ?? 'none';
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;
}

/** `up` or `down`. */
export const renderUp = (up: boolean): string => (up ? 'up' : 'down');
