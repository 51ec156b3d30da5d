import type { Label, Topology, TopologyNode } from '@handwired/host';

/** Characters of one line that is drawn; what is longer ends with an ellipsis. */
const most = 40;

/** Printable ASCII, and what our own words have beyond it. Anything else could reorder, hide or widen a line. */
const harmful = /[^\u0020-\u007e→…]/gu;

const harmless = (text: string): string => {
  const seen = text.replaceAll(harmful, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
  return seen.length > most ? `${seen.slice(0, most - 1)}…` : seen;
};

/** A topology whose texts, which a lab host may have made up, can be drawn: names stay apart by their ids. */
export function drawable(topology: Topology): Topology {
  const label = ({ text, mark }: Label): Label => ({ text: harmless(text), mark });
  const node = (one: TopologyNode): TopologyNode => ({
    ...one,
    name: harmless(one.name),
    addresses: one.addresses.map(label),
    notes: one.notes.map(label),
  });
  return {
    ...topology,
    zones: topology.zones.map((zone) => ({
      ...zone,
      name: harmless(zone.name),
      nodes: zone.nodes.map(node),
      notes: zone.notes.map(label),
    })),
  };
}
