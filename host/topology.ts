import { z } from 'zod';
import { type ChapterId, chapterIds, type Container, type Plan } from './plan.ts';
import { world } from './world.ts';

/** How a thing differs from what was planned; null where it does not. */
const Mark = z.enum(['missing', 'wrong', 'extra']).nullable();
export type Mark = z.infer<typeof Mark>;

/** One line about a node or a zone: an address, a state, a rule. */
const Label = z.object({ text: z.string(), mark: Mark });
export type Label = z.infer<typeof Label>;

/**
 * `place`: an address beyond the uplink. `routing`: what the lab host does with packets for other hosts. `others`:
 * other links, of which only the names are given.
 */
const nodeKinds = ['uplink', 'device', 'others', 'routing', 'bridge', 'veth', 'place'] as const;

const TopologyNode = z.object({
  /** Unique in the topology. A node of the plan has the same id in every topology, whatever its name is. */
  id: z.string(),
  kind: z.enum(nodeKinds),
  name: z.string(),
  mark: Mark,
  /** `ADDRESS/PREFIX`; for a place, only `ADDRESS`. */
  addresses: z.array(Label),
  notes: z.array(Label),
});
export type TopologyNode = z.infer<typeof TopologyNode>;

/** A network namespace. The world counts as one, although it looks like several machines. */
const Zone = z.object({
  id: z.string(),
  kind: z.enum(['world', 'host', 'container']),
  name: z.string(),
  mark: Mark,
  nodes: z.array(TopologyNode),
  notes: z.array(Label),
});
export type Zone = z.infer<typeof Zone>;

/** `cable`: a veth pair. `port`: a port of a bridge. `routed`: by the lab host. `from` is the end nearer the world. */
const Link = z.object({ from: z.string(), to: z.string(), kind: z.enum(['cable', 'port', 'routed']), mark: Mark });
export type TopologyLink = z.infer<typeof Link>;

/** What is connected to what: as planned, or as found on a lab host with differences from the plan marked. */
export const Topology = z.object({
  schemaVersion: z.literal(1),
  zones: z.array(Zone),
  links: z.array(Link),
});
export type Topology = z.infer<typeof Topology>;

/** Whether anything in the topology differs from the plan. */
export function hasMarks({ zones, links }: Topology): boolean {
  const parts = zones.flatMap((zone) => [
    ...[zone, ...zone.notes, ...zone.nodes],
    ...zone.nodes.flatMap(({ addresses, notes }) => [...addresses, ...notes]),
  ]);
  return [...parts, ...links].some(({ mark }) => mark !== null);
}

/** Ids of the nodes that every plan has. */
export const nodeIds = {
  uplink: 'uplink',
  routing: 'routing',
  bridge: 'bridge',
  port: (which: 'ct1' | 'ct2') => `port ${which}`,
  inner: (which: 'ct1' | 'ct2') => `inner ${which}`,
} as const;

const plain = (...texts: string[]): Label[] => texts.map((text) => ({ text, mark: null }));

const node = (
  id: string,
  kind: TopologyNode['kind'],
  name: string,
  more: Partial<TopologyNode> = {},
): TopologyNode => ({ id, kind, name, mark: null, addresses: [], notes: [], ...more });

/** Texts for routing, NAT, routes and listeners in a topology: the same for a plan and for facts. */
export const says = {
  loopbackDown: (isOther: boolean) => (isOther ? 'lo is down' : 'only lo, which is down'),
  forwards: 'forwards IPv4',
  masquerade: (plan: Plan) => `source NAT for ${plan.subnet}`,
  publish: (plan: Plan) => `tcp ${plan.hostPort} → ${plan.ct1.address}:${plan.containerPort}`,
  gateway: (gateway: string) => `default via ${gateway}`,
  resolver: (address: string) => `DNS ${address}`,
  listens: (protocol: string, port: number) => `listens on ${protocol} ${port}`,
} as const;

