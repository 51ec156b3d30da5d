/** Alone on a line of a `see` fence, this stands for any number of lines, or none. */
export const anyLines = '...';
/** Within a line of a `see` fence, this stands for any text, or none. */
export const anyText = '…';

/** One line of a comparison. It is in both texts, only in the expected one (`-`), or only in the output (`+`). */
export interface SeenLine {
  mark: ' ' | '-' | '+';
  text: string;
}

/**
 * Compares an output with what one should see: line by line, without empty lines, a run of blanks counting as one. `...`
 * alone on a line stands for any lines, `…` in a line for any text. Returns undefined when they agree, else both aligned.
 */
export function compareOutput(wanted: string, came: string): SeenLine[] | undefined {
  const [left, right] = [splitLines(wanted), splitLines(came)];
  const lines = alignLines(left, right);
  return lines.some(({ mark }) => mark !== ' ') ? lines : undefined;
}

const splitLines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.replaceAll(/\s+/g, ' ').trim())
    .filter((line) => line !== '');

/** Whether a line matches an expected one. */
function matchesLine(wanted: string, line: string): boolean {
  const pattern = wanted.split(anyText).map((piece) => piece.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${pattern.join('.*')}$`, 'u').test(line);
}

/** Aligns two texts so that as few lines as possible have no partner. */
function alignLines(wanted: readonly string[], came: readonly string[]): SeenLine[] {
  const cost = Array.from({ length: wanted.length + 1 }, () => new Array<number>(came.length + 1).fill(0));
  const costAt = (i: number, j: number): number => cost[i]?.[j] ?? Infinity;
  const findBest = (i: number, j: number): { cost: number; mark: SeenLine['mark'] | '.' | '' } => {
    const [left, right] = [wanted[i], came[j]];
    if (left === anyLines) {
      const over = { cost: costAt(i + 1, j), mark: '' } as const;
      return right !== undefined && costAt(i, j + 1) < over.cost ? { cost: costAt(i, j + 1), mark: '.' } : over;
    }
    if (left !== undefined && right !== undefined && matchesLine(left, right))
      return { cost: costAt(i + 1, j + 1), mark: ' ' };
    const missing = left === undefined ? Infinity : costAt(i + 1, j) + 1;
    const extra = right === undefined ? Infinity : costAt(i, j + 1) + 1;
    return missing <= extra ? { cost: missing, mark: '-' } : { cost: extra, mark: '+' };
  };
  for (let i = wanted.length; i >= 0; i -= 1)
    for (let j = came.length; j >= 0; j -= 1) {
      const row = cost[i];
      if (row && (i < wanted.length || j < came.length)) row[j] = findBest(i, j).cost;
    }
  const lines: SeenLine[] = [];
  for (let i = 0, j = 0; i < wanted.length || j < came.length; ) {
    const { mark } = findBest(i, j);
    if (mark === ' ' || mark === '-') lines.push({ mark, text: wanted[i] ?? '' });
    if (mark === '+' || mark === '.') lines.push({ mark: mark === '+' ? '+' : ' ', text: came[j] ?? '' });
    if (mark !== '+' && mark !== '.') i += 1;
    if (mark !== '-' && mark !== '') j += 1;
  }
  return lines;
}
