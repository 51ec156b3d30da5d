import type { Case } from '../../checks/check.ts';
import { netnsOf } from '../../checks/look.ts';
import type { Net } from '../../facts/facts.ts';
import type { Cause, Finding } from '../cause.ts';
import { command, deleteRule } from '../commands.ts';
import type { HopKind } from '../hops.ts';
import { type Fate, fateIn } from '../iptables.ts';
import { type Drop, nativeDrop } from '../native.ts';
import { answerTo, type Packet } from '../packet.ts';
import { mayEndAt, type Walk } from '../walk.ts';

const explains = ['connectivity.', 'egress.', 'dns.', 'publish.'] as const;

/** A chain of iptables that drops or refuses the packet for certain; the policy last. */
export function dropped(net: Net, tables: readonly string[], chain: string, packet: Packet): Fate | undefined {
  const fates = net.iptables
    .filter(({ family, name }) => family === 'ip' && tables.includes(name))
    .map((table) => fateIn(table, chain, packet, net));
  return fates.find((fate) => fate && fate.certain && ['DROP', 'REJECT'].includes(fate.target));
}

/** The command that lets it through: the rule away, or the policy back. */
export const mendOf = ({ rule }: Fate): string[] | undefined => (rule ? [deleteRule(rule)] : undefined);

export const nativeMend = ({ table, name, rule }: Drop): string[] | undefined => {
  if (!rule) return [command('nft', 'chain', table.family, table.name, name, '{ policy accept ; }')];
  const { chain, handle } = rule;
  if (chain === null || handle === null) return undefined;
  return [command('nft', 'delete', 'rule', table.family, table.name, chain, 'handle', handle)];
};

/** What says of a rule which one it is. */
export const shownOf = ({ rule }: Fate): string => (rule ? `-A ${rule.chain} ${rule.words.join(' ')}` : 'the policy');

interface Place {
  id: string;
  hop: HopKind;
  back?: boolean;
  tables: string[];
  chain: string;
  hook: string;
  /** The packet as that chain sees it; undefined: it does not pass there. */
  packet: (the: Case, walk: Walk) => { net: Net; netns: string | null; packet: Packet } | undefined;
}

const onHost =
  (shape: (packet: Packet, the: Case) => Packet | undefined): Place['packet'] =>
  (the, { path, probe }) => {
    const packet = path.packet?.(the, probe);
    const shaped = packet ? shape(packet, the) : undefined;
    return shaped ? { net: the.facts.here, netns: null, packet: shaped } : undefined;
  };

/** In a container: its rules judge what comes to it and what leaves it. */
const inContainer =
  (at: 'client' | 'server', back: boolean): Place['packet'] =>
  (the, walk) => {
    const hop = walk.open.find(({ kind, which }) => (kind === at || kind === 'inner') && which !== undefined);
    const packet = walk.path.packet?.(the, walk.probe);
    const net = hop?.which ? netnsOf(the.facts, the.plan[hop.which].name)?.net : undefined;
    if (!hop?.which || !packet || !net) return undefined;
    const seen = back ? answerTo(packet) : packet;
    const { inner, [hop.which]: own } = the.plan;
    const arrives = seen.target === own.address;
    const side = arrives ? { in: inner, out: undefined } : { in: undefined, out: inner };
    return { net, netns: own.name, packet: { ...seen, ...side } };
  };

const places: Place[] = [
  {
    id: 'prerouting-drop',
    hop: 'PREROUTING',
    tables: ['raw', 'mangle'],
    chain: 'PREROUTING',
    hook: 'prerouting',
    packet: onHost((packet, { plan }) => {
      if (packet.in === undefined) return undefined;
      if (!packet.translated) return { ...packet, out: undefined };
      return { ...packet, out: undefined, target: '203.0.113.2', targetPort: plan.hostPort, translated: false };
    }),
  },
  {
    id: 'output-drop',
    hop: 'OUTPUT',
    tables: ['raw', 'mangle', 'filter'],
    chain: 'OUTPUT',
    hook: 'output',
    packet: onHost((packet) => (packet.in === undefined ? packet : undefined)),
  },
  {
    id: 'input-drop',
    hop: 'host',
    tables: ['mangle', 'filter'],
    chain: 'INPUT',
    hook: 'input',
    packet: onHost((packet) => {
      if (packet.out === undefined) return packet;
      return packet.in === undefined ? answerTo(packet) : undefined;
    }),
  },
  {
    id: 'container-drops-in',
    hop: 'server',
    tables: ['raw', 'mangle', 'filter'],
    chain: 'INPUT',
    hook: 'input',
    packet: inContainer('server', false),
  },
  {
    id: 'container-drops-answer',
    hop: 'client',
    back: true,
    tables: ['raw', 'mangle', 'filter'],
    chain: 'INPUT',
    hook: 'input',
    packet: inContainer('client', true),
  },
  {
    id: 'container-drops-out',
    hop: 'inner',
    back: false,
    tables: ['raw', 'mangle', 'filter'],
    chain: 'OUTPUT',
    hook: 'output',
    packet: inContainer('client', false),
  },
];

function causeOf(place: Place): Cause {
  return {
    id: place.id,
    hop: place.hop,
    explains,
    detect: (the, walk): Finding | undefined => {
      if (!mayEndAt(walk, place.hop, place.back)) return undefined;
      const at = place.packet(the, walk);
      if (!at) return undefined;
      const { net, netns, packet } = at;
      const fate = dropped(net, place.tables, place.chain, packet);
      const native = fate ? undefined : nativeDrop(net, place.hook, packet);
      const where = netns === null ? '' : ` in ${netns}`;
      const by = fate
        ? `${shownOf(fate)} of ${fate.chain}`
        : native && `${native.rule?.shown ?? 'the policy'} of ${native.chain}`;
      const mend = fate ? mendOf(fate) : native && nativeMend(native);
      if (by === undefined) return undefined;
      const inside = (line: string): string =>
        netns === null ? line : `${command('ip', 'netns', 'exec', netns)} ${line}`;
      return {
        which: walk.open.find(({ kind }) => kind === place.hop)?.which,
        back: place.back ?? false,
        seen: [`${by}${where} takes ${packet.protocol} from ${packet.source} to ${packet.target}`],
        wrong: `The packet is dropped in ${place.chain}${where}: ${by}.`,
        mend: mend?.map(inside),
      };
    },
  };
}

/** Rules that drop, at every chain but FORWARD: of iptables, either variant, and of native nft. */
export const firewall: Cause[] = places.map(causeOf);
