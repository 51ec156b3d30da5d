/** Where the boxes and wires of a topology are, in character cells: one layout for text and for SVG. */
import type { Label, Mark, Topology, TopologyLink, TopologyNode, Zone } from '@handwired/host';

/** The least inner width of a picture with the world in it: two of its places side by side. */
const narrowest = 54;

/** Lays a topology out in rows, from the world above to the containers below, so that every wire goes down. */
export function layOutTopology(topology: Topology): Layout {
  const listZones = (kind: Zone['kind']): Zone[] => topology.zones.filter((zone) => zone.kind === kind);
  const [host] = listZones('host');
  const units = collectUnits(topology);
  const rows = splitHostRows(host);
  const used = new Set(units.map(({ bridge }) => bridge));
  const [lone, joined] = [
    rows.bridges.filter(({ id }) => !used.has(id)),
    rows.bridges.filter(({ id }) => used.has(id)),
  ];
  const below = measureRow(
    units.map(({ width }) => width),
    gap,
  );
  const inner = Math.max(
    listZones('world').length > 0 ? narrowest : 0,
    ...[rows.devices, rows.routing, rows.bridges].map((row) => measureRow(row.map(measureNode), gap)),
    ...listZones('world').flatMap(({ nodes }) => nodes.map(measurePlace)),
  );
  // Containers stand below the lab host, not in it. Bridges without a port stand beside those that have some.
  const beside = joined.length > 0 && lone.length > 0 ? gap + measureRow(lone.map(measureNode), gap) + inset : 0;
  const width = Math.max(inner + 2 * inset, below + beside);
  const placed = placeUnits(units, beside > 0 ? 0 : Math.floor((width - below) / 2));
  const boxes = listZones('world').flatMap((zone) => layOutWorld(zone, width));
  const top = findLowestRow(boxes) + (boxes.length > 0 ? 1 : 0);
  if (host) boxes.push(...layOutHost({ host, rows, joined, lone, placed, top, width }));
  const under = findLowestRow(boxes) + 1;
  boxes.push(...placed.flatMap((unit) => layOutContainer(unit, under)));
  const wires = topology.links.flatMap((link) => routeWire(boxes, link) ?? []);
  return { width, height: findLowestRow(boxes), boxes, wires };
}

/**
 * The world's box and its places. A place has no border, only its name and address. Two stand side by side where
 * there is room.
 */
function layOutWorld(zone: Zone, width: number): Box[] {
  const half = Math.max(...zone.nodes.filter((_, at) => at % 2 === 0).map(measurePlace)) + gap;
  const across =
    half + Math.max(0, ...zone.nodes.filter((_, at) => at % 2 === 1).map(measurePlace)) <= width - 2 * inset ? 2 : 1;
  const places = zone.nodes.map(
    (node, at): Box => ({
      id: node.id,
      kind: 'place',
      title: createPlaceLabel(node),
      lines: [],
      linesAt: 0,
      x: inset + (at % across) * half,
      y: 1 + Math.floor(at / across),
      width: measurePlace(node),
      height: 1,
    }),
  );
  return [createZoneBox(zone, { x: 0, y: 0, width, height: Math.ceil(zone.nodes.length / across) + 2 }), ...places];
}

function layOutContainer(unit: Placed, y: number): Box[] {
  const { zone } = unit;
  if (!zone) return [];
  const inside = placeColumns(unit).flatMap(({ inner, middle }) =>
    inner ? [createBoxAround(inner, middle, y + 2)] : [],
  );
  const noted = Math.max(y + 1, findLowestRow(inside));
  const height = noted - y + zone.notes.length + 1;
  return [createZoneBox(zone, { x: unit.x, y, width: unit.width, height }, noted), ...inside];
}

// Boxes.

/** Where things are, in characters: columns to the right, lines down. One layout for text and for SVG. */
export interface Layout {
  width: number;
  height: number;
  /** A zone comes before what is in it. */
  boxes: Box[];
  wires: Wire[];
}

