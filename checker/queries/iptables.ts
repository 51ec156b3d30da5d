import { world } from '@handwired/host';
import type { Net } from '../facts/facts.ts';
import type { Table } from '../facts/firewall.ts';
import type { Case } from './check.ts';
import { nativeTables } from './nftables.ts';
import { every, isDevice, isLocal, type Maybe, not, type Packet, some, uplink, isWithin } from './packet.ts';

/** What a chain does with a packet, and which rule decides it. */
export interface Fate {
  /** `ACCEPT`, `DROP`, `REJECT`, `DNAT`, `MASQUERADE`, ... */
  target: string;
  /** null: the chain's policy decides. */
  rule: Rule | null;
  /** The chain's name for people: `iptables (nft) filter FORWARD`. */
  chain: string;
  /** The command that changes the chain: `iptables` or `iptables-legacy`. */
  tool: string;
  /** False: an earlier rule may have taken the packet, but whether it matches is unknown. */
  certain: boolean;
}

/** A rule of iptables, split into words. */
export interface Rule {
  tool: string;
  table: string;
  chain: string;
  words: string[];
}

/** Splits a rule of iptables-save into words. Quoted ones are "...", with a backslash before a quote or a backslash. */
export const splitRule = (rule: string): string[] =>
  [...rule.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(
    (match) => match[1]?.replaceAll(/\\(.)/g, '$1') ?? match[2] ?? '',
  );

const ends = new Set(['ACCEPT', 'DROP', 'REJECT', 'DNAT', 'SNAT', 'MASQUERADE', 'REDIRECT', 'NETMAP', 'QUEUE']);

/** What one table does with a packet at one of its built-in chains; undefined: the table has no such chain. */
export function followChain(table: Table, chain: string, packet: Packet, net: Net): Fate | undefined {
  const base = table.chains.find(({ name }) => name === chain);
  if (!base) return undefined;
  const state = { certain: true };
  const found = walk(table, chain, { packet, net, state, depth: 0 });
  const renderRule = `iptables (${table.variant}) ${table.name} ${chain}`;
  return {
    target: base.policy ?? 'ACCEPT',
    rule: null,
    ...found,
    chain: renderRule,
    tool: findTool(table),
    certain: state.certain,
  };
}

interface Course {
  packet: Packet;
  net: Net;
  state: { certain: boolean };
  depth: number;
}

type Taken = Pick<Fate, 'target' | 'rule'>;

function walk(table: Table, chain: string, course: Course): Taken | undefined {
  const rules = table.chains.find(({ name }) => name === chain)?.rules ?? [];
  for (const text of course.depth < 16 ? rules : []) {
    const words = splitRule(text);
    const match = matches(words, course);
    if (match === false) continue;
    const target = words[Math.max(words.indexOf('-j'), words.indexOf('-g')) + 1] ?? '';
    if (!words.includes('-j') && !words.includes('-g')) continue;
    if (match === undefined) {
      if (ends.has(target) || target === 'RETURN' || isChain(table, target)) course.state.certain = false;
      continue;
    }
    if (target === 'RETURN') return undefined;
    const rule = { tool: findTool(table), table: table.name, chain, words };
    if (ends.has(target)) return { target, rule };
    const deeper = isChain(table, target) ? walk(table, target, { ...course, depth: course.depth + 1 }) : undefined;
    if (deeper) return deeper;
  }
  return undefined;
}

const isChain = (table: Table, name: string): boolean => table.chains.some((chain) => chain.name === name);

/** The command that changes a table: `iptables`, `ip6tables-legacy`. */
export const findTool = ({ family, variant }: Pick<Table, 'family' | 'variant'>): string =>
  `${family === 'ip6' ? 'ip6tables' : 'iptables'}${variant === 'legacy' ? '-legacy' : ''}`;

/** Options that do not restrict which packets match. The next word is their value. */
const silent = /^(-m|-j|-g|--comment|--to-.+|--reject-with|--set-.+|--log-.+|--random.*|--persistent)$/;

/** Does a rule match a packet? Undefined: it depends on an option that is not implemented here. */
function matches(words: readonly string[], { packet, net }: Course): Maybe {
  const found: Maybe[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const negated = words[at] === '!';
    if (negated) at += 1;
    const [option = '', value = ''] = words.slice(at, at + 2);
    at += option.startsWith('-') ? 1 : 0;
    if (silent.test(option)) continue;
    const one = testMatch(option, value, packet, net);
    found.push(negated ? not(one) : one);
  }
  return every(found);
}

function testMatch(option: string, value: string, packet: Packet, net: Net): Maybe {
  const list = value.split(',');
  switch (option) {
    case '-i':
      return packet.in === undefined ? false : isDevice(value, packet.in);
    case '-o':
      return packet.out === undefined ? false : isDevice(value, packet.out);
    case '-s':
      return isWithin(packet.source, value);
    case '-d':
      return isWithin(packet.target, value);
    case '-p':
      return value === packet.protocol || value === 'all';
    case '--dport':
    case '--dports':
      return portIn(list, packet.targetPort);
    case '--sport':
    case '--sports':
      return portIn(list, packet.sourcePort);
    case '--ctstate':
    case '--state':
      return list.includes(packet.state) || (packet.translated === true && list.includes('DNAT'));
    case '--dst-type':
      return value === 'LOCAL' ? isLocal(net, packet.target) : undefined;
    case '--src-type':
      return value === 'LOCAL' ? isLocal(net, packet.source) : undefined;
    case '--icmp-type':
      return packet.protocol === 'icmp' ? some([value === '8' && packet.state === 'NEW', undefined]) : false;
    default:
      return undefined;
  }
}

/** Is a port in one of the entries? An entry is `80` or `8000:8100`. */
function portIn(list: readonly string[], port: number | undefined): Maybe {
  if (port === undefined) return undefined;
  return list.some((entry) => {
    const [from = '', to = from] = entry.split(':');
    return port >= Number(from) && port <= Number(to);
  });
}

/** The chains of nat that translate destinations. */
export type Chain = 'PREROUTING' | 'OUTPUT';

/** Where the published port must lead: ct1's address and port. */
export const target = ({ plan }: Case): string => `${plan.ct1.address}:${plan.containerPort}`;

/** A request to the published port, as it reaches the chain that should translate it. */
export function request({ plan }: Case, chain: Chain, to: string = world.uplink.address): Packet {
  const from = chain === 'PREROUTING' ? { in: uplink, source: world.outside } : { out: 'lo', source: to };
  return { ...from, target: to, protocol: 'tcp', targetPort: plan.hostPort, state: 'NEW' };
}

/** The first DNAT that iptables' nat tables apply to the packet. `to` is the new destination; undefined: no DNAT. */
export function translateRequest(
  lab: Case,
  chain: Chain,
  packet: Packet,
): (Fate & { to: string | undefined }) | undefined {
  for (const table of lab.facts.here.iptables.filter(({ family, name }) => family === 'ip' && name === 'nat')) {
    const fate = followChain(table, chain, packet, lab.facts.here);
    const words = fate?.rule?.words ?? [];
    if (fate && fate.target === 'DNAT') return { ...fate, to: words[words.indexOf('--to-destination') + 1] };
  }
  return undefined;
}

const natRules = ({ facts }: Case): Rule[] =>
  facts.here.iptables
    .filter(({ family, name }) => family === 'ip' && name === 'nat')
    .flatMap((table) =>
      table.chains.flatMap(({ name, rules }) =>
        rules.map((rule) => ({ tool: findTool(table), table: 'nat', chain: name, words: splitRule(rule) })),
      ),
    );

/** DNAT rules that name the published port, whatever else they match on. */
export const portRules = (lab: Case): Rule[] =>
  natRules(lab).filter(({ words }) => words.includes('DNAT') && words.includes(String(lab.plan.hostPort)));

/** A rule as `iptables -S` prints it. */
export const shown = ({ chain, words }: Rule): string => `-A ${chain} ${words.join(' ')}`;

/** Is there a native nft nat chain with rules on this hook? It may translate the port; its rules are not read here. */
export const byNative = (lab: Case, hook: string): boolean =>
  nativeTables(lab.facts.here).some((table) =>
    table.objects.some(
      ({ hook: at, text, chain }) =>
        at === hook &&
        text.includes('"nat"') &&
        table.objects.some((one) => one.type === 'rule' && one.chain === chain),
    ),
  );

/** The chains of nat that do not translate a request to the right address and port. */
export const findLackingChains = (lab: Case): Chain[] =>
  (['PREROUTING', 'OUTPUT'] as const).filter(
    (chain) => translateRequest(lab, chain, request(lab, chain))?.to !== target(lab),
  );

/** Would the port still be translated to the right place without these rules? */
export function translatedWithout(lab: Case, chain: Chain, gone: readonly Rule[]): boolean {
  const texts = new Set(gone.map((rule) => rule.words.join(' ')));
  const tables = lab.facts.here.iptables.map((table) => ({
    ...table,
    chains: table.chains.map((one) => ({
      ...one,
      rules: one.rules.filter((rule) => !texts.has(splitRule(rule).join(' '))),
    })),
  }));
  const facts = { ...lab.facts, here: { ...lab.facts.here, iptables: tables } };
  return translateRequest({ ...lab, facts }, chain, request(lab, chain))?.to === target(lab);
}
