/**
 * decay — one remembered signal, and how it fades, in one word
 *
 * A zombie's address may belong to an honest sender next week, and credit has to be earned again: what was noted of a
 * client loses half of its amount in the half-life of its signal (signals). A slot is one word:
 *
 *   5 bits   the signal's number, 0 for an empty slot
 *   15 bits  the amount in 1/256 of an observation, at most 127
 *   12 bits  the date, in 1/64 half-lives, modulo 64 half-lives
 *
 * so that "age it, add to it, date it" is one compareExchange, and nobody sees one half of it. Integers only: every
 * shard, host and test computes the same. A slot that is touched in every step of a half-life ends within 3 % of one
 * that was left alone: its date is a mark on the wall clock's own scale, not the moment of the touch.
 *
 * The date goes round after 64 half-lives. A slot is taken for empty from 16 on, and every claim empties such slots
 * (table), so a date that lies behind half a round is one of a clock that was set back: it does not age. A clock that is
 * set back by 16 half-lives or more, and put right later, makes clients forgotten that came in between.
 *
 * Not taken: one score for a client with one date. It is smaller, and cannot say what it is made of.
 */

const AMOUNT_BITS = 15;
const STAMP_BITS = 12;
const STAMP_MASK = (1 << STAMP_BITS) - 1;
const ID_SHIFT = AMOUNT_BITS + STAMP_BITS;

/** One observation, in the units of an amount. */
export const ONE = 256;

/** The largest amount. */
export const AMOUNT_MAX = (1 << AMOUNT_BITS) - 1;

/** Numbers of signals are below this. */
export const SIGNALS_MAX = 1 << 5;

const STEP_BITS = 6;

/** Dates in a half-life. */
export const STEPS_PER_HALF_LIFE = 1 << STEP_BITS;

/** After so many half-lives nothing is left of the largest amount. */
export const HALF_LIVES_MAX = 16;

/** 65,536 × 2^(-k/64), rounded: what is left after k sixty-fourths of a half-life. */
const FACTORS = Uint32Array.from({ length: STEPS_PER_HALF_LIFE }, (_, step) =>
  Math.round(65_536 * 2 ** (-step / STEPS_PER_HALF_LIFE)),
);
const FACTOR_BITS = 16;

/** The slot of a signal with an amount at a moment. `stepSec`: a sixty-fourth of its half-life. */
export function slotWord(id: number, amount: number, nowSec: number, stepSec: number): number {
  const bounded = amount > AMOUNT_MAX ? AMOUNT_MAX : amount;
  return (id << ID_SHIFT) | (bounded << STAMP_BITS) | (Math.floor(nowSec / stepSec) & STAMP_MASK);
}

/** The number of the signal in a slot; 0 for an empty one. */
export function slotId(word: number): number {
  return word >>> ID_SHIFT;
}

/** Steps since the date of a slot; 0 for a date in the future. */
export function slotAgeSteps(word: number, nowSec: number, stepSec: number): number {
  const steps = (Math.floor(nowSec / stepSec) - (word & STAMP_MASK)) & STAMP_MASK;
  return steps > STAMP_MASK >> 1 ? 0 : steps;
}

/** What is left at a moment of the amount in a slot, to the nearest. */
export function slotAmount(word: number, nowSec: number, stepSec: number): number {
  const steps = slotAgeSteps(word, nowSec, stepSec);
  const halvings = steps >>> STEP_BITS;
  if (halvings >= HALF_LIVES_MAX) return 0;
  const amount = (word >>> STAMP_BITS) & AMOUNT_MAX;
  const shift = FACTOR_BITS + halvings;
  // At most 2^31 and 2^30: the sum fits an unsigned word.
  return (amount * FACTORS[steps & (STEPS_PER_HALF_LIFE - 1)]! + (1 << (shift - 1))) >>> shift;
}
