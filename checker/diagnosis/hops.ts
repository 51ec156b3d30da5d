import { world } from '@handwired/host';
import type { Case } from '../checks/check.ts';
import { pairOf } from '../checks/look.ts';
import type { Sight } from '../probes/evidence.ts';

export type Which = 'ct1' | 'ct2';

/** The kinds of place on a path. `client` and `server` are the two programs and the rules of their own namespace. */
export type HopKind =
  | 'names'
  | 'client'
  | 'inner'
  | 'veth'
  | 'bridge'
  | 'PREROUTING'
  | 'OUTPUT'
  | 'host'
  | 'routing'
  | 'FORWARD'
  | 'POSTROUTING'
  | 'uplink'
  | 'world'
  | 'server';

/** A station of packets that can be captured; the packets on their way out, or those of the answer. */
type Place = Pick<Sight, 'in' | 'device' | 'way'>;

export interface Hop {
  kind: HopKind;
  /** Whose, for what a container has of its own. */
  which?: Which | undefined;
  back: boolean;
  label: string;
  /** A packet seen here got past this hop; absent: nothing can be captured there. */
  past?: Place | undefined;
  /** Only with this source address did it do its work. */
  source?: string | undefined;
}

export interface Leg {
  the: Case;
  back: boolean;
}

const label = (text: string, back: boolean): string => (back ? `${text} (back)` : text);

const hostEnd = (the: Case, which: Which): string =>
  pairOf(the.facts, the.plan[which], the.plan)?.host.name ?? the.plan[which].veth;

const inner = ({ the, back }: Leg, which: Which, way: Place['way']): Hop => ({
  ...{ kind: 'inner', which, back },
  label: label(`${the.plan[which].name} ${the.plan.inner}`, back),
  past: { in: the.plan[which].name, device: the.plan.inner, way },
});

const veth = ({ the, back }: Leg, which: Which, way: Place['way']): Hop => ({
  ...{ kind: 'veth', which, back },
  label: label('veth', back),
  past: { in: 'root', device: hostEnd(the, which), way },
});

const bridge = ({ the, back }: Leg, way?: Place['way']): Hop => ({
  ...{ kind: 'bridge', back, label: label(the.plan.bridge, back) },
  past: way ? { in: 'root', device: the.plan.bridge, way } : undefined,
});

/** A hop in the kernel, where no packet can be captured. */
export const inside = ({ back }: Leg, kind: HopKind, text: string = kind, which?: Which): Hop => ({
  ...{ kind, which, back },
  label: label(text, back),
});

/** From a container to the bridge's own end; from there into a container; and from port to port. */
export const outOf = (leg: Leg, which: Which): Hop[] => [
  inner(leg, which, 'out'),
  veth(leg, which, 'in'),
  bridge(leg, 'in'),
];
export const into = (leg: Leg, which: Which): Hop[] => [
  bridge(leg, 'out'),
  veth(leg, which, 'out'),
  inner(leg, which, 'in'),
];

export function across(leg: Leg, from: Which, to: Which): Hop[] {
  // With bridge-nf-call-iptables=1 FORWARD judges what passes between two ports.
  const judged = leg.the.facts.here.sysctls['net/bridge/bridge-nf-call-iptables'] === '1';
  return [
    inner(leg, from, 'out'),
    veth(leg, from, 'in'),
    bridge(leg),
    ...(judged ? [inside(leg, 'FORWARD')] : []),
    veth(leg, to, 'out'),
    inner(leg, to, 'in'),
  ];
}

/** Out of the uplink to the world, and back in. `as` is the source that the world can answer. */
export function toWorld(leg: Leg): Hop[] {
  const device = world.uplink.name;
  return [
    { ...inside(leg, 'POSTROUTING'), past: { in: 'root', device, way: 'out' }, source: world.uplink.address },
    { ...inside(leg, 'uplink', device), past: { in: 'root', device, way: 'out' } },
    { ...inside(leg, 'world', 'the world'), past: { in: 'world', device: 'world0', way: 'in' } },
  ];
}

export const fromWorld = (leg: Leg): Hop => ({
  ...inside(leg, 'uplink', world.uplink.name),
  past: { in: 'root', device: world.uplink.name, way: 'in' },
});

export const toUplink = (leg: Leg): Hop => ({
  ...inside(leg, 'uplink', world.uplink.name),
  past: { in: 'root', device: world.uplink.name, way: 'out' },
});
