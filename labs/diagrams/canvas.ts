import type { Point } from './boxes.ts';

/** Directions in which lines leave a cell. */
const up = 1;
const down = 2;
const left = 4;
const right = 8;

/** By the directions of a cell, added up; straight ones differ where nothing but what is missing runs. */
const corners = ' ╵╷│╴┘┐┤╶└┌├─┴┬┼';
const dashes: Record<number, string> = { [up + down]: '┆', [left + right]: '┄' };
/** Added to the directions of a cell where something that is there runs. */
const solid = 16;

/** A sheet of characters on which lines join where they meet. */
export class Canvas {
  readonly #lines: number[][];
  readonly #texts: string[][];

  constructor(width: number, height: number) {
    this.#lines = Array.from({ length: height }, () => Array<number>(width).fill(0));
    this.#texts = Array.from({ length: height }, () => Array<string>(width).fill(''));
  }

  /** Along points that are straight above or beside one another. */
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

  /** Over what was there. `paint` sees each character alone and keeps its width. */
  text(x: number, y: number, text: string, paint: (character: string) => string = (same) => same): void {
    for (const [at, character] of Array.from(text).entries()) {
      const row = this.#texts[y];
      if (row && x + at < row.length) row[x + at] = paint(character);
    }
  }

  toLines(): string[] {
    return this.#texts.map((row, y) =>
      row
        .map((text, x) => text || drawn(this.#lines[y]?.[x] ?? 0))
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

const drawn = (cell: number): string => (cell < solid ? dashes[cell] : undefined) ?? corners[cell % solid] ?? ' ';
