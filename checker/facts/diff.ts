import type { Facts, Net } from './facts.ts';
import { type Item, itemsOf, type Subject } from './items.ts';

/** One difference between two snapshots. */
export interface Difference {
  subject: Subject;
  scope: string;
  change: 'new' | 'gone' | 'changed';
  /** What it is now; for `gone`, what it was. */
  text: string;
  /** For `changed`. */
  was: string | null;
  key: string;
}

/**
 * What has changed between two snapshots of one lab host. What comes and goes with something else is said once: a new
 * namespace without its contents, a new link without its addresses, routes and sysctls.
 */
export function diffFacts(before: Facts, after: Facts): Difference[] {
  const options = { byNft: new Set([...unshown(before), ...unshown(after)]) };
  const [old, now] = [itemsOf(before, options), itemsOf(after, options)];
  const scopes = both(namesOf(before), namesOf(after));
  const links = both(linksOf(before), linksOf(after));
  const counts = (item: Item): boolean =>
    scopes.has(item.scope) && (item.device === null || links.has(`${item.scope} ${item.device}`));
  return collapse(compareItems(old.filter(counts), now.filter(counts)), after);
}

const both = (a: Set<string>, b: Set<string>): Set<string> => new Set([...a].filter((entry) => b.has(entry)));

const namesOf = (facts: Facts): Set<string> => new Set(['', ...facts.namespaces.map(({ name }) => name)]);

const linksOf = (facts: Facts): Set<string> =>
  new Set(nets(facts).flatMap(({ scope, net }) => net.links.map(({ name }) => `${scope} ${name}`)));

const nets = (facts: Facts): { scope: string; net: Net }[] => [
  { scope: '', net: facts.here },
  ...facts.namespaces.flatMap(({ name, net }) => (net ? [{ scope: name, net }] : [])),
];

/** Tables with an iptables name whose rules iptables could not show, so that only nft's view of them is whole. */
const unshown = (facts: Facts): string[] =>
  nets(facts).flatMap(({ scope, net }) => net.notIptables.map((table) => `${scope} ${table}`));

/** Differences between two lists of things, each matched by what it is. */
export function compareItems(old: Item[], now: Item[]): Difference[] {
  const rest = new Map<string, Item[]>();
  for (const item of old) rest.set(idOf(item), [...(rest.get(idOf(item)) ?? []), item]);
  const found: Difference[] = [];
  for (const item of now) {
    const same = rest.get(idOf(item));
    const was = same?.shift();
    if (!was) found.push(differenceOf(item, 'new', null));
    else if (was.text !== item.text) found.push(differenceOf(item, 'changed', was.text));
  }
  for (const item of [...rest.values()].flat()) found.push(differenceOf(item, 'gone', null));
  return found;
}

const idOf = (item: Item): string => `${item.subject}\n${item.scope}\n${item.key}`;

const differenceOf = (
  { subject, scope, text, key }: Item,
  change: Difference['change'],
  was: string | null,
): Difference => ({
  subject,
  scope,
  change,
  text,
  was,
  key,
});

/** Writing ip_forward writes every interface's `forwarding` too (ip-sysctl): those that follow it are left out. */
function collapse(found: Difference[], after: Facts): Difference[] {
  const changed = new Set(found.map(({ scope, key }) => `${scope} ${key}`));
  return found.filter(({ subject, scope, key }) => {
    const match = subject === 'sysctls' ? /^net\/(ipv[46])\/conf\/([^/]+)\/forwarding$/.exec(key) : null;
    if (!match || match[2] === 'all') return true;
    const leader = match[1] === 'ipv4' ? 'net/ipv4/ip_forward' : 'net/ipv6/conf/all/forwarding';
    const sysctls = nets(after).find((entry) => entry.scope === scope)?.net.sysctls ?? {};
    return !changed.has(`${scope} ${leader}`) || sysctls[key] !== sysctls[leader];
  });
}
