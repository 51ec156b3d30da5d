import type { Net } from '../facts/facts.ts';
import type { Table } from '../facts/firewall.ts';
import type { Link } from '../facts/iproute.ts';
import { splitRule } from '../queries/iptables.ts';

/** A rule with its effective conditions: its own, and those of the jumps from the built-in chain to it. */
export interface Rule {
  table: string;
  /** `base` is the built-in chain, `chain` the one that has the rule. */
  base: string;
  chain: string;
  /** Options (`-i`, `! -o`, `--ctstate`, ...) with their values. Names and addresses are replaced by BRIDGE, ... */
  asks: Map<string, string>;
  target: string;
  /** The rule in iptables-save's form. */
  text: string;
  /** The rule in a form that is comparable between the two sides. */
  is: string;
}

/** Things that have different names on the two sides. */
interface Names {
  bridge: Link | undefined;
  eth0: Link | undefined;
  ports: { host: number; container: number };
  /** Other bridges of the same host whose rules are in the same chains: a word for them, and their addresses. */
  others: { word: string; addresses: readonly string[] };
}

type Rename = (option: string, value: string, words: readonly string[]) => string;

/** All effective rules of a namespace, in order, and the nft tables that iptables can't show. */
export function listRules(net: Net, names: Names): { rules: Rule[]; native: string[] } {
  const rename = renamer(net, names);
  const tables = net.iptables.filter(({ family }) => family === 'ip');
  const rules = tables.flatMap((table) =>
    table.chains
      .filter(({ policy }) => policy !== null)
      .flatMap(({ name }) => followJumps({ table, base: name, chain: name, rename, asked: [], depth: 0 })),
  );
  const shown = new Set(tables.filter(({ variant }) => variant === 'nft').map(({ name }) => `ip ${name}`));
  const others = net.nft.filter(({ family }) => family !== 'ip6').map(({ family, name }) => `${family} ${name}`);
  return { rules, native: [...others.filter((name) => !shown.has(name)), ...net.notIptables] };
}

interface Course {
  table: Table;
  base: string;
  chain: string;
  rename: Rename;
  asked: [string, string][];
  depth: number;
}

function followJumps(course: Course): Rule[] {
  const { table, chain, base, rename, asked, depth } = course;
  const rules = table.chains.find(({ name }) => name === chain)?.rules ?? [];
  return (depth < 8 ? rules : []).flatMap((text): Rule[] => {
    const words = splitRule(text);
    const asks = [...asked, ...listAsks(words, rename)];
    if (isVain(asks)) return [];
    const target = words[Math.max(words.indexOf('-j'), words.indexOf('-g')) + 1] ?? '';
    // A RETURN without conditions is only the end of a chain.
    if (target === 'RETURN' && asks.length === asked.length) return [];
    if (table.chains.some(({ name }) => name === target)) {
      return followJumps({ ...course, chain: target, asked: asks, depth: depth + 1 });
    }
    return [readRule({ table: table.name, base, chain, asks: new Map(asks), target, text })];
  });
}

/** Do the conditions contradict each other? No packet enters or leaves by two interfaces. */
const isVain = (asks: readonly [string, string][]): boolean =>
  asks.some(([option, value]) =>
    asks.some(([other, wanted]) => {
      if (option !== '-i' && option !== '-o') return false;
      return (other === option && wanted !== value) || (other === `! ${option}` && wanted === value);
    }),
  );

function readRule(rule: Omit<Rule, 'is'>): Rule {
  const asks = [...rule.asks].map(([option, value]) => `${option} ${value}`).sort();
  return { ...rule, is: [rule.table, rule.base, ...asks, rule.target].join(' ') };
}

/** Options that are not conditions. */
const silent = new Set(['-m', '-j', '-g', '--comment']);

function listAsks(words: readonly string[], rename: Rename): [string, string][] {
  const found: [string, string][] = [];
  for (let at = 0; at < words.length; at += 1) {
    const negated = words[at] === '!';
    if (negated) at += 1;
    const option = words[at] ?? '';
    const value = words[at + 1] ?? '';
    at += 1;
    if (silent.has(option)) continue;
    const named = option === '--state' ? '--ctstate' : option;
    found.push([negated ? `! ${named}` : named, rename(named, value, words)]);
  }
  return found;
}

/** Replaces names, addresses and ports by words for their roles. */
function renamer(net: Net, { bridge, eth0, ports, others }: Names): Rename {
  const plain = new Map(others.addresses.map((address) => [address, others.word]));
  const bridges = net.links.filter((link) => link.kind === 'bridge' && link.name !== bridge?.name);
  for (const link of bridges) {
    plain.set(link.name, others.word);
    for (const subnet of listSubnets(link)) plain.set(subnet, others.word);
  }
  if (bridge) plain.set(bridge.name, 'BRIDGE');
  for (const subnet of bridge ? listSubnets(bridge) : []) plain.set(subnet, 'SUBNET');
  for (const { family, address } of eth0?.addresses ?? []) if (family === 'inet') plain.set(address, 'CONTAINER');
  const service = `${replaceAddress(eth0)}:${ports.container}`;
  return (option, value, words) => {
    if (option === '--to-destination')
      return value === service ? 'CONTAINER:PORT' : (plain.get(replaceHost(value)) ?? value);
    if (option === '--dport') return replacePort(value, words, ports);
    if (option === '--ctstate') return value.split(',').sort().join(',');
    return plain.get(value.replace(/\/32$/, '')) ?? value;
  };
}

const replaceAddress = (link: Link | undefined): string =>
  link?.addresses.find(({ family }) => family === 'inet')?.address ?? '';

const replaceHost = (service: string): string => service.split(':')[0] ?? '';

const replacePort = (value: string, words: readonly string[], ports: Names['ports']): string => {
  if (words[words.indexOf('-j') + 1] === 'DNAT') return value === String(ports.host) ? 'HOSTPORT' : value;
  return value === String(ports.container) ? 'PORT' : value;
};

function listSubnets({ addresses }: Link): string[] {
  return addresses
    .filter(({ family }) => family === 'inet')
    .map(({ address, prefix }) => {
      const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
      const size = 2 ** (32 - prefix);
      const first = Math.floor(number / size) * size;
      return `${[24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.')}/${prefix}`;
    });
}
