import {
  dockerHost,
  type Mark,
  type ChapterId,
  chapterIds,
  type Plan,
  plannedTopology,
  type Topology,
  type TopologyNode,
  type Zone,
} from '@handwired/host';

/** What is to be there by now, and what will be there in the end, by the ids of nodes and zones. */
export interface Wanted {
  now: Topology;
  all: Topology;
  /** Is a chapter's work to be there by now? */
  has: (chapter: ChapterId) => boolean;
}

/** After cleanup nothing of the plan is to be there, and what is there is left over. */
export function wantedOf(plan: Plan, through: ChapterId): Wanted {
  const cleaned = through === 'cleanup';
  return {
    now: plannedTopology(plan, cleaned ? 'tour' : through),
    all: plannedTopology(plan, cleaned ? 'tour' : 'publish'),
    has: (chapter) => !cleaned && chapterIds.indexOf(chapter) <= chapterIds.indexOf(through),
  };
}

export const zoneIn = ({ zones }: Topology, id: string): Zone | undefined => zones.find((zone) => zone.id === id);
export const nodeIn = ({ zones }: Topology, id: string): TopologyNode | undefined =>
  zones.flatMap(({ nodes }) => nodes).find((node) => node.id === id);
export const addressesIn = (topology: Topology, id: string): string[] =>
  nodeIn(topology, id)?.addresses.map(({ text }) => text) ?? [];
export const notesIn = (topology: Topology, id: string): string[] =>
  (nodeIn(topology, id) ?? zoneIn(topology, id))?.notes.map(({ text }) => text) ?? [];

/** What chapter docker makes beside the network is beyond no plan, as long as nothing was cleaned up. */
export const beyond = (name: string, { has }: Wanted): Mark =>
  has('namespaces') && [dockerHost.netns, dockerHost.veth].some((one) => one === name) ? null : 'extra';
