import { pageThrough } from '@handwired/host';

interface Page {
  /** Shown as it is, in any case. */
  plain: boolean;
}

/**
 * Prints lines on stdout. On a terminal that they do not fit on, by $PAGER (default `less -R`), with the notes before
 * them; without a pager that starts, as they are.
 */
export async function showPage(
  lines: readonly string[],
  { plain }: Page,
  notes: readonly string[] = [],
): Promise<void> {
  const { isTTY, rows } = process.stdout;
  const pager = process.env.PAGER ?? 'less -R';
  const pages = isTTY && !plain && process.env.TERM !== 'dumb' && pager !== '' && lines.length >= rows;
  const above = notes.length > 0 ? [...notes, ''] : [];
  if (pages && (await pageThrough(pager, `${[...above, ...lines].join('\n')}\n`))) return;
  process.stdout.write(`${lines.join('\n')}\n`);
}
