import type { TopologyNode, Zone } from '@handwired/host';
import { type Box, boxOf, rowWidth, titleOf, wide } from './boxes.ts';
import type { Unit } from './units.ts';

/** Between things that stand side by side. */
export const gap = 2;
/** Between a zone's border and what is in it. */
export const inset = 2;

export const bottomOf = (boxes: readonly Box[]): number => Math.max(0, ...boxes.map(({ y, height }) => y + height));

/** With its left edge. */
export type Placed = Unit & { x: number };

export function placedUnits(units: readonly Unit[], start: number): Placed[] {
  let x = start;
  return units.map((unit) => {
    const placed = { ...unit, x };
    x += unit.width + gap;
    return placed;
  });
}

/** A row of nodes of their own width between two columns: the first stands in the middle of `axis`, if there is room. */
export function along(nodes: readonly TopologyNode[], y: number, { axis, from, to }: Span): Box[] {
  const [first] = nodes;
  const latest = to - rowWidth(nodes.map(wide), gap);
  let x = Math.max(from, Math.min(latest, axis - Math.floor((first ? wide(first) : 0) / 2)));
  return nodes.map((node) => {
    const box = boxOf(node, x, y);
    x += box.width + gap;
    return box;
  });
}

/** Between which columns, and around which. */
interface Span {
  axis: number;
  from: number;
  to: number;
}

/** A zone's own box; its notes begin at a row. */
export const frame = (zone: Zone, at: Pick<Box, 'x' | 'y' | 'width' | 'height'>, linesAt = 0): Box => ({
  ...{ id: zone.id, kind: zone.kind, title: titleOf(zone), lines: zone.notes, linesAt },
  ...at,
});

export const around = (node: TopologyNode, middle: number, y: number): Box =>
  boxOf(node, middle - Math.floor(wide(node) / 2), y);

/** The columns of a unit with the middle of each. */
export function columnsOf(unit: Placed): (Unit['columns'][number] & { middle: number })[] {
  let x =
    unit.x +
    Math.floor(
      (unit.width -
        rowWidth(
          unit.columns.map(({ width }) => width),
          gap,
        )) /
        2,
    );
  return unit.columns.map((column) => {
    const middle = x + Math.floor(column.width / 2);
    x += column.width + gap;
    return { ...column, middle };
  });
}
