import type { Label, Mark, Topology, TopologyNode, Zone } from '@handwired/host';
import { drawable } from './harmless.ts';

/** A topology as indented lines of ASCII: for a screen reader, a narrow terminal, and as a picture's description. */
export function outlineOf(topology: Topology): string[] {
  const { zones, links } = drawable(topology);
  const homes = new Map(zones.flatMap((zone) => zone.nodes.map(({ id, name }) => [id, { zone, name }])));
  const far = (from: string, to: string): string => {
    const [home, other] = [homes.get(from), homes.get(to)];
    if (!other) return 'nothing';
    if (other.zone.kind === 'world') return other.zone.name;
    return home?.zone === other.zone ? other.name : `${other.name} in ${other.zone.name}`;
  };
  const wires = (id: string): string[] =>
    links.flatMap(({ from, to, kind, mark }) => {
      if ((from !== id && to !== id) || !homes.has(from) || !homes.has(to)) return [];
      if (kind === 'port') return to === id ? [`plugged into ${far(to, from)}${suffix(mark)}`] : [];
      return [`${kind === 'cable' ? 'a cable' : 'leads'} to ${far(id, from === id ? to : from)}${suffix(mark)}`];
    });
  return zones
    .flatMap((zone) => [
      `${zone.name}${suffix(zone.mark)}`,
      ...zone.nodes.flatMap((node) => nodeLines(zone, node, wires(node.id))),
      ...zone.notes.map((note) => `  ${line(note)}`),
    ])
    .map((text) => text.replaceAll('→', '->').replaceAll('…', '...'));
}

const kinds: Record<TopologyNode['kind'], string> = {
  ...{
    uplink: ' (uplink)',
    device: ' (device)',
    others: '',
    bridge: ' (bridge)',
    veth: ' (veth)',
    routing: '',
    place: '',
  },
};

const suffix = (mark: Mark): string => (mark === null ? '' : ` (${mark})`);
const line = ({ text, mark }: Label): string => `${text}${suffix(mark)}`;

function nodeLines({ kind }: Zone, node: TopologyNode, wires: readonly string[]): string[] {
  const { name, mark, addresses, notes } = node;
  if (kind === 'world') return [`  ${[name, ...addresses.map(line)].join(' ')}${suffix(mark)}`];
  const lines = [...addresses, ...notes].map(line);
  return [`  ${name}${kinds[node.kind]}${suffix(mark)}`, ...[...lines, ...wires].map((text) => `    ${text}`)];
}
