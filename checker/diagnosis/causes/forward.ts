import { world } from '@handwired/host';
import type { Case } from '../../checks/check.ts';
import { first } from '../../checks/trace.ts';
import type { ProbeId } from '../../probes/list.ts';
import type { Cause, Finding } from '../cause.ts';
import { command } from '../commands.ts';
import { nativeDrop } from '../native.ts';
import { answerTo, type Packet } from '../packet.ts';
import { mayEndAt, type Walk } from '../walk.ts';
import { dropped, mendOf, nativeMend, shownOf } from './firewall.ts';

const explains = ['connectivity.', 'egress.', 'dns.', 'publish.'] as const;
const common = { hop: 'FORWARD', explains } as const;

/** The packet that FORWARD sees where it may end: on its way out, or the answer. */
export function forwarded(the: Case, walk: Walk): { packet: Packet; back: boolean } | undefined {
  const shape = walk.path.packet?.(the, walk.probe);
  if (shape?.in === undefined || shape.out === undefined || walk.probe === undefined) return undefined;
  const packet = { ...shape, sourcePort: portOf(the, walk.probe) };
  if (walk.later) return { packet: { ...packet, state: 'ESTABLISHED' }, back: false };
  if (mayEndAt(walk, 'FORWARD', false)) return { packet, back: false };
  return mayEndAt(walk, 'FORWARD', true) ? { packet: answerTo(packet), back: true } : undefined;
}

/** The port that it was sent from; undefined: it has none, or none was seen. */
const portOf = ({ evidence }: Case, probe: ProbeId): number | undefined =>
  evidence.seen.find((sight) => sight.probe === probe && first.has(sight.what))?.sourcePort || undefined;

const bridged = ({ in: from, out }: Packet): boolean => from === out;

/** An accepting rule, put first: whatever stands behind it no longer matters. */
const accept = (tool: string, ...words: (string | number)[]): string =>
  command(tool, '-I', 'FORWARD', 1, ...words, '-j', 'ACCEPT');

type Kind = 'bridged' | 'published' | 'out' | 'back';

function kindOf(packet: Packet, { plan }: Case): Kind {
  if (bridged(packet)) return 'bridged';
  if (packet.in === plan.bridge) return 'out';
  return packet.state === 'NEW' ? 'published' : 'back';
}

/** What lets it pass, as the course does it, by the tool whose policy drops it. */
function acceptOf({ plan }: Case, kind: Kind, tool: string): string {
  const { bridge, ct1, containerPort } = plan;
  if (kind === 'bridged') return accept(tool, '-i', bridge, '-o', bridge);
  if (kind === 'out') return accept(tool, '-i', bridge, '!', '-o', bridge);
  if (kind === 'published') return accept(tool, '-o', bridge, '-d', ct1.address, '-p', 'tcp', '--dport', containerPort);
  return accept(tool, '-o', bridge, '-m', 'conntrack', '--ctstate', 'RELATED,ESTABLISHED');
}

const told: Record<Kind, (the: Case) => string> = {
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
  ...common,
  id: ids[kind],
  detect: (the, walk): Finding | undefined => {
    const at = forwarded(the, walk);
    if (!at || kindOf(at.packet, the) !== kind) return undefined;
    const fate = dropped(the.facts.here, ['filter'], 'FORWARD', at.packet);
    if (!fate || fate.rule) return undefined;
    return {
      back: at.back,
      seen: [
        `the policy of ${fate.chain} is DROP`,
        `no rule of it accepts ${at.packet.in ?? ''} to ${at.packet.out ?? ''}`,
      ],
      wrong: `${told[kind](the)}; the policy of ${fate.chain} is DROP.`,
      mend: [acceptOf(the, kind, fate.tool)],
    };
  },
}));

/** What passes the lab host and is judged in FORWARD: of iptables, either variant, and of native nft. */
export const forward: Cause[] = [
  {
    ...common,
    id: 'forward-rule-drops',
    detect: (the, walk) => {
      const at = forwarded(the, walk);
      const fate = at && dropped(the.facts.here, ['mangle', 'filter'], 'FORWARD', at.packet);
      if (!at || !fate?.rule) return undefined;
      return {
        back: at.back,
        seen: [`${shownOf(fate)} of ${fate.chain} takes ${at.packet.in ?? ''} to ${at.packet.out ?? ''}`],
        wrong: `A rule in FORWARD drops it before any other accepts it: ${shownOf(fate)}${bridged(at.packet) ? ' (bridge-nf-call-iptables is 1, so FORWARD judges what passes between two ports)' : ''}.`,
        mend: mendOf(fate),
      };
    },
  },
  {
    ...common,
    id: 'nft-chain-drops',
    detect: (the, walk) => {
      const at = forwarded(the, walk);
      const drop = at && nativeDrop(the.facts.here, 'forward', at.packet);
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