/** The topology after a chapter is built; by default the whole network. */
export function plannedTopology(plan: Plan, through: ChapterId = 'publish'): Topology {
  const has = (chapter: ChapterId): boolean => chapterIds.indexOf(chapter) <= chapterIds.indexOf(through);
  const containers = has('namespaces') ? (['ct1', 'ct2'] as const) : [];
  return {
    schemaVersion: 1,
    zones: [worldZone(), hostZone(plan, has), ...containers.map((which) => containerZone(plan, which, has))],
    links: plannedLinks(has),
  };
}

type Has = (chapter: ChapterId) => boolean;

/** The zone of the world: its places, with the addresses that they have beyond the uplink. */
export function worldZone(): Zone {
  const places: [name: string, address: string][] = [
    ['gateway', world.uplink.gateway],
    ['LAN peer', world.lanPeer],
    ...world.resolvers.map((address): [string, string] => ['name server', address]),
    [world.site.name, world.site.address],
    ['outside client', world.outside],
  ];
  return {
    id: 'world',
    kind: 'world',
    name: 'the world',
    mark: null,
    notes: [],
    nodes: places.map(([name, address]) => node(`place ${address}`, 'place', name, { addresses: plain(address) })),
  };
}

function hostZone(plan: Plan, has: Has): Zone {
  const { uplink } = world;
  const rules = [says.forwards, says.masquerade(plan), ...(has('publish') ? [says.publish(plan)] : [])];
  return {
    id: 'host',
    kind: 'host',
    name: 'lab host',
    mark: null,
    notes: [],
    nodes: [
      node(nodeIds.uplink, 'uplink', uplink.name, { addresses: plain(`${uplink.address}/${uplink.prefix}`) }),
      ...(has('egress') ? [node(nodeIds.routing, 'routing', 'routing and NAT', { notes: plain(...rules) })] : []),
      ...(has('bridge') ? [bridgeNode(plan)] : []),
      ...(has('veth') ? (['ct1', 'ct2'] as const) : []).map((which) =>
        node(nodeIds.port(which), 'veth', plan[which].veth),
      ),
    ],
  };
}

const bridgeNode = ({ bridge, gateway, prefix }: Plan): TopologyNode =>
  node(nodeIds.bridge, 'bridge', bridge, { addresses: plain(`${gateway}/${prefix}`) });

function containerZone(plan: Plan, which: 'ct1' | 'ct2', has: Has): Zone {
  const notes = [
    has('addressing') ? says.gateway(plan.gateway) : says.loopbackDown(has('veth')),
    ...(has('dns') ? [says.resolver(plan.resolver)] : []),
    ...(has('publish') && which === 'ct1' ? [says.listens('tcp', plan.containerPort)] : []),
  ];
  return {
    id: `container ${which}`,
    kind: 'container',
    name: plan[which].name,
    mark: null,
    notes: plain(...notes),
    nodes: has('veth') ? [innerNode(plan, plan[which], nodeIds.inner(which), has('addressing'))] : [],
  };
}

const innerNode = (plan: Plan, { peer, address }: Container, id: string, addressed: boolean): TopologyNode =>
  addressed ? node(id, 'veth', plan.inner, { addresses: plain(`${address}/${plan.prefix}`) }) : node(id, 'veth', peer);

function plannedLinks(has: Has): TopologyLink[] {
  const link = (from: string, to: string, kind: TopologyLink['kind']): TopologyLink => ({ from, to, kind, mark: null });
  const { uplink, routing, bridge, port, inner } = nodeIds;
  return [
    link(`place ${world.uplink.gateway}`, uplink, 'cable'),
    ...(has('egress') ? [link(uplink, routing, 'routed'), link(routing, bridge, 'routed')] : []),
    ...(has('veth') ? (['ct1', 'ct2'] as const) : []).flatMap((which) => [
      link(bridge, port(which), 'port'),
      link(port(which), inner(which), 'cable'),
    ]),
  ];
}
