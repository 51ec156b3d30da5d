import type { Label, Mark, Topology, TopologyNode, Zone } from '@handwired/host';
import { drawable } from './harmless.ts';

/** A topology as a Mermaid flowchart, for a Markdown page. */
export const mermaidOf = (topology: Topology): string[] => ['flowchart TB', ...chartOf(topology)];

/** The lines of one chart; `prefix` keeps the names of several in one picture apart. */
export function chartOf(topology: Topology, prefix = ''): string[] {
  const { zones, links } = drawable(topology);
  const ids = new Map(zones.flatMap((zone) => zone.nodes).map(({ id }, at) => [id, `${prefix}n${at}`]));
  return [
    ...zones.flatMap((zone, at) => subgraph(zone, `${prefix}z${at}`, ids)),
    ...links.flatMap(({ from, to, kind, mark }) => {
      const [one, other] = [ids.get(from), ids.get(to)];
      if (one === undefined || other === undefined) return [];
      return [`  ${one} ${kind === 'routed' ? '-.-' : '---'}${mark === null ? '' : `|${mark}|`} ${other}`];
    }),
  ];
}

const suffix = (mark: Mark): string => (mark === null ? '' : ` (${mark})`);
const line = ({ text, mark }: Label): string => mermaidText(`${text}${suffix(mark)}`);

/** A zone's own notes are a node of it: a subgraph's title has room for one line. */
function subgraph({ name, mark, notes, nodes }: Zone, id: string, ids: ReadonlyMap<string, string>): string[] {
  const noted = notes.length > 0 ? notes.map(line).join('<br>') : ' ';
  return [
    `  subgraph ${id}["${mermaidText(`${name}${suffix(mark)}`)}"]`,
    ...nodes.map((node) => `    ${ids.get(node.id) ?? ''}["${labelOf(node)}"]`),
    // A subgraph without a node is not drawn as one.
    ...(notes.length > 0 || nodes.length === 0 ? [`    ${id}n["${noted}"]`] : []),
    '  end',
  ];
}

const labelOf = ({ name, mark, addresses, notes }: TopologyNode): string =>
  [mermaidText(`${name}${suffix(mark)}`), ...addresses.map(line), ...notes.map(line)].join('<br>');

/** Mermaid's own entities, by number, for all that is no plain word: quotes, brackets, markup, Markdown. */
export const mermaidText = (text: string): string =>
  text.replaceAll(/[^A-Za-z0-9 .:/,()→-]/gu, (found) => `#${found.codePointAt(0) ?? 0};`);
