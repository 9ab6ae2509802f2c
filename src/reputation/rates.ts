/**
 * rates — how many events there were in the last window, in three words
 *
 * Time is cut into half windows, numbered from 1970 on. A rate keeps the counts of the present half and of the two
 * before it, each in the word (number modulo 3): twelve bits of the number, twenty of the count. The estimate is
 *
 *   present + last + (the share of the one before that the window still reaches) × before
 *
 * which takes the events of that one half as spread evenly. With W for the window and any order of events:
 *
 * - it is never more than what came in the last 1.5 W, and never less than what came in the last W / 2;
 * - it is wrong by less than what came in the half window that the edge lies in;
 * - `admit` with a limit of N lets at most N through in any W / 2, and at most 2 N - 1 in any W: N in one instant, and N
 *   spread over the window behind it. Over long times it is N in W. A counter that is set to zero every W, as
 *   anvil's is, lets 2 N through in one instant.
 *
 * What `admit` refuses is not counted: a sender that comes with twice the limit gets the limit, as with anvil, and
 * not nothing. Each change is one compareExchange of one word, so no event of any thread is lost and none is let through
 * twice. Counts stop at 1,048,575.
 *
 * The number goes round after 4,096 halves (an hour and eight minutes for the smallest window). Before a word can come to
 * life again it is emptied: `freshen`, called when a meter is claimed for the first time in a half window, takes
 * away every count that is out of reach; all of them when the meter was not seen for a whole round, and then a client
 * that comes back on two shards in the same instant may have one event less. A shard whose clock is ahead by less than
 * a half is understood; counts of a clock that is further away are forgotten.
 *
 * Not taken: a list of times (exact, and as long as the limit is high); finer parts (a word each, and four rates have to
 * fit a cache line); a bucket that leaks (one word, the same bound, and it cannot say "5 in 60 s").
 */
import { EntryWord } from './layout.ts';

/** What a meter counts; the place of its words in the entry. */
export const Rate = { Connections: 0, Messages: 1, Recipients: 2, TlsSessions: 3 } as const;
export type Rate = (typeof Rate)[keyof typeof Rate];

/** Words of one rate. */
export const RATE_WORDS = 3;

const COUNT_BITS = 20;

/** The largest count. */
export const COUNT_MAX = 2 ** COUNT_BITS - 1;

const STAMP_MASK = 2 ** 12 - 1;
/** The age of a count that another thread has dated one half ahead of our clock. */
const AHEAD = STAMP_MASK;

/** Where the words of a rate begin in the meter that begins at word `at`. */
export function rateWord(at: number, rate: Rate): number {
  return at + EntryWord.seenSec + 1 + rate * RATE_WORDS;
}

/** Half windows between the stamp of a word and number `half`, modulo 4096. */
function ageOf(word: number, half: number): number {
  return (half - (word >>> COUNT_BITS)) & STAMP_MASK;
}

/** The count of a word if it is `age` half windows old. */
function countAt(words: Int32Array, at: number, half: number, age: number): number {
  const word = Atomics.load(words, at + ((half - age) % RATE_WORDS));
  if (ageOf(word, half) === age) return word & COUNT_MAX;
  // The word of the oldest half is the one that a clock ahead of ours has begun anew.
  return age === 2 && ageOf(word, half) === AHEAD ? word & COUNT_MAX : 0;
}

/** What the last and the one before bring to an estimate. */
function earlier(words: Int32Array, at: number, half: number, nowMs: number, halfMs: number): number {
  const oldest = Atomics.load(words, at + ((half - 2) % RATE_WORDS));
  const isAhead = ageOf(oldest, half) === AHEAD;
  const reach = isAhead ? 1 : 1 - (nowMs / halfMs - half);
  return countAt(words, at, half, 1) + reach * countAt(words, at, half, 2);
}

/**
 * Events in the window that ends at `nowMs` (wall clock), as estimated; `at` is the rate's first word, `halfMs` half of
 * the window.
 */
export function rateOf(words: Int32Array, at: number, nowMs: number, halfMs: number): number {
  const half = Math.floor(nowMs / halfMs);
  return countAt(words, at, half, 0) + earlier(words, at, half, nowMs, halfMs);
}

/**
 * Counts one event if that makes the rate no more than `limit`. Returns the rate with it; more than `limit` says that it
 * was refused and not counted.
 */
export function admit(words: Int32Array, at: number, nowMs: number, halfMs: number, limit: number): number {
  const half = Math.floor(nowMs / halfMs);
  const place = at + (half % RATE_WORDS);
  for (;;) {
    const word = Atomics.load(words, place);
    const count = ageOf(word, half) === 0 ? word & COUNT_MAX : 0;
    const rate = count + 1 + earlier(words, at, half, nowMs, halfMs);
    if (rate > limit) return rate;
    if (Atomics.compareExchange(words, place, word, stamped(half, count + 1)) === word) return rate;
  }
}

/** Takes the last event back, if its half window is not over. */
export function takeBack(words: Int32Array, at: number, nowMs: number, halfMs: number): void {
  const half = Math.floor(nowMs / halfMs);
  const place = at + (half % RATE_WORDS);
  for (;;) {
    const word = Atomics.load(words, place);
    if (ageOf(word, half) !== 0 || (word & COUNT_MAX) === 0) return;
    if (Atomics.compareExchange(words, place, word, word - 1) === word) return;
  }
}

function stamped(half: number, count: number): number {
  return ((half & STAMP_MASK) << COUNT_BITS) | Math.min(count, COUNT_MAX);
}

/**
 * Takes away the counts of the meter that begins at word `at` that are out of reach, all rates of it. `seenSec`: when it
 * was claimed before; in the same half window there is nothing to do.
 */
export function freshen(words: Int32Array, at: number, seenSec: number, nowMs: number, halfMs: number): void {
  const half = Math.floor(nowMs / halfMs);
  const seenHalf = Math.floor((seenSec * 1000) / halfMs);
  if (seenHalf === half) return;
  // The words may be a little younger than `seenSec`, which is whole seconds.
  const isRound = half - seenHalf >= STAMP_MASK - RATE_WORDS;
  for (let place = rateWord(at, 0); place < at + EntryWord.COUNT; place += 1) {
    const word = Atomics.load(words, place);
    const age = ageOf(word, half);
    if (word !== 0 && (isRound || (age > 2 && age !== AHEAD))) Atomics.compareExchange(words, place, word, 0);
  }
}
