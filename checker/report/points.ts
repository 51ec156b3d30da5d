/**
 * Shares of a whole by weights, to the hundredth, that add up to exactly the whole: the largest-remainder method, the
 * earlier one first where remainders are equal. Weights are above 0; no weights: no shares.
 */
export function sharesOf(whole: number, weights: readonly number[]): number[] {
  const total = sum(weights);
  const exact = weights.map((weight) => (whole * 100 * weight) / total);
  const shares = exact.map(Math.floor);
  const left = Math.round(whole * 100) - sum(shares);
  const order = exact
    .map((value, at) => ({ at, rest: value - Math.floor(value) }))
    // Remainders that differ by no more than the arithmetic's own error are equal.
    .sort((a, b) => (Math.abs(a.rest - b.rest) < 1e-6 ? a.at - b.at : b.rest - a.rest));
  for (const { at } of order.slice(0, left)) shares[at] = (shares[at] ?? 0) + 1;
  return shares.map((share) => share / 100);
}

/** The sum of points, without the dust of binary fractions. */
export const totalOf = (points: readonly number[]): number => Math.round(sum(points) * 100) / 100;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
