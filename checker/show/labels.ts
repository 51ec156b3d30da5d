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

/** The planned topology now and at the end of the course. */
export interface Wanted {
  now: Topology;
  all: Topology;
  /** Should a chapter's work exist by now? */
  has: (chapter: ChapterId) => boolean;
}

/**
 * What should exist after the chapter `through`. After cleanup that is what chapter tour shows; all else is left over.
 */
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
/** A node by its id, in any zone. */
export const nodeIn = ({ zones }: Topology, id: string): TopologyNode | undefined =>
  zones.flatMap(({ nodes }) => nodes).find((node) => node.id === id);
/** The texts of a node's addresses; empty if there is no such node. */
export const labelAddresses = (topology: Topology, id: string): string[] =>
  nodeIn(topology, id)?.addresses.map(({ text }) => text) ?? [];
/** The texts of the notes of a node or zone; empty if there is neither. */
export const notesIn = (topology: Topology, id: string): string[] =>
  (nodeIn(topology, id) ?? zoneIn(topology, id))?.notes.map(({ text }) => text) ?? [];

/**
 * The mark of an unplanned name: `extra`, but null for what chapter docker makes, as long as nothing was cleaned up.
 */
export const markBeyond = (name: string, { has }: Wanted): Mark =>
  has('namespaces') && [dockerHost.netns, dockerHost.veth].some((one) => one === name) ? null : 'extra';

/** A text with a mark. */
export const marked = (text: string, mark: Mark = null): Label => ({ text, mark });

/** A marked text if the condition holds, otherwise nothing. */
export const markWhen = (so: boolean, text: string, mark: Mark): Label[] => (so ? [marked(text, mark)] : []);

/**
 * Labels for what exists and what should. `wanted`: what the plan has by now; `known`: everything that it will have.
 * An unplanned text is marked `wrong` if something wanted is missing, otherwise `extra`.
 */
export function compared(there: readonly string[], wanted: readonly string[], known: readonly string[]): Label[] {
  const missing = wanted.filter((text) => !there.includes(text));
  const beyond: Mark = missing.length > 0 ? 'wrong' : 'extra';
  return [
    ...there.map((text) => marked(text, known.includes(text) ? null : beyond)),
    ...missing.map((text) => marked(text, 'missing')),
  ];
}

/** A link's addresses. IPv6 link-local ones are left out, because the kernel assigns them itself. */
export const labelAddressesOn = ({ addresses }: Link): string[] =>
  addresses
    .filter(({ family, scope }) => family === 'inet' || scope !== 'link')
    .map(({ address, prefix }) => `${address}/${prefix}`);

/** Problems of a link that frames should pass. `joined`: both ends of its veth pair should be up by now. */
export const troubles = (link: Link, joined: boolean): Label[] => [
  ...markWhen(!link.up, 'is down', 'wrong'),
  ...markWhen(joined && link.up && !link.carrier && link.kind === 'veth', 'has no carrier', 'wrong'),
  ...markWhen(!link.arp, 'ARP is off', 'wrong'),
];

/** The node of a link that is not in the plan. */
export const extraNode = (id: string, kind: TopologyNode['kind'], link: Link, mark: Mark = 'extra'): TopologyNode => ({
  id,
  kind,
  name: link.name,
  mark,
  addresses: labelAddressesOn(link).map((text) => marked(text)),
  notes: markWhen(!link.up, 'is down', null),
});

/** A planned node that does not exist: it and everything on it is marked missing. */
export const missingNode = (node: TopologyNode): TopologyNode => ({
  ...node,
  mark: 'missing',
  addresses: node.addresses.map(({ text }) => marked(text, 'missing')),
  notes: node.notes.map(({ text }) => marked(text, 'missing')),
});

/** Labels of user-made IPv4 routes other than the default route. `known`: routes that belong there. */
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
