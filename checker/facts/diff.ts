import type { Facts, Net } from './facts.ts';

/** What a difference is about. Chapter cleanup has one check for each subject. */
export type Subject = 'namespaces' | 'links' | 'rules' | 'sysctls' | 'files' | 'processes';

/**
 * One comparable thing of a snapshot. Items leave out what changes by itself or differs between two equal lab hosts:
 * ifindexes, MAC addresses, lifetimes, fe80 and ff00, timers, handles, counters, neighbours, connections, empty base
 * chains.
 */
export interface Item {
  subject: Subject;
  /** '' for the lab host's own namespace, otherwise the name in /run/netns. */
  scope: string;
  /** Identifies the thing. Two items with the same key are two states of one thing. */
  key: string;
  /** The description that people read. */
  text: string;
  /** The link whose removal removes this item too; null: none. */
  device: string | null;
}

/** Tables of iptables are compared by iptables' own text, those in `byNft` (`SCOPE FAMILY NAME`) by nft's. */
interface ItemOptions {
  byNft: ReadonlySet<string>;
}

/** All comparable things of a snapshot, including the contents of named namespaces. */
function listItems(facts: Facts, options: ItemOptions): Item[] {
  const named = facts.namespaces.map((entry) =>
    item('namespaces', '', `netns ${entry.name}`, `namespace ${entry.name}${entry.real ? '' : ' (a plain file)'}`),
  );
  const inner = facts.namespaces.flatMap(({ name, net }) => (net ? netItems(net, name, options) : []));
  return [
    ...named,
    ...mountItems(facts),
    ...processItems(facts),
    ...fileItems(facts),
    ...netItems(facts.here, '', options),
    ...inner,
  ];
}

function item(subject: Subject, scope: string, key: string, text = key, device: string | null = null): Item {
  return { subject, scope, key, text, device };
}

function mountItems({ mounts, world }: Facts): Item[] {
  const others = mounts.filter(({ inode }) => inode !== world.inode);
  return others.map(({ path }) => item('namespaces', '', `mount ${path}`, `namespace kept by a mount on ${path}`));
}

/** Processes outside the lab host's own namespace and the world's. */
function processItems({ processes, world }: Facts): Item[] {
  return processes
    .filter(({ inode }) => inode !== world.inode)
    .map(({ netns, command }) =>
      item(
        'processes',
        '',
        `process ${netns ?? '-'} ${command}`,
        `process \`${command}\` in ${netns ?? 'a namespace without a name'}`,
      ),
    );
}

function fileItems({ files }: Facts): Item[] {
  return files
    .filter(({ kind }) => kind !== 'absent' && kind !== 'folder')
    .map(({ path, kind, target, sha256, text }) => {
      const shown = kind === 'symlink' ? `symlink to ${target ?? ''}, with` : 'file with';
      const head = (text ?? '').trim().split('\n').slice(0, 3).join('; ').slice(0, 100);
      return item(
        'files',
        '',
        path,
        `${path}: ${shown} ${head || 'nothing'} (${(sha256 ?? 'unreadable').slice(0, 12)})`,
      );
    });
}

/** All comparable things of one network namespace. */
export function netItems(net: Net, scope: string, options: ItemOptions): Item[] {
  return [
    ...linkItems(net, scope),
    ...routeItems(net, scope),
    ...ruleItems(net, scope, options),
    ...sysctlItems(net, scope),
    ...socketItems(net, scope),
  ];
}

function linkItems(net: Net, scope: string): Item[] {
  return net.links.flatMap((link) => [
    item(
      'links',
      scope,
      `link ${link.name}`,
      `link ${link.name} (${link.kind ?? (link.loopback ? 'loopback' : 'device')}), ${link.up ? 'up' : 'down'}, master ${link.master ?? 'none'}, mtu ${link.mtu}`,
    ),
    ...link.addresses
      .filter(({ address }) => !address.startsWith('fe80:'))
      .map(({ address, prefix }) =>
        item(
          'links',
          scope,
          `address ${link.name} ${address}/${prefix}`,
          `address ${address}/${prefix} on ${link.name}`,
          link.name,
        ),
      ),
  ]);
}

function routeItems(net: Net, scope: string): Item[] {
  const routes = net.routes
    .filter(
      ({ protocol, table, destination }) =>
        protocol !== 'kernel' && table !== 'local' && !/^(fe80|ff00):/.test(destination),
    )
    .map((route) => {
      const via = route.gateway === null ? '' : ` via ${route.gateway}`;
      const hops = route.nexthops.map((hop) => ` nexthop ${hop.gateway ?? ''} ${hop.device ?? ''}`).join('');
      const text = `route ${route.destination}${via} dev ${route.device ?? 'none'} table ${route.table}${hops}`;
      return item('links', scope, text, text, route.device);
    });
  const policy = net.policy.map((rule) => item('links', scope, `rule ${rule.priority}: ${rule.text}`));
  const hairpin = net.ports
    .filter((port) => port.hairpin || port.isolated)
    .map((port) =>
      item(
        'links',
        scope,
        `port ${port.device} hairpin ${String(port.hairpin)} isolated ${String(port.isolated)}`,
        undefined,
        port.device,
      ),
    );
  return [...routes, ...policy, ...hairpin];
}

