/** Packet flows as data: where a packet and its answer are seen, and what the hooks of netfilter do to them. */
import { type Plan, world } from '@handwired/host';

/** The addresses of a packet, and its ports where its protocol has them. */
export interface Tuple {
  source: string;
  sourcePort?: number | undefined;
  destination: string;
  destinationPort?: number | undefined;
}

/** Where a packet can be seen: tcpdump would show these addresses there. */
export interface Place {
  kind: 'place';
  /** The network namespace, or the machine beyond the uplink. */
  zone: string;
  device: string | null;
  there: Seen;
  back: Seen;
}

/** A packet at a place. `changed` lists the ends that differ from the place before. */
export interface Seen extends Tuple {
  changed: ('source' | 'destination')[];
}

/** What happens between two places: the hook, and what it does to a packet there and to its answer. */
export interface Hook {
  kind: 'hook';
  there: Act;
  back: Act;
}

/** What a hook does to one packet. */
export interface Act {
  /** `POSTROUTING`, ... */
  hook: string;
  text: string;
}

/** The steps of one packet; its answer takes them in the reverse order. */
export interface Flow {
  title: string;
  steps: (Place | Hook)[];
}

/** One step of a flow as it is written down; `makeFlow` works out what the packet looks like there. */
type Station =
  | { kind: 'place'; zone: string; device: string | null }
  | { kind: 'hook'; there: Act; back: Act; change?: (packet: Tuple) => Tuple };

/**
 * A flow from its first packet and its stations. At every place the answer has the packet's addresses the other way round:
 * connection tracking undoes each change at the hook where the answer passes by (net/netfilter/nf_nat_proto.c: nf_nat_ipv4_ops).
 */
function makeFlow(title: string, first: Tuple, stations: readonly Station[]): Flow {
  let packet = first;
  const raw = stations.map((station) => {
    if (station.kind === 'place') return { ...station, packet };
    packet = station.change?.(packet) ?? packet;
    return { kind: 'hook' as const, there: station.there, back: station.back };
  });
  const places = raw.flatMap((step) => (step.kind === 'place' ? [step.packet] : []));
  let at = -1;
  const steps = raw.map((step): Place | Hook => {
    if (step.kind === 'hook') return step;
    at += 1;
    const here = step.packet;
    const there = markChanges(here, places[at - 1] ?? here);
    const back = markChanges(reverseTuple(here), reverseTuple(places[at + 1] ?? here));
    return { kind: 'place', zone: step.zone, device: step.device, there, back };
  });
  return { title, steps };
}

const reverseTuple = ({ source, sourcePort, destination, destinationPort }: Tuple): Tuple => ({
  source: destination,
  sourcePort: destinationPort,
  destination: source,
  destinationPort: sourcePort,
});

const markChanges = (packet: Tuple, before: Tuple): Seen => ({
  ...packet,
  changed: (['source', 'destination'] as const).filter(
    (field) => formatEnd(packet, field) !== formatEnd(before, field),
  ),
});

/** `ADDRESS:PORT` of one end. */
export function formatEnd(packet: Tuple, field: 'source' | 'destination'): string {
  const port = field === 'source' ? packet.sourcePort : packet.destinationPort;
  return `${packet[field]}${port === undefined ? '' : `:${port}`}`;
}

// The flows that the course draws.

/** A source port as the kernel picks one: ip(7), ip_local_port_range. */
const picked = 40_000;

const createPlace = (zone: string, device: string | null = null): Station => ({ kind: 'place', zone, device });
const createHook = (there: Act, back: Act, change?: (packet: Tuple) => Tuple): Station => ({
  kind: 'hook',
  there,
  back,
  ...(change ? { change } : {}),
});

const createForward = (there: string, back: string): Station =>
  createHook({ hook: 'FORWARD', text: there }, { hook: 'FORWARD', text: back });
const answers = 'lets answers pass (ESTABLISHED)';

/** MASQUERADE: the source becomes an address of the host's. Connection tracking restores the answer's destination. */
const createMasquerade = (address: string, back: string): Station =>
  createHook(
    { hook: 'POSTROUTING', text: `MASQUERADE: from ${address}` },
    { hook: 'PREROUTING', text: `conntrack: to ${back}` },
    (packet) => ({ ...packet, source: address }),
  );

