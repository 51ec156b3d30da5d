import { world } from '@handwired/host';
import type { ProbeId } from '../../evidence/probes.ts';
import type { Net } from '../../facts/facts.ts';
import type { Case } from '../../queries/check.ts';
import { command, deleteRule } from '../../queries/commands.ts';
import { type Fate, followChain } from '../../queries/iptables.ts';
import { findNetns } from '../../queries/links.ts';
import { type Drop, findNftDrop } from '../../queries/nftables.ts';
import { answerTo, type Packet } from '../../queries/packet.ts';
import type { HopKind } from '../../queries/paths.ts';
import { openingPackets } from '../../queries/sights.ts';
import { mayEndAt, type Walk } from '../../queries/walk.ts';
import { type Cause, type Finding, traffic } from '../cause.ts';

/** The first of these iptables tables whose chain certainly drops or rejects the packet, by a rule or by its policy. */
function dropped(net: Net, tables: readonly string[], chain: string, packet: Packet): Fate | undefined {
  const fates = net.iptables
    .filter(({ family, name }) => family === 'ip' && tables.includes(name))
    .map((table) => followChain(table, chain, packet, net));
  return fates.find((fate) => fate && fate.certain && ['DROP', 'REJECT'].includes(fate.target));
}

/** The command that deletes the rule; undefined: the chain's policy decided. */
const writeMend = ({ rule }: Fate): string[] | undefined => (rule ? [deleteRule(rule)] : undefined);

/** The commands that remove a drop of native nft; undefined: not known. */
export const nativeMend = ({ table, name, rule }: Drop): string[] | undefined => {
  if (!rule) return [command('nft', 'chain', table.family, table.name, name, '{ policy accept ; }')];
  const { chain, handle } = rule;
  if (chain === null || handle === null) return undefined;
  return [command('nft', 'delete', 'rule', table.family, table.name, chain, 'handle', handle)];
};

/** Names the rule that drops, or the policy. */
const renderDrop = ({ rule }: Fate): string => (rule ? `-A ${rule.chain} ${rule.words.join(' ')}` : 'the policy');

interface Hook {
  id: string;
  hop: HopKind;
  back?: boolean;
  tables: string[];
  chain: string;
  hook: string;
  /** The packet as that chain sees it; undefined: the chain does not see it. */
  packet: (lab: Case, walk: Walk) => { net: Net; netns: string | null; packet: Packet } | undefined;
}

const atHostHook =
  (shape: (packet: Packet, lab: Case) => Packet | undefined): Hook['packet'] =>
  (lab, { path, probe }) => {
    const packet = path.packet?.(lab, probe);
    const shaped = packet ? shape(packet, lab) : undefined;
    return shaped ? { net: lab.facts.here, netns: null, packet: shaped } : undefined;
  };

/** The packet at a container's own chains, which judge what it receives and sends. */
const atContainerHook =
  (at: 'client' | 'server', back: boolean): Hook['packet'] =>
  (lab, walk) => {
    const hop = walk.open.find(({ kind, which }) => (kind === at || kind === 'inner') && which !== undefined);
    const packet = walk.path.packet?.(lab, walk.probe);
    const net = hop?.which ? findNetns(lab.facts, lab.plan[hop.which].name)?.net : undefined;
    if (!hop?.which || !packet || !net) return undefined;
    const seen = back ? answerTo(packet) : packet;
    const { inner, [hop.which]: own } = lab.plan;
    const arrives = seen.target === own.address;
    const side = arrives ? { in: inner, out: undefined } : { in: undefined, out: inner };
    return { net, netns: own.name, packet: { ...seen, ...side } };
  };

