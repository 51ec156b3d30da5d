import { type Plan, world } from '@handwired/host';
import type { Sight } from '../evidence/evidence.ts';
import type { ProbeId } from '../evidence/probes.ts';
import type { Case } from './check.ts';
import { findPair } from './links.ts';
import { type Packet, uplink } from './packet.ts';

/** A container of the plan. */
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

/** A place where packets can be captured: a link of a namespace, and the direction. */
type Place = Pick<Sight, 'in' | 'device' | 'way'>;

/** A place on a path, and how to see that a packet got past it. */
export interface Hop {
  kind: HopKind;
  /** The container that the place belongs to. */
  which?: Which | undefined;
  /** The answer passes here, on its way back. */
  back: boolean;
  label: string;
  /** A packet seen at this place got past the hop. Absent: nothing can be captured there. */
  past?: Place | undefined;
  /** The hop worked only if the packet has this source address afterwards. */
  source?: string | undefined;
}

interface Leg {
  lab: Case;
  back: boolean;
}

const label = (text: string, back: boolean): string => (back ? `${text} (back)` : text);

const hostEnd = (lab: Case, which: Which): string =>
  findPair(lab.facts, lab.plan[which], lab.plan)?.host.name ?? lab.plan[which].veth;

const inner = ({ lab, back }: Leg, which: Which, way: Place['way']): Hop => ({
  kind: 'inner',
  which,
  back,
  label: label(`${lab.plan[which].name} ${lab.plan.inner}`, back),
  past: { in: lab.plan[which].name, device: lab.plan.inner, way },
});

const veth = ({ lab, back }: Leg, which: Which, way: Place['way']): Hop => ({
  kind: 'veth',
  which,
  back,
  label: label('veth', back),
  past: { in: 'root', device: hostEnd(lab, which), way },
});

const bridge = ({ lab, back }: Leg, way?: Place['way']): Hop => ({
  kind: 'bridge',
  back,
  label: label(lab.plan.bridge, back),
  past: way ? { in: 'root', device: lab.plan.bridge, way } : undefined,
});

/** A hop in the kernel, where no packet can be captured. */
const inside = ({ back }: Leg, kind: HopKind, text: string = kind, which?: Which): Hop => ({
  kind,
  which,
  back,
  label: label(text, back),
});

/** From a container to the bridge. `into` leads from the bridge into a container, `across` from port to port. */
const makeWayOut = (leg: Leg, which: Which): Hop[] => [
  inner(leg, which, 'out'),
  veth(leg, which, 'in'),
  bridge(leg, 'in'),
];
const into = (leg: Leg, which: Which): Hop[] => [bridge(leg, 'out'), veth(leg, which, 'out'), inner(leg, which, 'in')];

function across(leg: Leg, from: Which, to: Which): Hop[] {
  // With bridge-nf-call-iptables=1 FORWARD judges packets between two ports.
  const judged = leg.lab.facts.here.sysctls['net/bridge/bridge-nf-call-iptables'] === '1';
  return [
    inner(leg, from, 'out'),
    veth(leg, from, 'in'),
    bridge(leg),
    ...(judged ? [inside(leg, 'FORWARD')] : []),
    veth(leg, to, 'out'),
    inner(leg, to, 'in'),
  ];
}

/** Out of the uplink to the world. The world can only answer the uplink's source address. */
function toWorld(leg: Leg): Hop[] {
  const device = world.uplink.name;
  return [
    { ...inside(leg, 'POSTROUTING'), past: { in: 'root', device, way: 'out' }, source: world.uplink.address },
    { ...inside(leg, 'uplink', device), past: { in: 'root', device, way: 'out' } },
    { ...inside(leg, 'world', 'the world'), past: { in: 'world', device: 'world0', way: 'in' } },
  ];
}

const fromWorld = (leg: Leg): Hop => ({
  ...inside(leg, 'uplink', world.uplink.name),
  past: { in: 'root', device: world.uplink.name, way: 'in' },
});

const toUplink = (leg: Leg): Hop => ({
  ...inside(leg, 'uplink', world.uplink.name),
  past: { in: 'root', device: world.uplink.name, way: 'out' },
});

/** A sender and a destination, the places between them, and the experiments that try the way. */
export interface Path {
  title: (plan: Plan) => string;
  /** The containers on the path. */
  containers: Which[];
  /** The checks whose failures this path explains. */
  checks: string[];
  /** The experiments that try the path. The first one that failed is followed. */
  probes: ProbeId[];
  /** The places on the way out, then those on the way back. */
  hops: (lab: Case) => Hop[];
  /** The path's first packet as the host's FORWARD, OUTPUT or INPUT sees it; absent: none of them sees it. */
  packet?: (lab: Case, probe: ProbeId | undefined) => Packet;
}