function ruleItems(net: Net, scope: string, { byNft }: ItemOptions): Item[] {
  const shown = new Set<string>();
  const found: Item[] = [];
  for (const table of net.iptables) {
    if (table.variant === 'nft' && byNft.has(`${scope} ${table.family} ${table.name}`)) continue;
    if (table.variant === 'nft') shown.add(`${table.family} ${table.name}`);
    const tool = `${table.family === 'ip6' ? 'ip6tables' : 'iptables'}${table.variant === 'legacy' ? '-legacy' : ''} -t ${table.name}`;
    for (const chain of table.chains) {
      if (chain.policy === null) found.push(item('rules', scope, `${tool} -N ${chain.name}`));
      else if (chain.policy !== 'ACCEPT') found.push(item('rules', scope, `${tool} -P ${chain.name} ${chain.policy}`));
      for (const rule of chain.rules) found.push(item('rules', scope, `${tool} -A ${chain.name} ${rule}`));
    }
  }
  for (const table of net.nft) {
    const name = `${table.family} ${table.name}`;
    for (const object of table.objects) {
      if (shown.has(name) && ['chain', 'rule'].includes(object.type)) continue;
      if (object.type === 'chain' && object.hook !== null && object.policy !== 'drop') continue;
      const where = object.chain === null || object.type === 'chain' ? '' : `${object.chain}: `;
      found.push(item('rules', scope, `nft ${object.text}`, `nft table ${name}, ${where}${object.shown}`));
    }
  }
  return found;
}

/** Skips `conf/all/forwarding`, which is ip_forward under another name. */
function sysctlItems(net: Net, scope: string): Item[] {
  return Object.entries(net.sysctls)
    .filter(([path]) => path !== 'net/ipv4/conf/all/forwarding')
    .map(([path, value]) => {
      const device = /\/conf\/([^/]+)\//.exec(path)?.[1] ?? null;
      const fixed = device === 'all' || device === 'default' ? null : device;
      return item('sysctls', scope, path, `${path.replaceAll('/', '.')} = ${value}`, fixed);
    });
}

/** Listeners. Skips UDP sockets on ephemeral ports: their programs only wait for an answer. */
function socketItems(net: Net, scope: string): Item[] {
  return net.sockets
    .filter(({ protocol, port }) => protocol === 'tcp' || port < 32768)
    .map(({ protocol, address, port, program }) => {
      const key = `${protocol} ${address}:${port} ${program ?? ''}`;
      return item(
        'processes',
        scope,
        `listener ${key}`,
        `${program ?? 'a program'} listens on ${protocol} ${address}:${port}`,
      );
    });
}

/** One difference between two snapshots. */
export interface Difference {
  subject: Subject;
  scope: string;
  change: 'new' | 'gone' | 'changed';
  /** The text of the item now; for `gone`, its text before. */
  text: string;
  /** For `changed`: the text before; otherwise null. */
  was: string | null;
  key: string;
}

/**
 * Lists what has changed between two snapshots of one lab host. A new or gone namespace is listed without its contents,
 * and a new or gone link without its addresses, routes and sysctls.
 */
export function diffFacts(before: Facts, after: Facts): Difference[] {
  const options = { byNft: new Set([...unshown(before), ...unshown(after)]) };
  const [old, now] = [listItems(before, options), listItems(after, options)];
  const scopes = both(listNames(before), listNames(after));
  const links = both(listLinkItems(before), listLinkItems(after));
  const counts = (item: Item): boolean =>
    scopes.has(item.scope) && (item.device === null || links.has(`${item.scope} ${item.device}`));
  return collapse(compareItems(old.filter(counts), now.filter(counts)), after);
}

const both = (a: Set<string>, b: Set<string>): Set<string> => new Set([...a].filter((entry) => b.has(entry)));

const listNames = (facts: Facts): Set<string> => new Set(['', ...facts.namespaces.map(({ name }) => name)]);

const listLinkItems = (facts: Facts): Set<string> =>
  new Set(nets(facts).flatMap(({ scope, net }) => net.links.map(({ name }) => `${scope} ${name}`)));

const nets = (facts: Facts): { scope: string; net: Net }[] => [
  { scope: '', net: facts.here },
  ...facts.namespaces.flatMap(({ name, net }) => (net ? [{ scope: name, net }] : [])),
];

/** Tables with an iptables name whose rules iptables could not show. Only nft's view of them is complete. */
const unshown = (facts: Facts): string[] =>
  nets(facts).flatMap(({ scope, net }) => net.notIptables.map((table) => `${scope} ${table}`));

/** Differences between two lists of items, matched by subject, scope and key. */
export function compareItems(old: Item[], now: Item[]): Difference[] {
  const rest = new Map<string, Item[]>();
  for (const item of old) rest.set(makeId(item), [...(rest.get(makeId(item)) ?? []), item]);
  const found: Difference[] = [];
  for (const item of now) {
    const same = rest.get(makeId(item));
    const was = same?.shift();
    if (!was) found.push(makeDifference(item, 'new', null));
    else if (was.text !== item.text) found.push(makeDifference(item, 'changed', was.text));
  }
  for (const item of [...rest.values()].flat()) found.push(makeDifference(item, 'gone', null));
  return found;
}

const makeId = (item: Item): string => `${item.subject}\n${item.scope}\n${item.key}`;

const makeDifference = (
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

/** Writing ip_forward also writes every interface's `forwarding` (ip-sysctl). Drops the changes that only follow it. */
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
