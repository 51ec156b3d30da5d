/** Text for a terminal: what may be shown on it, in which colours, as tables and in pages. */
import { styleText, stripVTControlCharacters } from 'node:util';
import { pageThrough } from '@handwired/host';
import Table from 'cli-table3';

/** A stream that is written to: a terminal, or something else, which has none of a terminal's properties. */
export type Output = NodeJS.WritableStream & Partial<Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'rows'>>;

/**
 * Makes text from anywhere safe for a terminal, as one line. Escape sequences are removed, other control and format
 * characters (bidirectional overrides) become a space.
 */
export const toPrintable = (text: string): string => stripVTControlCharacters(text).replace(/[\p{Cc}\p{Cf}]+/gu, ' ');

/** Whether to colour what goes to a stream: NO_COLOR (no-color.org) decides first, then FORCE_COLOR, then the terminal. */
export function wantsColor({ isTTY }: { isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0';
  // A pipe has no isTTY at all.
  return isTTY === true && env.TERM !== 'dumb';
}

/** Puts one of node's styles (`green`, `dim`, ...) on a text. */
export type Paint = (style: Parameters<typeof styleText>[0], text: string) => string;

/** A Paint that colours, or one that returns each text as it is. */
export const createPaint =
  (color: boolean): Paint =>
  (style, text) =>
    color ? styleText(style, text, { validateStream: false }) : text;

/** A table without rules: a header line in capitals, columns two spaces apart. Cells are shown on one line each. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const none = { top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '' };
  const sides = { 'bottom-left': '', 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '' };
  const table = new Table({
    chars: { ...none, ...sides, right: '', 'right-mid': '', middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of [head.map((title) => title.toUpperCase()), ...rows]) table.push(row.map(toPrintable));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Seconds in the largest fitting unit, as kubectl prints ages: 40s, 12m, 3h, 5d. null: `-`. */
export function formatAge(seconds: number | null): string {
  if (seconds === null) return '-';
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/**
 * Prints lines on `stdout`. Lines that do not fit on the terminal go through $PAGER (default `less -R`), with `notes` before
 * them. `plain`, and a pager that does not start: the lines are printed as they are.
 */
export async function showPage(
  stdout: Output,
  lines: readonly string[],
  { plain }: { plain: boolean },
  notes: readonly string[] = [],
): Promise<void> {
  const { isTTY, rows = 0 } = stdout;
  const pager = process.env.PAGER ?? 'less -R';
  const pages = isTTY === true && !plain && process.env.TERM !== 'dumb' && pager !== '' && lines.length >= rows;
  const above = notes.length > 0 ? [...notes, ''] : [];
  if (pages && (await pageThrough(pager, `${[...above, ...lines].join('\n')}\n`))) return;
  stdout.write(`${lines.join('\n')}\n`);
}