const other = { ct1: 'ct2', ct2: 'ct1' } as const;
const makeLeg = (lab: Case, back: boolean) => ({ lab, back });

const structural = (which: Which): string[] => [
  `namespaces.${which}`,
  `veth.${which}`,
  `veth.${which}-port`,
  ...['link', 'address', 'route'].map((name) => `addressing.${which}-${name}`),
];

const home = (which: Which): Path => ({
  title: (plan) => `${plan[which].name} to its gateway`,
  containers: [which],
  checks: [`connectivity.${which}-gateway`, ...structural(which), ...(which === 'ct1' ? bridges : [])],
  probes: [`${which}>gateway`],
  hops: (lab) => [
    ...makeWayOut(makeLeg(lab, false), which),
    inside(makeLeg(lab, false), 'host', 'lab host'),
    ...into(makeLeg(lab, true), which),
    inside(makeLeg(lab, true), 'client', lab.plan[which].name, which),
  ],
  packet: ({ plan }) => ({
    in: plan.bridge,
    source: plan[which].address,
    target: plan.gateway,
    protocol: 'icmp',
    state: 'NEW',
  }),
});

const bridges = ['bridge.exists', 'bridge.address', 'bridge.up'];

const neighbours = (from: Which): Path => ({
  title: (plan) => `${plan[from].name} to ${plan[other[from]].name}`,
  containers: [from, other[from]],
  checks: [`connectivity.${from}-${other[from]}`],
  probes: [from === 'ct1' ? 'ct1>ct2' : 'ct2>ct1'],
  hops: (lab) => [
    ...across(makeLeg(lab, false), from, other[from]),
    inside(makeLeg(lab, false), 'server', lab.plan[other[from]].name, other[from]),
    ...across(makeLeg(lab, true), other[from], from),
    inside(makeLeg(lab, true), 'client', lab.plan[from].name, from),
  ],
  packet: ({ plan }) => ({
    in: plan.bridge,
    out: plan.bridge,
    source: plan[from].address,
    target: plan[other[from]].address,
    protocol: 'icmp',
    state: 'NEW',
  }),
});

/** From a container past the host to the world, and back. */
const beyond = (lab: Case, which: Which): Hop[] => [
  ...makeWayOut(makeLeg(lab, false), which),
  inside(makeLeg(lab, false), 'PREROUTING'),
  inside(makeLeg(lab, false), 'routing'),
  inside(makeLeg(lab, false), 'FORWARD'),
  ...toWorld(makeLeg(lab, false)),
  fromWorld(makeLeg(lab, true)),
  inside(makeLeg(lab, true), 'routing'),
  inside(makeLeg(lab, true), 'FORWARD'),
  ...into(makeLeg(lab, true), which),
  inside(makeLeg(lab, true), 'client', lab.plan[which].name, which),
];

/** Protocol, port and destination of a probe's packets. */
function wire(plan: Plan, probe: ProbeId | undefined): Pick<Packet, 'protocol' | 'targetPort' | 'target'> {
  // The lab host's stub asks the first of the world's resolvers.
  if (probe === 'host lookup') return { protocol: 'udp', targetPort: 53, target: world.resolvers[0] };
  if (probe?.endsWith('lookup')) return { protocol: 'udp', targetPort: 53, target: plan.resolver };
  if (probe?.endsWith('https')) return { protocol: 'tcp', targetPort: 443, target: world.site.address };
  if (probe?.endsWith('site:port')) return { protocol: 'tcp', targetPort: plan.hostPort, target: world.site.address };
  if (probe?.endsWith('site') || probe?.endsWith('site:large'))
    return { protocol: 'tcp', targetPort: 80, target: world.site.address };
  return { protocol: 'icmp', target: world.resolvers[0] };
}

const outbound =
  (which: Which): NonNullable<Path['packet']> =>
  ({ plan }, probe) => ({
    in: plan.bridge,
    out: uplink,
    source: plan[which].address,
    state: 'NEW',
    ...wire(plan, probe),
  });

const internet = (which: Which): Path => ({
  title: (plan) => `${plan[which].name} to internet`,
  containers: [which],
  checks: [`egress.${which}`, 'egress.masquerade', ...(which === 'ct2' ? ['publish.transit'] : ['dns.https'])],
  probes: [
    `${which}>internet`,
    `${which}>site`,
    `${which}>site:large`,
    ...(which === 'ct2' ? ['ct2>site:port' as const] : ['ct1 https' as const]),
  ],
  hops: (lab) => beyond(lab, which),
  packet: outbound(which),
});

