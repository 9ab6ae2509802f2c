/**
 * leaving — when clients leave, in bins, and where too many of them leave at once
 *
 * Bins of time since the connection, spaced by the logarithm: 24 to each doubling, from a quarter of a second to 17 minutes, so
 * that "at 21 s" and "at 100 s" are equally sharp. A client's own timer shows as a spike: one bin, or two, that stand high above
 * both sides. Both, since patience that ends at a bound ("nine of ten within 15 s") makes a cliff, which is no spike.
 *
 * Counted are networks, not sessions (book): a monitor that looks in every minute and leaves after 5 s is sharp as well, and is
 * one network. Behind a cliff a spike is hidden for eight bins, a quarter of its time.
 */

const BINS_A_DOUBLING = 24;
const FIRST_MS = 250;

/** Bins of a histogram of times. */
export const BINS = 12 * BINS_A_DOUBLING;

/** Who leaves sooner had hardly time to be impatient. */
const SOONEST_MS = 3_000;
/** So many more than expected. */
const COUNT_MIN = 25;
/**
 * How far above the background of its sides a spike stands, as a ratio and in standard deviations. Seven, since hundreds of bins are
 * looked at every second and the highest of them is chosen: with five a crowd without any timer had a spike now and then.
 */
const RATIO_MIN = 2.5;
const SIGMAS_MIN = 7;
/** Sides: bins 3 to 8 away from the middle of the spike. */
const SIDE_FROM = 3;
const SIDE_TO = 8;

/** The bin of a time in milliseconds; the first and the last take what lies beyond them. */
export function binOf(ms: number): number {
  if (ms <= FIRST_MS) return 0;
  return Math.min(BINS - 1, Math.floor(BINS_A_DOUBLING * Math.log2(ms / FIRST_MS)));
}

/** Where a bin begins, in milliseconds. */
export function binStartMs(bin: number): number {
  return FIRST_MS * 2 ** (bin / BINS_A_DOUBLING);
}

/** Many left within bins `from` to `to`. */
export interface Spike {
  readonly bin: number;
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** What the sides would have made one expect. */
  readonly expected: number;
}

/** The spikes of a histogram, the soonest first. */
export function spikesOf(counts: Float32Array): Spike[] {
  const spikes: Spike[] = [];
  for (let bin = binOf(SOONEST_MS); bin < BINS - SIDE_FROM; bin++) {
    const here = counts[bin]!;
    const before = counts[bin - 1]!;
    const after = counts[bin + 1]!;
    if (here <= before || here < after) continue;
    const side = Math.max(
      meanOf(counts, bin - SIDE_TO, bin - SIDE_FROM),
      meanOf(counts, bin + SIDE_FROM, Math.min(BINS - 1, bin + SIDE_TO)),
    );
    const expected = side * 3;
    const count = here + before + after;
    const above = count - expected;
    if (above < COUNT_MIN || count < expected * RATIO_MIN) continue;
    if (above < SIGMAS_MIN * Math.sqrt(expected + 1)) continue;
    const high = Math.max(side * 2 + 2, here / 20);
    spikes.push({
      bin,
      from: before > high ? bin - 1 : bin,
      to: after > high ? bin + 1 : bin,
      count,
      expected,
    });
  }
  return spikes;
}

function meanOf(counts: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let bin = from; bin <= to; bin++) sum += counts[bin]!;
  return sum / (to - from + 1);
}

/** The time before which `percent` of the sessions in a histogram had left, in milliseconds; 0 for none. */
export function quantileMs(counts: Float32Array, percent: number): number {
  let all = 0;
  for (let bin = 0; bin < BINS; bin++) all += counts[bin]!;
  let left = (all * percent) / 100;
  if (all === 0) return 0;
  for (let bin = 0; bin < BINS; bin++) {
    left -= counts[bin]!;
    if (left <= 0) return binStartMs(bin + 0.5);
  }
  return binStartMs(BINS);
}
