/** Draws a topology: as text, as an outline in ASCII, as SVG and as Mermaid. */
import { styleText } from 'node:util';
import type { Label, Mark, Topology, TopologyNode, Zone } from '@handwired/host';
import { type Box, type Layout, layOutTopology, renderLegend, type Point, type Wire, renderLabel } from './layout.ts';
import { cell, formatPixels, renderSvg, escapeXml } from './svg.ts';

/** The most characters of a line that is drawn; a longer one ends with an ellipsis. */
const most = 40;

/** All but printable ASCII and two signs of our own texts: other characters could reorder, hide or widen a line. */
const harmful = /[^\u0020-\u007e→…]/gu;

const escapeName = (text: string): string => {
  const seen = text.replaceAll(harmful, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
  return seen.length > most ? `${seen.slice(0, most - 1)}…` : seen;
};

/** The topology with texts that are safe to draw: a lab host can give its objects any names. The ids stay as they are. */
function escapeTopology(topology: Topology): Topology {
  const escapeLabel = ({ text, mark }: Label): Label => ({ text: escapeName(text), mark });
  const escapeNode = (one: TopologyNode): TopologyNode => ({
    ...one,
    name: escapeName(one.name),
    addresses: one.addresses.map(escapeLabel),
    notes: one.notes.map(escapeLabel),
  });
  return {
    ...topology,
    zones: topology.zones.map((zone) => ({
      ...zone,
      name: escapeName(zone.name),
      nodes: zone.nodes.map(escapeNode),
      notes: zone.notes.map(escapeLabel),
    })),
  };
}

// Text.

/** How a drawing is printed in a terminal. */
export interface TextOptions {
  columns: number;
  color: boolean;
}

/** Boxes that hold others. */
const zoneKinds: ReadonlySet<Box['kind']> = new Set(['world', 'host', 'container']);
const colors = { missing: 'red', wrong: 'red', extra: 'yellow' } as const;

/** A topology as boxes and lines, or as an outline where these do not fit into the columns. */
export function drawAsText(topology: Topology, { columns, color }: TextOptions): string[] {
  const layout = layOutTopology(escapeTopology(topology));
  if (layout.width > columns) return drawAsOutline(topology);
  const legend = renderLegend(layout);
  return [...drawBoxes(layout, color), ...(legend === undefined ? [] : ['', legend])];
}

function drawBoxes({ width, height, boxes, wires }: Layout, color: boolean): string[] {
  const canvas = new Canvas(width, height);
  for (const box of boxes) if (box.kind !== 'place') canvas.frame(box, box.title.mark === 'missing');
  for (const { points, mark } of wires) canvas.line(points, mark === 'missing');
  for (const { kind, x, y, title, lines, linesAt } of boxes) {
    const write = (column: number, row: number, label: Label, text = renderLabel(label)): void =>
      canvas.text(column, row, text, createPainter(label.mark, color));
    if (kind === 'place') write(x, y, title);
    else if (zoneKinds.has(kind)) write(x + 1, y, title, ` ${renderLabel(title)} `);
    else write(x + 2, y + 1, title);
    for (const [at, label] of lines.entries()) write(x + 2, linesAt + at, label);
  }
  return canvas.toLines();
}

const createPainter = (mark: Mark, color: boolean): ((character: string) => string) | undefined =>
  mark === null || !color ? undefined : (one) => styleText(colors[mark], one, { validateStream: false });

/** Directions in which lines leave a cell. */
const up = 1;
const down = 2;
const left = 4;
const right = 8;

/** The characters of lines, by the sum of their directions. A straight line is dashed when all of it is missing. */
const corners = ' ╵╷│╴┘┐┤╶└┌├─┴┬┼';
const dashes: Record<number, string> = { [up + down]: '┆', [left + right]: '┄' };
/** Added to the directions of a cell when a line runs through it that is not missing. */
const solid = 16;

/** A sheet of characters on which lines join where they meet. */
class Canvas {
  readonly #lines: number[][];
  readonly #texts: string[][];

  constructor(width: number, height: number) {
    this.#lines = Array.from({ length: height }, () => Array<number>(width).fill(0));
    this.#texts = Array.from({ length: height }, () => Array<string>(width).fill(''));
  }

  /** A line along points, each straight above or beside the one before. */
  line(points: readonly Point[], dashed = false): void {
    for (const [at, to] of points.entries()) {
      const from = points[at - 1];
      if (from) this.#segment(from, to, dashed ? 0 : solid);
    }
  }

  frame({ x, y, width, height }: Point & { width: number; height: number }, dashed = false): void {
    const [far, low] = [x + width - 1, y + height - 1];
    this.line(
      [
        { x, y },
        { x: far, y },
        { x: far, y: low },
        { x, y: low },
        { x, y },
      ],
      dashed,
    );
  }

  /** Writes text over what was there. `paint` is given each character alone and must keep its width. */
  text(x: number, y: number, text: string, paint: (character: string) => string = (same) => same): void {
    for (const [at, character] of Array.from(text).entries()) {
      const row = this.#texts[y];
      if (row && x + at < row.length) row[x + at] = paint(character);
    }
  }

  toLines(): string[] {
    return this.#texts.map((row, y) =>
      row
        .map((text, x) => text || findLineCharacter(this.#lines[y]?.[x] ?? 0))
        .join('')
        .trimEnd(),
    );
  }

  #segment(from: Point, to: Point, kind: number): void {
    const [dx, dy] = [Math.sign(to.x - from.x), Math.sign(to.y - from.y)];
    const [ahead, behind] = dx === 0 ? (dy > 0 ? [down, up] : [up, down]) : dx > 0 ? [right, left] : [left, right];
    for (let { x, y } = from; x !== to.x || y !== to.y; x += dx, y += dy) {
      this.#mark(x, y, ahead | kind);
      this.#mark(x + dx, y + dy, behind | kind);
    }
  }

  #mark(x: number, y: number, direction: number): void {
    const row = this.#lines[y];
    if (row && x < row.length) row[x] = (row[x] ?? 0) | direction;
  }
}

