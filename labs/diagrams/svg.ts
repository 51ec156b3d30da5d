import type { Label, Topology } from '@handwired/host';
import { type Box, type Layout, legendOf, type Point, type Wire, written } from './boxes.ts';
import { drawable } from './harmless.ts';
import { layoutOf } from './layout.ts';
import { outlineOf } from './outline.ts';
import { cell, px, svgOf, xml } from './svg-parts.ts';

/** One topology as a picture. */
export function svgOfTopology(topology: Topology, { id, title }: { id: string; title: string }): string {
  const { width, height, body } = drawing(topology);
  return svgOf({ id, title, description: outlineOf(topology).join('\n'), width, height }, body);
}

/** The elements of a topology's picture, and how large they are together. */
export function drawing(topology: Topology): { width: number; height: number; body: string[] } {
  const layout = layoutOf(drawable(topology));
  const legend = legendOf(layout);
  const rows = layout.height + (legend === undefined ? 0 : 2);
  const body = [
    ...elements(layout),
    ...(legend === undefined ? [] : [text({ text: legend, mark: null }, 1, rows - 1, 'soft')]),
  ];
  return { width: layout.width * cell.width, height: rows * cell.height, body };
}

const zones: ReadonlySet<Box['kind']> = new Set(['world', 'host', 'container']);

function elements({ boxes, wires }: Layout): string[] {
  const frames = boxes.filter(({ kind }) => zones.has(kind)).map(zoneOf);
  return [...frames, ...wires.map(pathOf), ...boxes.filter(({ kind }) => !zones.has(kind)).map(nodeOf)];
}

/** The middle of a character's cell, where lines run. */
const at = ({ x, y }: Point): Point => ({ x: (x + 0.5) * cell.width, y: (y + 0.5) * cell.height });

function rect({ x, y, width, height }: Box, radius: number): string {
  const corner = at({ x, y });
  return `<rect x="${px(corner.x)}" y="${px(corner.y)}" width="${px((width - 1) * cell.width)}" height="${px((height - 1) * cell.height)}" rx="${radius}"/>`;
}

function text(label: Label, x: number, y: number, kind: string): string {
  const classes = [kind, label.mark ?? ''].filter(Boolean).join(' ');
  return `<text class="${classes}" xml:space="preserve" x="${px(x * cell.width)}" y="${px((y + 0.5) * cell.height + 4.5)}">${xml(written(label))}</text>`;
}

const linesIn = ({ x, lines, linesAt }: Box): string[] =>
  lines.map((label, n) => text(label, x + 2, linesAt + n, 'line'));

const zoneOf = (box: Box): string =>
  `<g class="zone ${box.kind} ${box.title.mark ?? ''}">${rect(box, 10)}${text(box.title, box.x + 2, box.y, 'title')}${linesIn(box).join('')}</g>`;

const nodeOf = (box: Box): string =>
  box.kind === 'place'
    ? text(box.title, box.x, box.y, 'place')
    : `<g class="node ${box.kind} ${box.title.mark ?? ''}">${rect(box, 6)}${text(box.title, box.x + 2, box.y + 1, 'title')}${linesIn(box).join('')}</g>`;

const pathOf = ({ kind, mark, points }: Wire): string =>
  `<path class="wire ${kind} ${mark ?? ''}" d="M${points
    .map(at)
    .map(({ x, y }) => `${px(x)} ${px(y)}`)
    .join('L')}"/>`;