/** DNAT: the destination becomes ct1's server. Connection tracking restores the answer's source. */
const createDnat = (chain: 'PREROUTING' | 'OUTPUT', { ct1, containerPort }: Plan, back: string): Station =>
  createHook(
    { hook: chain, text: `DNAT: to ${ct1.address}:${containerPort}` },
    { hook: chain === 'OUTPUT' ? 'INPUT' : 'POSTROUTING', text: `conntrack: from ${back}` },
    (packet) => ({ ...packet, destination: ct1.address, destinationPort: containerPort }),
  );

const host = 'lab host';
const createTcpPacket = (source: string, destination: string, destinationPort: number): Tuple => ({
  source,
  sourcePort: picked,
  destination,
  destinationPort,
});

/** The stations of a packet from ct1 to an address beyond the uplink. */
function listOutwardStations({ ct1, bridge, inner }: Plan, target: string, packet: Tuple): Station[] {
  return [
    createPlace(ct1.name, inner),
    createPlace(host, bridge),
    createForward('lets containers out', answers),
    createMasquerade(world.uplink.address, packet.source),
    createPlace(host, world.uplink.name),
    createPlace(target),
  ];
}

/** A ping from one container to the other. */
export const makeConnectivityFlow = (plan: Plan): Flow =>
  makeFlow(
    `A ping from ${plan.ct1.name} to ${plan.ct2.name}`,
    { source: plan.ct1.address, destination: plan.ct2.address },
    [createPlace(plan.ct1.name, plan.inner), createPlace(host, plan.bridge), createPlace(plan.ct2.name, plan.inner)],
  );

/** A request from ct1 to a web server beyond the uplink. */
export function makeEgressFlow(plan: Plan): Flow {
  const packet = createTcpPacket(plan.ct1.address, world.site.address, 80);
  return makeFlow(`From ${plan.ct1.name} to the internet`, packet, listOutwardStations(plan, world.site.name, packet));
}

/** A DNS question from ct1 to its name server. */
export function makeDnsFlow(plan: Plan): Flow {
  const packet = createTcpPacket(plan.ct1.address, plan.resolver, 53);
  return makeFlow(`${plan.ct1.name} asks for a name`, packet, listOutwardStations(plan, 'name server', packet));
}

/** A request from outside to the lab host's published port. */
export const makePublishFlow = (plan: Plan): Flow =>
  makeFlow(
    `From outside to port ${plan.hostPort} of the lab host`,
    createTcpPacket(world.outside, world.uplink.address, plan.hostPort),
    [
      createPlace('outside client'),
      createPlace(host, world.uplink.name),
      createDnat('PREROUTING', plan, `${world.uplink.address}:${plan.hostPort}`),
      createForward('lets in what was sent on (DNAT)', answers),
      createPlace(host, plan.bridge),
      createPlace(plan.ct1.name, plan.inner),
    ],
  );

/** A request from the lab host itself to the published port at 127.0.0.1. */
export const makeLoopbackFlow = (plan: Plan): Flow =>
  makeFlow(
    `From the lab host itself to 127.0.0.1:${plan.hostPort}`,
    createTcpPacket('127.0.0.1', '127.0.0.1', plan.hostPort),
    [
      createPlace('curl on the lab host'),
      createDnat('OUTPUT', plan, `127.0.0.1:${plan.hostPort}`),
      createMasquerade(plan.gateway, '127.0.0.1'),
      createPlace(host, plan.bridge),
      createPlace(plan.ct1.name, plan.inner),
    ],
  );

/** A request from ct2 to the lab host's published port. */
export const makeHairpinFlow = (plan: Plan): Flow =>
  makeFlow(
    `From ${plan.ct2.name} to port ${plan.hostPort} of the lab host`,
    createTcpPacket(plan.ct2.address, world.uplink.address, plan.hostPort),
    [
      createPlace(plan.ct2.name, plan.inner),
      createPlace(`${host}, coming in`, plan.bridge),
      createDnat('PREROUTING', plan, `${world.uplink.address}:${plan.hostPort}`),
      createForward('lets in what was sent on (DNAT)', answers),
      createMasquerade(plan.gateway, plan.ct2.address),
      createPlace(`${host}, going out`, plan.bridge),
      createPlace(plan.ct1.name, plan.inner),
    ],
  );
