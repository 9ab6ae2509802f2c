/**
 * quantiles — exact ones, of a list of numbers that is at hand as a whole
 */

/** The value that `percent` of the values do not exceed (nearest rank); null for none. The values come in ascending order. */
export function quantileOf(sorted: ArrayLike<number>, percent: number): number | null {
  if (sorted.length === 0) return null;
  const rank = Math.ceil((sorted.length * percent) / 100);
  return sorted[Math.max(0, rank - 1)]!;
}

/** A copy in ascending order. */
export function ascending(values: readonly number[]): Float64Array {
  return Float64Array.from(values).sort();
}