/** What a zone or a node takes up, its border included. A place has no border. */
export interface Box {
  id: string;
  kind: TopologyNode['kind'] | Zone['kind'];
  x: number;
  y: number;
  width: number;
  height: number;
  /** A zone has it in its upper border. */
  title: Label;
  lines: Label[];
  /** The row of the first line. */
  linesAt: number;
}

/** A link as it is drawn. */
export interface Wire {
  kind: TopologyLink['kind'];
  mark: Mark;
  /** From the lower border of the upper box to the upper border of the lower one, by right angles. */
  points: Point[];
}

/** A cell: the column from the left, the row from the top, both from 0. */
export interface Point {
  x: number;
  y: number;
}

/** The sign before a label that is not as planned. */
const signs = { missing: '- ', wrong: '! ', extra: '+ ' } as const;

/** A label as it is drawn: its text, with a sign before it when it is marked. */
export const renderLabel = ({ text, mark }: Label): string => `${mark === null ? '' : signs[mark]}${text}`;

const createTitle = ({ name, mark }: { name: string; mark: Mark }): Label => ({ text: name, mark });
const listLabels = ({ addresses, notes }: TopologyNode): Label[] => [...addresses, ...notes];
const measureLongest = (labels: readonly Label[]): number =>
  Math.max(0, ...labels.map((label) => renderLabel(label).length));
const measureNode = (node: TopologyNode): number => measureLongest([createTitle(node), ...listLabels(node)]) + 4;
const measureRow = (widths: readonly number[], gap: number): number =>
  widths.reduce((all, one) => all + one, 0) + gap * Math.max(0, widths.length - 1);

/** A place on one line: what it is, and its address. */
const createPlaceLabel = ({ name, mark, addresses }: TopologyNode): Label => ({
  text: [name, ...addresses.map(({ text }) => text)].join(' '),
  mark,
});
const measurePlace = (node: TopologyNode): number => measureLongest([createPlaceLabel(node)]);

const createNodeBox = (node: TopologyNode, x: number, y: number): Box => ({
  id: node.id,
  kind: node.kind,
  title: createTitle(node),
  lines: listLabels(node),
  linesAt: y + 2,
  x,
  y,
  width: measureNode(node),
  height: listLabels(node).length + 3,
});

/** Explains the signs that a drawing has. undefined when it has none. */
export function renderLegend({ boxes, wires }: Pick<Layout, 'boxes' | 'wires'>): string | undefined {
  const marks = new Set([...boxes.flatMap(({ title, lines }) => [title, ...lines]), ...wires].map(({ mark }) => mark));
  const used = (Object.keys(signs) as (keyof typeof signs)[]).filter((mark) => marks.has(mark));
  return used.length === 0 ? undefined : used.map((mark) => `${signs[mark]}${mark}`).join('   ');
}

/** Columns between things that stand side by side. */
const gap = 2;
/** Columns between a zone's border and what is in it. */
const inset = 2;

const findLowestRow = (boxes: readonly Box[]): number => Math.max(0, ...boxes.map(({ y, height }) => y + height));

/** A unit with its leftmost column. */
type Placed = Unit & { x: number };

function placeUnits(units: readonly Unit[], start: number): Placed[] {
  let x = start;
  return units.map((unit) => {
    const placed = { ...unit, x };
    x += unit.width + gap;
    return placed;
  });
}

/** Places a row of nodes between two columns. The first node is centred on `axis`, if there is room. */
function placeRow(nodes: readonly TopologyNode[], y: number, { axis, from, to }: Span): Box[] {
  const [first] = nodes;
  const latest = to - measureRow(nodes.map(measureNode), gap);
  let x = Math.max(from, Math.min(latest, axis - Math.floor((first ? measureNode(first) : 0) / 2)));
  return nodes.map((node) => {
    const box = createNodeBox(node, x, y);
    x += box.width + gap;
    return box;
  });
}

/** The columns between which a row stands, and the column that its first node is centred on. */
interface Span {
  axis: number;
  from: number;
  to: number;
}

