import type { Topology, Zone } from '@handwired/host';
import { type Box, type Layout, placeOf, placeWidth, rowWidth, wide } from './boxes.ts';
import { hostBoxes, hostRows } from './host.ts';
import { around, bottomOf, columnsOf, frame, gap, inset, type Placed, placedUnits } from './place.ts';
import { unitsOf } from './units.ts';
import { wireOf } from './wires.ts';

/** A picture with the world in it is as wide as this at least: two of its places side by side. */
const narrowest = 54;

/** Rows from the world above to the containers below, so that every wire goes down. */
export function layoutOf(topology: Topology): Layout {
  const zones = (kind: Zone['kind']): Zone[] => topology.zones.filter((zone) => zone.kind === kind);
  const [host] = zones('host');
  const units = unitsOf(topology, gap);
  const rows = hostRows(host);
  const used = new Set(units.map(({ bridge }) => bridge));
  const [lone, joined] = [
    rows.bridges.filter(({ id }) => !used.has(id)),
    rows.bridges.filter(({ id }) => used.has(id)),
  ];
  const below = rowWidth(
    units.map(({ width }) => width),
    gap,
  );
  const inner = Math.max(
    zones('world').length > 0 ? narrowest : 0,
    ...[rows.devices, rows.routing, rows.bridges].map((row) => rowWidth(row.map(wide), gap)),
    ...zones('world').flatMap(({ nodes }) => nodes.map(placeWidth)),
  );
  // Containers stand below the lab host, not in it; bridges beside those that are plugged into.
  const beside = joined.length > 0 && lone.length > 0 ? gap + rowWidth(lone.map(wide), gap) + inset : 0;
  const width = Math.max(inner + 2 * inset, below + beside);
  const placed = placedUnits(units, beside > 0 ? 0 : Math.floor((width - below) / 2));
  const boxes = zones('world').flatMap((zone) => worldBoxes(zone, width));
  const top = bottomOf(boxes) + (boxes.length > 0 ? 1 : 0);
  if (host) boxes.push(...hostBoxes({ host, rows, joined, lone, placed, top, width }));
  const under = bottomOf(boxes) + 1;
  boxes.push(...placed.flatMap((unit) => containerBoxes(unit, under)));
  const wires = topology.links.flatMap((link) => wireOf(boxes, link) ?? []);
  return { width, height: bottomOf(boxes), boxes, wires };
}

/** Places have no border: name and address, side by side where there is room for two. */
function worldBoxes(zone: Zone, width: number): Box[] {
  const half = Math.max(...zone.nodes.filter((_, at) => at % 2 === 0).map(placeWidth)) + gap;
  const across =
    half + Math.max(0, ...zone.nodes.filter((_, at) => at % 2 === 1).map(placeWidth)) <= width - 2 * inset ? 2 : 1;
  const places = zone.nodes.map(
    (node, at): Box => ({
      ...{ id: node.id, kind: 'place', title: placeOf(node), lines: [], linesAt: 0 },
      ...{ x: inset + (at % across) * half, y: 1 + Math.floor(at / across), width: placeWidth(node), height: 1 },
    }),
  );
  return [frame(zone, { x: 0, y: 0, width, height: Math.ceil(zone.nodes.length / across) + 2 }), ...places];
}

function containerBoxes(unit: Placed, y: number): Box[] {
  const { zone } = unit;
  if (!zone) return [];
  const inside = columnsOf(unit).flatMap(({ inner, middle }) => (inner ? [around(inner, middle, y + 2)] : []));
  const noted = Math.max(y + 1, bottomOf(inside));
  const height = noted - y + zone.notes.length + 1;
  return [frame(zone, { x: unit.x, y, width: unit.width, height }, noted), ...inside];
}
