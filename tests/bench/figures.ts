/** What `make bench` has measured: rows with a bound, and figures without one. */
interface Figure {
  what: string;
  /** Seconds, MB or a count; `unit` says which. */
  measured: number;
  bound: number;
  unit: string;
  /** The bound is the least that it may be, not the most. */
  atLeast: boolean;
}

const figures: Figure[] = [];
const notes: string[] = [];

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** A row of the page. */
export function add(what: string, measured: number, bound: number, unit = 's', atLeast = false): void {
  figures.push({ what, measured, bound, unit, atLeast });
  console.log(`${what}: ${measured.toFixed(2)} ${unit} (bound ${bound} ${unit})`);
}

/** A figure without a bound. */
export function note(text: string): void {
  notes.push(text);
  console.log(text);
}

/** docs/performance.md. */
export function page(machine: readonly string[]): string {
  const rows = figures.map(({ what, measured, bound, unit, atLeast }) => {
    const within = atLeast ? measured >= bound : measured <= bound;
    const limit = `${atLeast ? 'at least ' : ''}${bound} ${unit}`.trim();
    return `| ${what} | ${`${measured.toFixed(2)} ${unit}`.trim()} | ${limit} | ${bound === 0 ? '-' : (measured / bound).toFixed(2)} | ${within ? 'yes' : 'no'} |`;
  });
  return [
    '# Performance',
    '',
    '`make bench` writes this page. All figures are of one run on one machine, medians of three to five:',
    '',
    ...machine.map((line) => `- ${line}`),
    '',
    '| what | measured | bound | ratio | within |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
    'Without a bound:',
    '',
    ...notes.map((line) => `- ${line}`),
    '',
  ].join('\n');
}