/** A zone's own box; `linesAt` is the row of its first note. */
const createZoneBox = (zone: Zone, at: Pick<Box, 'x' | 'y' | 'width' | 'height'>, linesAt = 0): Box => ({
  id: zone.id,
  kind: zone.kind,
  title: createTitle(zone),
  lines: zone.notes,
  linesAt,
  ...at,
});

const createBoxAround = (node: TopologyNode, middle: number, y: number): Box =>
  createNodeBox(node, middle - Math.floor(measureNode(node) / 2), y);

/** The columns of a unit with the middle of each. */
function placeColumns(unit: Placed): (Unit['columns'][number] & { middle: number })[] {
  let x =
    unit.x +
    Math.floor(
      (unit.width -
        measureRow(
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

// The lab host.

/** The rows of nodes on the lab host that are drawn above the cables. */
interface Rows {
  devices: TopologyNode[];
  routing: TopologyNode[];
  bridges: TopologyNode[];
}

function splitHostRows(host: Zone | undefined): Rows {
  const selectNodes = (...kinds: TopologyNode['kind'][]) =>
    (host?.nodes ?? []).filter(({ kind }) => kinds.includes(kind));
  return {
    devices: selectNodes('uplink', 'device', 'others'),
    routing: selectNodes('routing'),
    bridges: selectNodes('bridge'),
  };
}

interface HostParts {
  host: Zone;
  rows: Rows;
  joined: TopologyNode[];
  lone: TopologyNode[];
  placed: Placed[];
  top: number;
  width: number;
}

/** The boxes of the lab host, row by row. Its uplink and routing stand above the first bridge. */
function layOutHost({ host, rows, joined, lone, placed, top, width }: HostParts): Box[] {
  const bars = joined.map((bridge) => createBridgeBox(bridge, placed));
  const [bar] = bars;
  const span = { axis: Math.floor(bar ? bar.x + bar.width / 2 : width / 2), from: inset, to: width - inset };
  const inside: Box[] = [];
  const findNextRow = (): number => (inside.length === 0 ? top + 2 : findLowestRow(inside) + 1);
  for (const row of [rows.devices, rows.routing]) inside.push(...placeRow(row, findNextRow(), span));
  const y = findNextRow();
  const free = Math.max(0, ...placed.map(({ x, width: one }) => x + one)) + gap;
  const beside = bars.length === 0 ? span : { axis: free, from: free, to: width };
  inside.push(...bars.map((box) => ({ ...box, y, linesAt: y + 2 })), ...placeRow(lone, y, beside));
  const ports = findNextRow();
  inside.push(
    ...placed.flatMap((unit) =>
      placeColumns(unit).flatMap(({ port, middle }) => (port ? [createBoxAround(port, middle, ports)] : [])),
    ),
  );
  const noted = findLowestRow(inside);
  return [createZoneBox(host, { x: 0, y: top, width, height: noted - top + host.notes.length + 1 }, noted), ...inside];
}

/** A bridge that is as wide as all its ports together. Its row is set later. */
function createBridgeBox(bridge: TopologyNode, placed: readonly Placed[]): Box {
  const ports = placed
    .filter((unit) => unit.bridge === bridge.id)
    .flatMap(placeColumns)
    .flatMap(({ port, middle }) => (port ? [createBoxAround(port, middle, 0)] : []));
  const [left, right] = [Math.min(...ports.map(({ x }) => x)), Math.max(...ports.map(({ x, width }) => x + width))];
  const missing = Math.max(0, measureNode(bridge) - (right - left));
  const x = Math.max(inset, left - Math.floor(missing / 2));
  return { ...createNodeBox(bridge, x, 0), width: right - left + missing };
}

// Containers and their cables.

/** The two ends of a cable, drawn one below the other: the host's end and the inner end. One of them may be missing. */
interface Column {
  port?: TopologyNode | undefined;
  inner?: TopologyNode | undefined;
  width: number;
}

/**
 * One of the things that stand side by side under the bridges: a container with its cables, or a cable without a
 * container.
 */
interface Unit {
  zone?: Zone | undefined;
  columns: Column[];
  /** The id of the bridge that its first cable is in. */
  bridge: string | undefined;
  width: number;
}

/** The units in the order of the topology, with those of one bridge next to each other. */
function collectUnits(topology: Topology): Unit[] {
  const nodes = new Map(topology.zones.flatMap((zone) => zone.nodes).map((node) => [node.id, node]));
  const findUpperNode = (id: string, kind: string): string | undefined =>
    topology.links.find((link) => link.to === id && link.kind === kind)?.from;
  const createColumn = (port: TopologyNode | undefined, inner: TopologyNode | undefined): Column => ({
    port,
    inner,
    width: Math.max(...[port, inner].map((node) => (node ? measureNode(node) : 0))),
  });
  const findBridge = (columns: Column[]): string | undefined => {
    const bridges = columns.flatMap(({ port }) => (port ? [findUpperNode(port.id, 'port')] : []));
    return bridges.find((bridge) => bridge !== undefined);
  };
  const containers = topology.zones
    .filter(({ kind }) => kind === 'container')
    .map((zone): Unit => {
      const columns = zone.nodes.map((inner) => createColumn(nodes.get(findUpperNode(inner.id, 'cable') ?? ''), inner));
      const inside = measureRow(
        columns.map(({ width }) => width),
        gap,
      );
      const width = Math.max(inside, measureLongest([createTitle(zone), ...zone.notes])) + 4;
      return { zone, columns, bridge: findBridge(columns), width };
    });
  const used = new Set(containers.flatMap(({ columns }) => columns.map(({ port }) => port?.id)));
  const loose = topology.zones
    .filter(({ kind }) => kind === 'host')
    .flatMap((zone) => zone.nodes.filter(({ kind, id }) => kind === 'veth' && !used.has(id)))
    .map((port): Unit => {
      const columns = [createColumn(port, undefined)];
      return { columns, bridge: findBridge(columns), width: measureNode(port) + 4 };
    });
  return groupByBridge([...containers, ...loose]);
}

const groupByBridge = (units: readonly Unit[]): Unit[] => {
  const order = [...new Set(units.map(({ bridge }) => bridge))];
  return order.flatMap((bridge) => units.filter((unit) => unit.bridge === bridge));
};

// Wires.

/** The line of a link from its upper box to its lower one. undefined when one of the two is not drawn. */
function routeWire(boxes: readonly Box[], { from, to, kind, mark }: TopologyLink): Wire | undefined {
  const ends = [from, to].map((id) => boxes.find((box) => box.id === id));
  const [upper, lower] = ends.toSorted((one, other) => (one?.y ?? 0) - (other?.y ?? 0));
  if (!upper || !lower) return undefined;
  const start = findWireStart(upper, lower, boxes);
  const end = { x: upper.kind === 'place' ? start.x : findMiddle(lower), y: lower.y };
  // The corner is just above the lower box: there is one free row there, and nothing beside it.
  return { kind, mark, points: bendWire(start, end) };
}

const findMiddle = ({ x, width }: Box): number => x + Math.floor(width / 2);

/**
 * Where a wire starts. At a place it starts at the border of the place's zone. At a box it starts right above the
 * lower box, or in the middle if that is not above it.
 */
function findWireStart(upper: Box, lower: Box, boxes: readonly Box[]): Point {
  if (upper.kind === 'place') {
    const zone = boxes.find(({ kind }) => kind === 'world') ?? upper;
    return { x: findMiddle(lower), y: zone.y + zone.height - 1 };
  }
  const below = findMiddle(lower);
  const reaches = below > upper.x && below < upper.x + upper.width - 1;
  return { x: reaches ? below : findMiddle(upper), y: upper.y + upper.height - 1 };
}

function bendWire(start: Point, end: Point): Point[] {
  if (start.x === end.x) return [start, end];
  const turn = end.y - 1;
  return [start, { x: start.x, y: turn }, { x: end.x, y: turn }, end];
}