const hooks: Hook[] = [
  {
    id: 'prerouting-drop',
    hop: 'PREROUTING',
    tables: ['raw', 'mangle'],
    chain: 'PREROUTING',
    hook: 'prerouting',
    packet: atHostHook((packet, { plan }) => {
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
    packet: atHostHook((packet) => (packet.in === undefined ? packet : undefined)),
  },
  {
    id: 'input-drop',
    hop: 'host',
    tables: ['mangle', 'filter'],
    chain: 'INPUT',
    hook: 'input',
    packet: atHostHook((packet) => {
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
    packet: atContainerHook('server', false),
  },
  {
    id: 'container-drops-answer',
    hop: 'client',
    back: true,
    tables: ['raw', 'mangle', 'filter'],
    chain: 'INPUT',
    hook: 'input',
    packet: atContainerHook('client', true),
  },
  {
    id: 'container-drops-out',
    hop: 'inner',
    back: false,
    tables: ['raw', 'mangle', 'filter'],
    chain: 'OUTPUT',
    hook: 'output',
    packet: atContainerHook('client', false),
  },
];

function createCause(place: Hook): Cause {
  return {
    id: place.id,
    hop: place.hop,
    explains: traffic,
    detect: (lab, walk): Finding | undefined => {
      if (!mayEndAt(walk, place.hop, place.back)) return undefined;
      const at = place.packet(lab, walk);
      if (!at) return undefined;
      const { net, netns, packet } = at;
      const fate = dropped(net, place.tables, place.chain, packet);
      const native = fate ? undefined : findNftDrop(net, place.hook, packet);
      const where = netns === null ? '' : ` in ${netns}`;
      const by = fate
        ? `${renderDrop(fate)} of ${fate.chain}`
        : native && `${native.rule?.shown ?? 'the policy'} of ${native.chain}`;
      const mend = fate ? writeMend(fate) : native && nativeMend(native);
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

/** Rules that drop, in all chains but FORWARD: rules of both variants of iptables, and of native nft. */
export const firewallCauses: Cause[] = hooks.map(createCause);

const atForward = { hop: 'FORWARD', explains: traffic } as const;

/** The packet, or its answer (`back`), that may end at FORWARD, as FORWARD sees it; undefined: neither may. */
export function forwarded(lab: Case, walk: Walk): { packet: Packet; back: boolean } | undefined {
  const shape = walk.path.packet?.(lab, walk.probe);
  if (shape?.in === undefined || shape.out === undefined || walk.probe === undefined) return undefined;
  const packet = { ...shape, sourcePort: findPort(lab, walk.probe) };
  if (walk.later) return { packet: { ...packet, state: 'ESTABLISHED' }, back: false };
  if (mayEndAt(walk, 'FORWARD', false)) return { packet, back: false };
  return mayEndAt(walk, 'FORWARD', true) ? { packet: answerTo(packet), back: true } : undefined;
}

/** The source port of a probe's first packet; undefined: it has none, or no packet was seen. */
const findPort = ({ evidence }: Case, probe: ProbeId): number | undefined =>
  evidence.seen.find((sight) => sight.probe === probe && openingPackets.has(sight.what))?.sourcePort || undefined;

const bridged = ({ in: from, out }: Packet): boolean => from === out;

/** The command that inserts an accepting rule first, so that later rules no longer matter. */
const accept = (tool: string, ...words: (string | number)[]): string =>
  command(tool, '-I', 'FORWARD', 1, ...words, '-j', 'ACCEPT');

type Kind = 'bridged' | 'published' | 'out' | 'back';

function findKind(packet: Packet, { plan }: Case): Kind {
  if (bridged(packet)) return 'bridged';
  if (packet.in === plan.bridge) return 'out';
  return packet.state === 'NEW' ? 'published' : 'back';
}

/** The command that accepts such packets as the course does, with the tool whose policy drops them. */
function writeAccept({ plan }: Case, kind: Kind, tool: string): string {
  const { bridge, ct1, containerPort } = plan;
  if (kind === 'bridged') return accept(tool, '-i', bridge, '-o', bridge);
  if (kind === 'out') return accept(tool, '-i', bridge, '!', '-o', bridge);
  if (kind === 'published') return accept(tool, '-o', bridge, '-d', ct1.address, '-p', 'tcp', '--dport', containerPort);
  return accept(tool, '-o', bridge, '-m', 'conntrack', '--ctstate', 'RELATED,ESTABLISHED');
}

const describeWrong: Record<Kind, (lab: Case) => string> = {
  bridged: ({ plan }) =>
    `bridge-nf-call-iptables is 1, so FORWARD judges what passes between two ports, and no rule accepts ${plan.bridge} to ${plan.bridge}`,
  out: ({ plan }) =>
    `It ends between ${plan.bridge} and ${world.uplink.name}, and no rule accepts what comes in by ${plan.bridge}`,
  back: ({ plan }) =>
    `The answer comes back to ${world.uplink.name} and not to ${plan.bridge}: FORWARD lets the way out pass and not the way back (ESTABLISHED)`,
  published: ({ plan }) => `It ends on the lab host: no rule accepted it on its way to ${plan.ct1.name}`,
};

const ids: Record<Kind, string> = {
  bridged: 'forward-drops-bridged',
  out: 'forward-no-accept-out',
  back: 'forward-no-accept-back',
  published: 'forward-no-accept-published',
};

const policies: Cause[] = (Object.keys(ids) as Kind[]).map((kind) => ({
  ...atForward,
  id: ids[kind],
  detect: (lab, walk): Finding | undefined => {
    const at = forwarded(lab, walk);
    if (!at || findKind(at.packet, lab) !== kind) return undefined;
    const fate = dropped(lab.facts.here, ['filter'], 'FORWARD', at.packet);
    if (!fate || fate.rule) return undefined;
    return {
      back: at.back,
      seen: [
        `the policy of ${fate.chain} is DROP`,
        `no rule of it accepts ${at.packet.in ?? ''} to ${at.packet.out ?? ''}`,
      ],
      wrong: `${describeWrong[kind](lab)}; the policy of ${fate.chain} is DROP.`,
      mend: [writeAccept(lab, kind, fate.tool)],
    };
  },
}));

/** Drops in FORWARD: by both variants of iptables, and by native nft. */
export const forwardCauses: Cause[] = [
  {
    ...atForward,
    id: 'forward-rule-drops',
    detect: (lab, walk) => {
      const at = forwarded(lab, walk);
      const fate = at && dropped(lab.facts.here, ['mangle', 'filter'], 'FORWARD', at.packet);
      if (!at || !fate?.rule) return undefined;
      return {
        back: at.back,
        seen: [`${renderDrop(fate)} of ${fate.chain} takes ${at.packet.in ?? ''} to ${at.packet.out ?? ''}`],
        wrong: `A rule in FORWARD drops it before any other accepts it: ${renderDrop(fate)}${bridged(at.packet) ? ' (bridge-nf-call-iptables is 1, so FORWARD judges what passes between two ports)' : ''}.`,
        mend: writeMend(fate),
      };
    },
  },
  {
    ...atForward,
    id: 'nft-chain-drops',
    detect: (lab, walk) => {
      const at = forwarded(lab, walk);
      const drop = at && findNftDrop(lab.facts.here, 'forward', at.packet);
      if (!at || !drop) return undefined;
      const by = drop.rule?.shown ?? 'its policy';
      return {
        back: at.back,
        seen: [`${by} of ${drop.chain} takes ${at.packet.in ?? ''} to ${at.packet.out ?? ''}`],
        wrong: `A chain of nft drops it, and an accept in iptables does not change that: ${drop.chain}, ${by}.`,
        mend: nativeMend(drop),
      };
    },
  },
  ...policies,
];

const atFrontend = { hop: 'FORWARD', explains: traffic } as const;

/** Firewall managers that make their own rules and know nothing about the containers. */
export const frontendCauses: Cause[] = [
  {
    ...atFrontend,
    id: 'ufw-refuses',
    detect: (lab, walk) => {
      const at = forwarded(lab, walk);
      const fate = at && dropped(lab.facts.here, ['filter'], 'FORWARD', at.packet);
      if (!at || !fate?.rule?.chain.startsWith('ufw')) return undefined;
      const { bridge } = lab.plan;
      const accept = (...words: string[]): string => command(fate.tool, '-I', 'FORWARD', 1, ...words, '-j', 'ACCEPT');
      return {
        back: at.back,
        seen: [`${renderDrop(fate)} of ${fate.chain} takes ${at.packet.in ?? ''} to ${at.packet.out ?? ''}`],
        wrong: `The chains of ufw come first in FORWARD, and refuse what is routed: ${renderDrop(fate)}. It must be let through before them, or in them (ufw route allow).`,
        mend: [accept('-i', bridge), accept('-o', bridge)],
      };
    },
  },
  {
    ...atFrontend,
    id: 'firewalld-refuses',
    detect: (lab, walk) => {
      const at = forwarded(lab, walk);
      const drop = at && findNftDrop(lab.facts.here, 'forward', at.packet);
      if (!at || drop?.table.name !== 'firewalld') return undefined;
      const { bridge } = lab.plan;
      const accept = (key: string): string =>
        command('nft', 'insert', 'rule', drop.table.family, drop.table.name, drop.name, key, bridge, 'accept');
      return {
        back: at.back,
        seen: [
          `${drop.rule?.shown ?? 'the policy'} of ${drop.chain} takes ${at.packet.in ?? ''} to ${at.packet.out ?? ''}`,
        ],
        wrong: `firewalld's own table refuses what goes between ${bridge} and ${world.uplink.name}, and an accept in iptables does not change that: ${bridge} is in no zone that may forward (firewall-cmd --zone=trusted --add-interface=${bridge}).`,
        mend: [accept('iifname'), accept('oifname')],
      };
    },
  },
];
