import { styleText } from 'node:util';
import type { Label, Mark, Topology } from '@handwired/host';
import { type Box, type Layout, legendOf, written } from './boxes.ts';
import { Canvas } from './canvas.ts';
import { drawable } from './harmless.ts';
import { layoutOf } from './layout.ts';
import { outlineOf } from './outline.ts';

/** How a drawing is to come out in a terminal. */
export interface TextOptions {
  columns: number;
  color: boolean;
}

const zones: ReadonlySet<Box['kind']> = new Set(['world', 'host', 'container']);
const colors = { missing: 'red', wrong: 'red', extra: 'yellow' } as const;

/** Boxes and lines; as an outline where there are not enough columns for them. */
export function textOf(topology: Topology, { columns, color }: TextOptions): string[] {
  const layout = layoutOf(drawable(topology));
  if (layout.width > columns) return outlineOf(topology);
  const legend = legendOf(layout);
  return [...drawn(layout, color), ...(legend === undefined ? [] : ['', legend])];
}

function drawn({ width, height, boxes, wires }: Layout, color: boolean): string[] {
  const canvas = new Canvas(width, height);
  for (const box of boxes) if (box.kind !== 'place') canvas.frame(box, box.title.mark === 'missing');
  for (const { points, mark } of wires) canvas.line(points, mark === 'missing');
  for (const { kind, x, y, title, lines, linesAt } of boxes) {
    const write = (column: number, row: number, label: Label, text = written(label)): void =>
      canvas.text(column, row, text, painter(label.mark, color));
    if (kind === 'place') write(x, y, title);
    else if (zones.has(kind)) write(x + 1, y, title, ` ${written(title)} `);
    else write(x + 2, y + 1, title);
    for (const [at, label] of lines.entries()) write(x + 2, linesAt + at, label);
  }
  return canvas.toLines();
}

const painter = (mark: Mark, color: boolean): ((character: string) => string) | undefined =>
  mark === null || !color ? undefined : (one) => styleText(colors[mark], one, { validateStream: false });
