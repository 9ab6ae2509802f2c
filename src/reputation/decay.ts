/**
 * decay — a score that forgets, in one word
 *
 * A score halves every day, in both directions: a zombie's address may belong to an honest sender next week,
 * and credit has to be earned again. Integers only, so that every shard, every host and every test computes
 * the same: halvings are divisions by two, and between them the curve is eight straight lines.
 *
 * The score and the time it is of share one word: 16 bits of 1/32 points above 16 bits of hours (7.5 years,
 * then round again). So "age it, add to it, date it" is one compareExchange, and nobody can see one half of
 * it. Minutes are not lost when a score is touched often: its date is a mark on the wall clock's own scale,
 * not the moment of the touch.
 *
 * A score that is touched in every hour of a day ends within 2 % and a point of one that was left alone. Not
 * taken: one straight line a day, with which the busiest zombies would keep a fifth more of their score.
 */

/** The range of a score, in points. */
export const SCORE_MIN = -100;
export const SCORE_MAX = 1000;

/** A score is worth half after this time. */
export const HALF_LIFE_SEC = 86_400;

const STEP_SEC = 3600;
const STEPS_PER_HALF_LIFE = HALF_LIFE_SEC / STEP_SEC;
const STEP_BITS = 16;
const STEP_MASK = (1 << STEP_BITS) - 1;
const SCORE_BITS = 16;
const PART_BITS = 5;
const PARTS = 1 << PART_BITS;

/** 65,536 × 2^(-k/8), rounded: what is left after k eighths of a half-life. */
const KNOTS = Int32Array.of(65_536, 60_097, 55_109, 50_535, 46_341, 42_495, 38_968, 35_734, 32_768);
const STEPS_PER_KNOT = STEPS_PER_HALF_LIFE / 8;

/** The mark of a moment of the wall clock, modulo 2^16. */
function stepOf(nowSec: number): number {
  return Math.floor(nowSec / STEP_SEC) & STEP_MASK;
}

/** The parts that are left of `parts` after a number of steps, rounded towards 0. */
function partsAfter(parts: number, steps: number): number {
  const halvings = Math.floor(steps / STEPS_PER_HALF_LIFE);
  if (halvings >= SCORE_BITS) return 0;
  const rest = steps % STEPS_PER_HALF_LIFE;
  const knot = Math.floor(rest / STEPS_PER_KNOT);
  const fall = KNOTS[knot]! - KNOTS[knot + 1]!;
  const factor = KNOTS[knot]! - Math.floor((fall * (rest % STEPS_PER_KNOT)) / STEPS_PER_KNOT);
  return Math.trunc((Math.trunc(parts / 2 ** halvings) * factor) / KNOTS[0]!);
}

/** The parts of a score word at a moment. A word dated later than that (a clock set back) does not age. */
function partsOf(word: number, nowSec: number): number {
  const steps = (stepOf(nowSec) - (word & STEP_MASK)) & STEP_MASK;
  return partsAfter(word >> STEP_BITS, steps > STEP_MASK >> 1 ? 0 : steps);
}

/** The score in a word at a moment of the wall clock, in whole points, to the nearest. The word 0 is a score of 0. */
export function scoreOfWord(word: number, nowSec: number): number {
  return (partsOf(word, nowSec) + PARTS / 2) >> PART_BITS;
}

/** The word after `delta` whole points were added at a moment, kept within SCORE_MIN … SCORE_MAX. */
export function scoreWordAfter(word: number, delta: number, nowSec: number): number {
  let parts = partsOf(word, nowSec) + Math.trunc(delta) * PARTS;
  if (parts < SCORE_MIN * PARTS) parts = SCORE_MIN * PARTS;
  if (parts > SCORE_MAX * PARTS) parts = SCORE_MAX * PARTS;
  return (parts << STEP_BITS) | stepOf(nowSec);
}
