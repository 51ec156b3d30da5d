/**
 * Rows that have every pair of values of any two factors at least once: greedily, each row begun with a pair that is
 * still missing. Always the same rows for the same factors. The package covertable needs 15 rows for 4, 3, 3, 2 and 2
 * values, where this needs 12, and each row is a build to grade.
 */
export function pairwise(sizes: readonly number[]): number[][] {
  const missing = new Set<string>();
  for (const [a, b] of pairsOf(sizes.length)) {
    for (let x = 0; x < (sizes[a] ?? 0); x += 1)
      for (let y = 0; y < (sizes[b] ?? 0); y += 1) missing.add(key(a, x, b, y));
  }
  const rows: number[][] = [];
  for (const first of missing) {
    const row = filled(first, sizes, missing, rows.length);
    for (const [a, b] of pairsOf(sizes.length)) missing.delete(key(a, row[a] ?? 0, b, row[b] ?? 0));
    rows.push(row);
  }
  return rows;
}

const key = (a: number, x: number, b: number, y: number): string => `${a}=${x} ${b}=${y}`;

function* pairsOf(count: number): Generator<[number, number]> {
  for (let a = 0; a < count; a += 1) for (let b = a + 1; b < count; b += 1) yield [a, b];
}

/** A row with this pair in which each other factor has the value that brings most missing pairs; of equals, in turn. */
function filled(pair: string, sizes: readonly number[], missing: ReadonlySet<string>, turn: number): number[] {
  const row = new Map(pair.split(' ').map((part) => part.split('=').map(Number) as [number, number]));
  for (const [factor, size] of sizes.entries()) {
    if (row.has(factor)) continue;
    const gain = (value: number): number =>
      [...row].filter(([other, chosen]) =>
        missing.has(other < factor ? key(other, chosen, factor, value) : key(factor, value, other, chosen)),
      ).length;
    const values = [...Array(size).keys()].map((value) => (value + turn) % size);
    row.set(
      factor,
      values.reduce((best, value) => (gain(value) > gain(best) ? value : best)),
    );
  }
  return sizes.map((_, factor) => row.get(factor) ?? 0);
}