const findLineCharacter = (cell: number): string =>
  (cell < solid ? dashes[cell] : undefined) ?? corners[cell % solid] ?? ' ';

// Outline.

/** A topology as indented lines of ASCII: for a screen reader, a narrow terminal, and as a picture's description. */
export function drawAsOutline(topology: Topology): string[] {
  const { zones, links } = escapeTopology(topology);
  const homes = new Map(zones.flatMap((zone) => zone.nodes.map(({ id, name }) => [id, { zone, name }])));
  const describeFarEnd = (from: string, to: string): string => {
    const [home, other] = [homes.get(from), homes.get(to)];
    if (!other) return 'nothing';
    if (other.zone.kind === 'world') return other.zone.name;
    return home?.zone === other.zone ? other.name : `${other.name} in ${other.zone.name}`;
  };
  const describeWires = (id: string): string[] =>
    links.flatMap(({ from, to, kind, mark }) => {
      if ((from !== id && to !== id) || !homes.has(from) || !homes.has(to)) return [];
      if (kind === 'port') return to === id ? [`plugged into ${describeFarEnd(to, from)}${renderMark(mark)}`] : [];
      return [
        `${kind === 'cable' ? 'a cable' : 'leads'} to ${describeFarEnd(id, from === id ? to : from)}${renderMark(mark)}`,
      ];
    });
  return zones
    .flatMap((zone) => [
      `${zone.name}${renderMark(zone.mark)}`,
      ...zone.nodes.flatMap((node) => describeNode(zone, node, describeWires(node.id))),
      ...zone.notes.map((note) => `  ${describeLabel(note)}`),
    ])
    .map((text) => text.replaceAll('→', '->').replaceAll('…', '...'));
}

const kinds: Record<TopologyNode['kind'], string> = {
  uplink: ' (uplink)',
  device: ' (device)',
  others: '',
  bridge: ' (bridge)',
  veth: ' (veth)',
  routing: '',
  place: '',
};

const renderMark = (mark: Mark): string => (mark === null ? '' : ` (${mark})`);
const describeLabel = ({ text, mark }: Label): string => `${text}${renderMark(mark)}`;

function describeNode({ kind }: Zone, node: TopologyNode, wires: readonly string[]): string[] {
  const { name, mark, addresses, notes } = node;
  if (kind === 'world') return [`  ${[name, ...addresses.map(describeLabel)].join(' ')}${renderMark(mark)}`];
  const lines = [...addresses, ...notes].map(describeLabel);
  return [`  ${name}${kinds[node.kind]}${renderMark(mark)}`, ...[...lines, ...wires].map((text) => `    ${text}`)];
}

// SVG.

/** A topology as SVG. */
export function drawAsSvg(topology: Topology, { id, title }: { id: string; title: string }): string {
  const { width, height, body } = drawSvgElements(topology);
  return renderSvg({ id, title, description: drawAsOutline(topology).join('\n'), width, height }, body);
}

/** The elements of a topology's picture, and the size of the whole in pixels. */
export function drawSvgElements(topology: Topology): { width: number; height: number; body: string[] } {
  const layout = layOutTopology(escapeTopology(topology));
  const legend = renderLegend(layout);
  const rows = layout.height + (legend === undefined ? 0 : 2);
  const body = [
    ...drawElements(layout),
    ...(legend === undefined ? [] : [drawLabel({ text: legend, mark: null }, 1, rows - 1, 'soft')]),
  ];
  return { width: layout.width * cell.width, height: rows * cell.height, body };
}

