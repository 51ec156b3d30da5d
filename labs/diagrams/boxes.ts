import type { Label, Mark, TopologyLink, TopologyNode, Zone } from '@handwired/host';

/** Where things are, in characters: columns to the right, lines down. One layout for text and for SVG. */
export interface Layout {
  width: number;
  height: number;
  /** A zone comes before what is in it. */
  boxes: Box[];
  wires: Wire[];
}

/** Borders are part of a box. A place has none. */
export interface Box {
  id: string;
  kind: TopologyNode['kind'] | Zone['kind'];
  x: number;
  y: number;
  width: number;
  height: number;
  /** Of a zone it stands in the upper border. */
  title: Label;
  lines: Label[];
  /** The row of the first line. */
  linesAt: number;
}

export interface Wire {
  kind: TopologyLink['kind'];
  mark: Mark;
  /** From the lower border of the upper box to the upper border of the lower one, by right angles. */
  points: Point[];
}

export interface Point {
  x: number;
  y: number;
}

/** What stands before a thing that is not as planned. */
const signs = { missing: '- ', wrong: '! ', extra: '+ ' } as const;

/** A label with its sign, as it is written. */
export const written = ({ text, mark }: Label): string => `${mark === null ? '' : signs[mark]}${text}`;

export const titleOf = ({ name, mark }: { name: string; mark: Mark }): Label => ({ text: name, mark });
const linesOf = ({ addresses, notes }: TopologyNode): Label[] => [...addresses, ...notes];
export const longest = (labels: readonly Label[]): number =>
  Math.max(0, ...labels.map((label) => written(label).length));
export const wide = (node: TopologyNode): number => longest([titleOf(node), ...linesOf(node)]) + 4;
export const rowWidth = (widths: readonly number[], gap: number): number =>
  widths.reduce((all, one) => all + one, 0) + gap * Math.max(0, widths.length - 1);

/** A place on one line: what it is, and its address. */
export const placeOf = ({ name, mark, addresses }: TopologyNode): Label => ({
  text: [name, ...addresses.map(({ text }) => text)].join(' '),
  mark,
});
export const placeWidth = (node: TopologyNode): number => longest([placeOf(node)]);

export const boxOf = (node: TopologyNode, x: number, y: number): Box => ({
  ...{ id: node.id, kind: node.kind, title: titleOf(node), lines: linesOf(node), linesAt: y + 2 },
  ...{ x, y, width: wide(node), height: linesOf(node).length + 3 },
});

/** What the signs mean that stand in a drawing; undefined: there are none. */
export function legendOf({ boxes, wires }: Pick<Layout, 'boxes' | 'wires'>): string | undefined {
  const marks = new Set([...boxes.flatMap(({ title, lines }) => [title, ...lines]), ...wires].map(({ mark }) => mark));
  const used = (Object.keys(signs) as (keyof typeof signs)[]).filter((mark) => marks.has(mark));
  return used.length === 0 ? undefined : used.map((mark) => `${signs[mark]}${mark}`).join('   ');
}