const lookup = (which: Which): Path => ({
  title: (plan) => `${plan[which].name} looks up a name`,
  containers: [which],
  checks: [`dns.${which}`],
  probes: [`${which} lookup`],
  hops: (lab) => [inside(makeLeg(lab, false), 'names', 'resolver files'), ...beyond(lab, which)],
  packet: outbound(which),
});

/** From the lab host to the world, and back. */
const own = (lab: Case): Hop[] => [
  inside(makeLeg(lab, false), 'OUTPUT'),
  inside(makeLeg(lab, false), 'routing'),
  ...toWorld(makeLeg(lab, false)),
  fromWorld(makeLeg(lab, true)),
  inside(makeLeg(lab, true), 'host', 'lab host'),
];

const local: NonNullable<Path['packet']> = ({ plan }, probe) => ({
  out: uplink,
  source: world.uplink.address,
  state: 'NEW',
  ...wire(plan, probe),
});

const hostInternet: Path = {
  title: () => 'lab host to internet',
  containers: [],
  checks: ['bridge.uplink', 'publish.outgoing'],
  probes: ['host>site', 'host>site:port'],
  hops: own,
  packet: local,
};

const hostLookup: Path = {
  title: () => 'lab host looks up a name',
  containers: [],
  checks: ['dns.host-works', 'dns.host-unchanged'],
  probes: ['host lookup'],
  hops: (lab) => [inside(makeLeg(lab, false), 'names', 'resolver files'), ...own(lab)],
  packet: local,
};

/** From the bridge into ct1, to its server, and back to the bridge. */
const served = (lab: Case): Hop[] => [
  ...into(makeLeg(lab, false), 'ct1'),
  inside(makeLeg(lab, false), 'server', `server in ${lab.plan.ct1.name}`, 'ct1'),
  ...makeWayOut(makeLeg(lab, true), 'ct1'),
];

const toServer: NonNullable<Path['packet']> = ({ plan }) => ({
  out: plan.bridge,
  source: plan.gateway,
  target: plan.ct1.address,
  protocol: 'tcp',
  targetPort: plan.containerPort,
  state: 'NEW',
  translated: true,
});

const hostServer: Path = {
  title: (plan) => `lab host to ${plan.ct1.name}`,
  containers: ['ct1'],
  checks: ['publish.server'],
  probes: ['host>server'],
  hops: (lab) => [
    inside(makeLeg(lab, false), 'OUTPUT'),
    inside(makeLeg(lab, false), 'routing'),
    ...served(lab),
    inside(makeLeg(lab, true), 'host', 'lab host'),
  ],
  packet: toServer,
};

const published = (probe: 'host>uplink' | 'host>loopback', check: string): Path => ({
  title: (plan) => `lab host to its published port ${plan.hostPort}`,
  containers: ['ct1'],
  checks: [check],
  probes: [probe],
  hops: (lab) => [
    inside(makeLeg(lab, false), 'OUTPUT'),
    inside(makeLeg(lab, false), 'routing'),
    inside(makeLeg(lab, false), 'POSTROUTING'),
    ...served(lab),
    inside(makeLeg(lab, true), 'host', 'lab host'),
  ],
  packet: toServer,
});

const outside: Path = {
  title: (plan) => `outside to ${plan.ct1.name} by port ${plan.hostPort}`,
  containers: ['ct1'],
  checks: ['publish.outside'],
  probes: ['outside>uplink'],
  hops: (lab) => [
    fromWorld(makeLeg(lab, false)),
    inside(makeLeg(lab, false), 'PREROUTING'),
    inside(makeLeg(lab, false), 'routing'),
    inside(makeLeg(lab, false), 'FORWARD'),
    ...served(lab),
    inside(makeLeg(lab, true), 'routing'),
    inside(makeLeg(lab, true), 'FORWARD'),
    toUplink(makeLeg(lab, true)),
  ],
  packet: ({ plan }) => ({
    in: uplink,
    out: plan.bridge,
    source: world.outside,
    target: plan.ct1.address,
    protocol: 'tcp',
    targetPort: plan.containerPort,
    state: 'NEW',
    translated: true,
  }),
};

/** All paths. When several paths list a failed check, the first one that breaks explains it. */
export const paths: readonly Path[] = [
  home('ct1'),
  home('ct2'),
  neighbours('ct1'),
  neighbours('ct2'),
  internet('ct1'),
  internet('ct2'),
  lookup('ct1'),
  lookup('ct2'),
  hostInternet,
  hostLookup,
  hostServer,
  outside,
  published('host>uplink', 'publish.host-address'),
  published('host>loopback', 'publish.loopback'),
];
