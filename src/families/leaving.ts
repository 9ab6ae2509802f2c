/**
 * leaving — when clients leave, in bins, and where too many of them leave at once
 *
 * Bins of time since the connection, spaced by the logarithm: 24 to each doubling, from a quarter of a second to 17 minutes, so
 * that "at 21 s" and "at 100 s" are equally sharp. A client's own timer shows as a spike: one bin, or two, that stand high above
 * both sides. Both, since patience that ends at a bound ("nine of ten within 15 s") makes a cliff, which is no spike.
 *
 * A spike counts when it has COUNT_MIN sessions of NETWORKS_MIN networks: a monitor that looks in every minute and
 * leaves after 5 s is sharp as well, and is one network. Networks are told by a hash of five bits in a word beside each bin.
 */

const BINS_A_DOUBLING = 24;
const FIRST_MS = 250;

/** Bins of a histogram of times. */
export const BINS = 12 * BINS_A_DOUBLING;

/** Who leaves sooner had hardly time to be impatient. */
const SOONEST_MS = 3_000;
const COUNT_MIN = 25;
export const NETWORKS_MIN = 8;
/** How far above the background of its sides a spike stands, as a ratio and in standard deviations. */
const RATIO_MIN = 2.5;
const SIGMAS_MIN = 5;
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

/** Many sessions left within bins `from` to `to`. */
export interface Spike {
  readonly bin: number;
  readonly from: number;
  readonly to: number;
  readonly sessions: number;
  /** What the sides would have made one expect. */
  readonly expected: number;
}

/** The spikes of a histogram. `networks`: 32 bits a bin (networkBit). Two spikes are at least three bins apart. */
export function spikesOf(counts: Float32Array, networks: Int32Array): Spike[] {
  const spikes: Spike[] = [];
  for (let bin = binOf(SOONEST_MS); bin < BINS - SIDE_FROM; bin++) {
    const here = counts[bin]!;
    const before = counts[bin - 1]!;
    const after = counts[bin + 1]!;
    if (here + before + after < COUNT_MIN || here <= before || here < after) continue;
    const side = Math.max(
      meanOf(counts, bin - SIDE_TO, bin - SIDE_FROM),
      meanOf(counts, bin + SIDE_FROM, Math.min(BINS - 1, bin + SIDE_TO)),
    );
    const expected = side * 3;
    const sessions = here + before + after;
    if (sessions < expected * RATIO_MIN || sessions - expected < SIGMAS_MIN * Math.sqrt(expected + 1))
      continue;
    const distinct = bitsIn(networks[bin]! | networks[bin - 1]! | networks[bin + 1]!);
    if (distinct < NETWORKS_MIN) continue;
    const high = Math.max(side * 2 + 2, here / 20);
    spikes.push({
      bin,
      from: before > high ? bin - 1 : bin,
      to: after > high ? bin + 1 : bin,
      sessions,
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

/** The bit that stands for a network, by its key. */
export function networkBit(key0: number, key1: number): number {
  let mixed = Math.imul(key0 ^ Math.imul(key1, 0x85ebca6b), 0x9e3779b1);
  mixed ^= mixed >>> 15;
  return 1 << (Math.imul(mixed, 0x2c1b3c6d) >>> 27);
}

/** How many bits are set. */
export function bitsIn(word: number): number {
  let count = 0;
  for (let left = word; left !== 0; left &= left - 1) count++;
  return count;
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
