import type { Topology, TopologyNode, Zone } from '@handwired/host';
import { type Box, boxOf, type Layout, placeOf, placeWidth, rowWidth, titleOf, wide } from './boxes.ts';
import { type Unit, unitsOf } from './units.ts';
import { wireOf } from './wires.ts';

/** Between things that stand side by side. */
const gap = 2;
/** Between a zone's border and what is in it. */
const inset = 2;
/** All pictures of the course are as wide as this at least: two places of the world side by side. */
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
    narrowest,
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

const bottomOf = (boxes: readonly Box[]): number => Math.max(0, ...boxes.map(({ y, height }) => y + height));

interface Rows {
  devices: TopologyNode[];
  routing: TopologyNode[];
  bridges: TopologyNode[];
}

function hostRows(host: Zone | undefined): Rows {
  const row = (...kinds: TopologyNode['kind'][]) => (host?.nodes ?? []).filter(({ kind }) => kinds.includes(kind));
  return { devices: row('uplink', 'device', 'others'), routing: row('routing'), bridges: row('bridge') };
}

type Placed = Unit & { x: number };

function placedUnits(units: readonly Unit[], start: number): Placed[] {
  let x = start;
  return units.map((unit) => {
    const placed = { ...unit, x };
    x += unit.width + gap;
    return placed;
  });
}

/** A row of nodes of their own width, centred between two columns. */
function centred(nodes: readonly TopologyNode[], y: number, from: number, to: number): Box[] {
  let x = from + Math.max(0, Math.floor((to - from - rowWidth(nodes.map(wide), gap)) / 2));
  return nodes.map((node) => {
    const box = boxOf(node, x, y);
    x += box.width + gap;
    return box;
  });
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

const frame = (zone: Zone, at: Pick<Box, 'x' | 'y' | 'width' | 'height'>, linesAt = 0): Box => ({
  ...{ id: zone.id, kind: zone.kind, title: titleOf(zone), lines: zone.notes, linesAt },
  ...at,
});

interface HostPlan {
  host: Zone;
  rows: Rows;
  joined: TopologyNode[];
  lone: TopologyNode[];
  placed: Placed[];
  top: number;
  width: number;
}

function hostBoxes({ host, rows, joined, lone, placed, top, width }: HostPlan): Box[] {
  const [from, to] = [inset, width - inset];
  const inside: Box[] = [];
  const next = (): number => (inside.length === 0 ? top + 2 : bottomOf(inside) + 1);
  inside.push(...centred(rows.devices, next(), from, to));
  inside.push(...centred(rows.routing, next(), from, to));
  const y = next();
  const bars = joined.map((bridge) => barOf(bridge, placed, y));
  const free = bars.length === 0 ? from : Math.max(...placed.map(({ x, width: one }) => x + one)) + gap;
  inside.push(...bars, ...(bars.length === 0 ? centred(lone, y, from, to) : centred(lone, y, free, free)));
  const ports = next();
  inside.push(
    ...placed.flatMap((unit) =>
      columnsOf(unit).flatMap(({ port, middle }) => (port ? [around(port, middle, ports)] : [])),
    ),
  );
  const noted = bottomOf(inside);
  return [frame(host, { x: 0, y: top, width, height: noted - top + host.notes.length + 1 }, noted), ...inside];
}

/** A bridge as wide as all that is plugged into it. */
function barOf(bridge: TopologyNode, placed: readonly Placed[], y: number): Box {
  const ports = placed
    .filter((unit) => unit.bridge === bridge.id)
    .flatMap(columnsOf)
    .flatMap(({ port, middle }) => (port ? [around(port, middle, 0)] : []));
  const [left, right] = [Math.min(...ports.map(({ x }) => x)), Math.max(...ports.map(({ x, width }) => x + width))];
  const missing = Math.max(0, wide(bridge) - (right - left));
  const x = Math.max(inset, left - Math.floor(missing / 2));
  return { ...boxOf(bridge, x, y), width: right - left + missing };
}

const around = (node: TopologyNode, middle: number, y: number): Box =>
  boxOf(node, middle - Math.floor(wide(node) / 2), y);

/** The columns of a unit with the middle of each. */
function columnsOf(unit: Placed): (Unit['columns'][number] & { middle: number })[] {
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

function containerBoxes(unit: Placed, y: number): Box[] {
  const { zone } = unit;
  if (!zone) return [];
  const inside = columnsOf(unit).flatMap(({ inner, middle }) => (inner ? [around(inner, middle, y + 2)] : []));
  const noted = Math.max(y + 1, bottomOf(inside));
  const height = noted - y + zone.notes.length + 1;
  return [frame(zone, { x: unit.x, y, width: unit.width, height }, noted), ...inside];
}
