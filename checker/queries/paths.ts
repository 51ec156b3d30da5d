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

/** A station of packets that can be captured; the packets on their way out, or those of the answer. */
type Place = Pick<Sight, 'in' | 'device' | 'way'>;

/** A place on a path, and by which packets it is seen that one got past it. */
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

/** From a container to the bridge's own end; from there into a container; and from port to port. */
const makeWayOut = (leg: Leg, which: Which): Hop[] => [
  inner(leg, which, 'out'),
  veth(leg, which, 'in'),
  bridge(leg, 'in'),
];
const into = (leg: Leg, which: Which): Hop[] => [bridge(leg, 'out'), veth(leg, which, 'out'), inner(leg, which, 'in')];

function across(leg: Leg, from: Which, to: Which): Hop[] {
  // With bridge-nf-call-iptables=1 FORWARD judges what passes between two ports.
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

/** Out of the uplink to the world, and back in. `as` is the source that the world can answer. */
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

/** Who wants to reach whom, past which places, and the experiments that try it. */
export interface Path {
  title: (plan: Plan) => string;
  /** The containers on it. */
  containers: Which[];
  /** Failed checks that are about it. */
  checks: string[];
  /** The first of them that failed is followed. */
  probes: ProbeId[];
  /** Out, and back. */
  hops: (lab: Case) => Hop[];
  /** Its first packet as FORWARD sees it, or the host's own OUTPUT and INPUT; undefined: no chain of the host does. */
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

/** Past the host to the world. */
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

/** What a probe's packets are on the wire. */
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

/** The host's own way out. */
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

/** Every path that a check is about; where a check is named by several, the first that breaks is told. */
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
