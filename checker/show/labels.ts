import {
  type ChapterId,
  chapterIds,
  dockerHost,
  type Label,
  type Mark,
  type Plan,
  plannedTopology,
  type Topology,
  type TopologyNode,
  type Zone,
} from '@handwired/host';
import type { Link, Route } from '../facts/iproute.ts';

/** What is to be there by now, and what will be there in the end, by the ids of nodes and zones. */
export interface Wanted {
  now: Topology;
  all: Topology;
  /** Is a chapter's work to be there by now? */
  has: (chapter: ChapterId) => boolean;
}

/** After cleanup nothing of the plan is to be there, and what is there is left over. */
export function listWanted(plan: Plan, through: ChapterId): Wanted {
  const cleaned = through === 'cleanup';
  return {
    now: plannedTopology(plan, cleaned ? 'tour' : through),
    all: plannedTopology(plan, cleaned ? 'tour' : 'publish'),
    has: (chapter) => !cleaned && chapterIds.indexOf(chapter) <= chapterIds.indexOf(through),
  };
}

/** A zone by its id. */
export const zoneIn = ({ zones }: Topology, id: string): Zone | undefined => zones.find((zone) => zone.id === id);
/** A node by its id, in whatever zone it is. */
export const nodeIn = ({ zones }: Topology, id: string): TopologyNode | undefined =>
  zones.flatMap(({ nodes }) => nodes).find((node) => node.id === id);
/** The texts of a node's addresses; none without the node. */
export const labelAddresses = (topology: Topology, id: string): string[] =>
  nodeIn(topology, id)?.addresses.map(({ text }) => text) ?? [];
/** The texts of a node's notes; none without the node. */
export const notesIn = (topology: Topology, id: string): string[] =>
  (nodeIn(topology, id) ?? zoneIn(topology, id))?.notes.map(({ text }) => text) ?? [];

/** What chapter docker makes beside the network is beyond no plan, as long as nothing was cleaned up. */
export const markBeyond = (name: string, { has }: Wanted): Mark =>
  has('namespaces') && [dockerHost.netns, dockerHost.veth].some((one) => one === name) ? null : 'extra';

/** A text with a mark. */
export const marked = (text: string, mark: Mark = null): Label => ({ text, mark });

/** Only where it is so. */
export const markWhen = (so: boolean, text: string, mark: Mark): Label[] => (so ? [marked(text, mark)] : []);

/**
 * What there is, and what should be. `wanted`: the plan's, so far as it is asked for; `known`: all that the plan will have.
 * What is beyond the plan takes the place of something wanted (wrong), or of nothing (extra).
 */
export function compared(there: readonly string[], wanted: readonly string[], known: readonly string[]): Label[] {
  const missing = wanted.filter((text) => !there.includes(text));
  const beyond: Mark = missing.length > 0 ? 'wrong' : 'extra';
  return [
    ...there.map((text) => marked(text, known.includes(text) ? null : beyond)),
    ...missing.map((text) => marked(text, 'missing')),
  ];
}

/** IPv4, and IPv6 that somebody gave it: link-local ones come by themselves. */
export const labelAddressesOn = ({ addresses }: Link): string[] =>
  addresses
    .filter(({ family, scope }) => family === 'inet' || scope !== 'link')
    .map(({ address, prefix }) => `${address}/${prefix}`);

/** What can be wrong with any link that frames are to pass. `joined`: both ends of a cable are to be up by now. */
export const troubles = (link: Link, joined: boolean): Label[] => [
  ...markWhen(!link.up, 'is down', 'wrong'),
  ...markWhen(joined && link.up && !link.carrier && link.kind === 'veth', 'has no carrier', 'wrong'),
  ...markWhen(!link.arp, 'ARP is off', 'wrong'),
];

/** A link that the plan does not speak of. */
export const extraNode = (id: string, kind: TopologyNode['kind'], link: Link, mark: Mark = 'extra'): TopologyNode => ({
  id,
  kind,
  name: link.name,
  mark,
  addresses: labelAddressesOn(link).map((text) => marked(text)),
  notes: markWhen(!link.up, 'is down', null),
});

/** A planned node that is not there: it and all that is on it is marked missing. */
export const missingNode = (node: TopologyNode): TopologyNode => ({
  ...node,
  mark: 'missing',
  addresses: node.addresses.map(({ text }) => marked(text, 'missing')),
  notes: node.notes.map(({ text }) => marked(text, 'missing')),
});

/** IPv4 routes that somebody made and that lead elsewhere than by default; `known`: those that are to be there. */
export function strayRoutes(routes: readonly Route[], known: readonly Route[] = []): Label[] {
  const texts = (all: readonly Route[]): string[] => all.filter(isMade).map(routeText);
  const before = new Set(texts(known));
  return [...new Set(texts(routes))]
    .filter((text) => !before.has(text))
    .slice(0, 4)
    .map((text) => marked(text, 'extra'));
}

const isMade = ({ destination, protocol, table, type }: Route): boolean =>
  !destination.includes(':') &&
  !['kernel', 'ra'].includes(protocol) &&
  !['local', 'default'].includes(table) &&
  !(destination === 'default' && type === 'unicast' && table === 'main');

function routeText({ destination, type, gateway, device, table }: Route): string {
  const way = type === 'unicast' ? `via ${gateway ?? device ?? 'nothing'}` : type;
  return `${destination} ${way}${table === 'main' ? '' : `, table ${table}`}`;
}