function drawElements({ boxes, wires }: Layout): string[] {
  const frames = boxes.filter(({ kind }) => zoneKinds.has(kind)).map(drawZone);
  return [...frames, ...wires.map(drawWire), ...boxes.filter(({ kind }) => !zoneKinds.has(kind)).map(drawNode)];
}

/** The middle of a character's cell, where lines run. */
const toPixels = ({ x, y }: Point): Point => ({ x: (x + 0.5) * cell.width, y: (y + 0.5) * cell.height });

function drawRect({ x, y, width, height }: Box, radius: number): string {
  const corner = toPixels({ x, y });
  return `<rect x="${formatPixels(corner.x)}" y="${formatPixels(corner.y)}" width="${formatPixels((width - 1) * cell.width)}" height="${formatPixels((height - 1) * cell.height)}" rx="${radius}"/>`;
}

function drawLabel(label: Label, x: number, y: number, kind: string): string {
  const classes = [kind, label.mark ?? ''].filter(Boolean).join(' ');
  return `<text class="${classes}" xml:space="preserve" x="${formatPixels(x * cell.width)}" y="${formatPixels((y + 0.5) * cell.height + 4.5)}">${escapeXml(renderLabel(label))}</text>`;
}

const drawLines = ({ x, lines, linesAt }: Box): string[] =>
  lines.map((label, n) => drawLabel(label, x + 2, linesAt + n, 'line'));

const drawZone = (box: Box): string =>
  `<g class="zone ${box.kind} ${box.title.mark ?? ''}">${drawRect(box, 10)}${drawLabel(box.title, box.x + 2, box.y, 'title')}${drawLines(box).join('')}</g>`;

const drawNode = (box: Box): string =>
  box.kind === 'place'
    ? drawLabel(box.title, box.x, box.y, 'place')
    : `<g class="node ${box.kind} ${box.title.mark ?? ''}">${drawRect(box, 6)}${drawLabel(box.title, box.x + 2, box.y + 1, 'title')}${drawLines(box).join('')}</g>`;

const drawWire = ({ kind, mark, points }: Wire): string =>
  `<path class="wire ${kind} ${mark ?? ''}" d="M${points
    .map(toPixels)
    .map(({ x, y }) => `${formatPixels(x)} ${formatPixels(y)}`)
    .join('L')}"/>`;

// Mermaid.

/** A topology as a Mermaid flowchart, for a Markdown page. */
export const drawAsMermaid = (topology: Topology): string[] => ['flowchart TB', ...renderMermaidLines(topology)];

/** The lines of one chart. `prefix` makes its names unique in a picture of several charts. */
export function renderMermaidLines(topology: Topology, prefix = ''): string[] {
  const { zones, links } = escapeTopology(topology);
  const ids = new Map(zones.flatMap((zone) => zone.nodes).map(({ id }, at) => [id, `${prefix}n${at}`]));
  return [
    ...zones.flatMap((zone, at) => renderSubgraph(zone, `${prefix}z${at}`, ids)),
    ...links.flatMap(({ from, to, kind, mark }) => {
      const [one, other] = [ids.get(from), ids.get(to)];
      if (one === undefined || other === undefined) return [];
      return [`  ${one} ${kind === 'routed' ? '-.-' : '---'}${mark === null ? '' : `|${mark}|`} ${other}`];
    }),
  ];
}

const renderMermaidLabel = ({ text, mark }: Label): string => escapeMermaid(`${text}${renderMark(mark)}`);

/** A zone as a subgraph. The zone's notes become a node, because a subgraph's title has room for one line only. */
function renderSubgraph({ name, mark, notes, nodes }: Zone, id: string, ids: ReadonlyMap<string, string>): string[] {
  const noted = notes.length > 0 ? notes.map(renderMermaidLabel).join('<br>') : ' ';
  return [
    `  subgraph ${id}["${escapeMermaid(`${name}${renderMark(mark)}`)}"]`,
    ...nodes.map((node) => `    ${ids.get(node.id) ?? ''}["${renderMermaidNode(node)}"]`),
    // Mermaid does not draw a subgraph without a node as a subgraph.
    ...(notes.length > 0 || nodes.length === 0 ? [`    ${id}n["${noted}"]`] : []),
    '  end',
  ];
}

const renderMermaidNode = ({ name, mark, addresses, notes }: TopologyNode): string =>
  [
    escapeMermaid(`${name}${renderMark(mark)}`),
    ...addresses.map(renderMermaidLabel),
    ...notes.map(renderMermaidLabel),
  ].join('<br>');

/** Text for a Mermaid label. Characters that could have a meaning there become numeric entities. */
export const escapeMermaid = (text: string): string =>
  text.replaceAll(/[^A-Za-z0-9 .:/,()→-]/gu, (found) => `#${found.codePointAt(0) ?? 0};`);
