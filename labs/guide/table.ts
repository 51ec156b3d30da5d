import { wrap } from './fold.ts';
import { type Block, plainText } from './guide.ts';
import { type GuideLook, paint, paintInlines } from './paint.ts';

/** A column is not made narrower than this; where that is not enough, a table becomes a list. */
const narrowest = 16;
const gap = '  ';

/** In columns, with cells over several lines, where there is room; else, and for a screen reader, each row as a list. */
export function tableLines({ head, rows }: Extract<Block, { kind: 'table' }>, look: GuideLook): string[] {
  const heads = head.map(plainText);
  const cells = rows.map((row) => row.map((cell) => paintInlines(cell, { ...look, color: false })));
  const natural = heads.map((text, at) => Math.max(text.length, ...cells.map((row) => row[at]?.length ?? 0)));
  const widths = shrunk(natural, look.columns - gap.length * (heads.length - 1));
  if (look.plain || !widths) return cells.flatMap((row) => listed(heads, row, look));
  const drawn = cells.map((row) => side(row, widths));
  const apart = drawn.some((lines) => lines.length > 1);
  return [
    ...side(heads, widths).map((line) => paint('bold', line, look)),
    ...drawn.flatMap((lines, at) => [...(apart && at > 0 ? [''] : []), ...lines]),
  ];
}

/** Widths that fit: the widest columns give way. undefined: they can't. */
function shrunk(natural: readonly number[], columns: number): number[] | undefined {
  const widths = [...natural];
  for (let over = sum(widths) - columns; over > 0; over -= 1) {
    const widest = widths.indexOf(Math.max(...widths));
    const width = (widths[widest] ?? 0) - 1;
    if (width < narrowest) return undefined;
    widths[widest] = width;
  }
  return widths;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

/** Cells beside each other. */
function side(row: readonly string[], widths: readonly number[]): string[] {
  const columns = row.map((cell, at) => wrap(cell, widths[at] ?? narrowest));
  const height = Math.max(...columns.map((lines) => lines.length));
  return Array.from({ length: height }, (_, y) =>
    columns
      .map((lines, at) => (lines[y] ?? '').padEnd(widths[at] ?? 0))
      .join(gap)
      .trimEnd(),
  );
}

const listed = (heads: readonly string[], row: readonly string[], look: GuideLook): string[] =>
  row.flatMap((cell, at) => wrap(`${heads[at] ?? ''}: ${cell}`, look.columns, at === 0 ? '- ' : '  ', '    '));
