import type { TopologyLink } from '@handwired/host';
import type { Box, Point, Wire } from './boxes.ts';

/** The way of a link from the upper of its boxes to the lower one; undefined: an end of it is not drawn. */
export function wireOf(boxes: readonly Box[], { from, to, kind, mark }: TopologyLink): Wire | undefined {
  const ends = [from, to].map((id) => boxes.find((box) => box.id === id));
  const [upper, lower] = ends.toSorted((one, other) => (one?.y ?? 0) - (other?.y ?? 0));
  if (!upper || !lower) return undefined;
  const start = startOf(upper, lower, boxes);
  const end = { x: upper.kind === 'place' ? start.x : middle(lower), y: lower.y };
  // The corner is just above the lower box: there is one free row there, and nothing beside it.
  return { kind, mark, points: straight(start, end) };
}

const middle = ({ x, width }: Box): number => x + Math.floor(width / 2);

/** A place is reached by the border of its zone; a wide box is left right above the narrow one. */
function startOf(upper: Box, lower: Box, boxes: readonly Box[]): Point {
  if (upper.kind === 'place') {
    const zone = boxes.find(({ kind }) => kind === 'world') ?? upper;
    return { x: middle(lower), y: zone.y + zone.height - 1 };
  }
  const below = middle(lower);
  const reaches = below > upper.x && below < upper.x + upper.width - 1;
  return { x: reaches ? below : middle(upper), y: upper.y + upper.height - 1 };
}

function straight(start: Point, end: Point): Point[] {
  if (start.x === end.x) return [start, end];
  const turn = end.y - 1;
  return [start, { x: start.x, y: turn }, { x: end.x, y: turn }, end];
}
