/**
 * sink-mishaps — what goes wrong at a backend now and then, drawn from a seed
 *
 * The faults of sink-options hold until a test ends them. These come and go: one command in so many is refused, or answered
 * late, or is the last that the connection hears, at whatever point the connection is; and a connection may be told 421 a moment
 * later, when it may serve somebody else. With them a front end has to throw away half-done work all the time, which is when
 * it might hand a piece of one client to the next.
 */
import { Prng } from '../src/base/prng.ts';
import type { DotAnswer } from './sink-options.ts';

/** What becomes of a command. */
export const mishaps = {
  none: 'it is obeyed',
  late: 'it is obeyed, and answered some milliseconds later',
  refuse: 'it is told 451 and not obeyed',
  bye: 'it is told 421, and the connection closes',
  die: 'the connection is reset',
  byeLater: 'it is obeyed; the connection is told 421 and closed some milliseconds later',
} as const;
export type Mishap = keyof typeof mishaps;

/** How often, and by which draws. */
export interface MishapOptions {
  readonly seed: number;
  /** Commands of a thousand to which something happens. */
  readonly perMille: number;
}

const LATE_MS_MAX = 30;
const chances: readonly Mishap[] = ['late', 'late', 'late', 'refuse', 'refuse', 'bye', 'die', 'byeLater'];
/** What is said or asked before a client is named concerns all of them: it fails seldom, as in life. */
const openingOneIn = 20;
const dots: readonly DotAnswer[] = ['refuse4', 'refuse5', 'closeBeforeStore', 'storeThenClose'];

export class Mishaps {
  readonly #random: Prng;
  readonly #perMille: number;

  constructor({ seed, perMille }: MishapOptions) {
    this.#random = new Prng(seed).fork('mishaps');
    this.#perMille = perMille;
  }

  /** What becomes of a command with this verb (upper case). */
  next(verb: string): Mishap {
    if (verb === 'QUIT' || !this.#happens()) return 'none';
    const drawn = chances[this.#random.below(chances.length)]!;
    const isOpening = verb === 'EHLO' || verb === 'HELO' || verb === 'XCLIENT';
    return isOpening && drawn !== 'late' && this.#random.below(openingOneIn) > 0 ? 'none' : drawn;
  }

  /** What becomes of a whole message. */
  dot(): DotAnswer {
    return this.#happens() ? dots[this.#random.below(dots.length)]! : 'store';
  }

  /** How long something takes that comes late, in milliseconds. */
  delayMs(): number {
    return 1 + this.#random.below(LATE_MS_MAX);
  }

  #happens(): boolean {
    return this.#random.below(1_000) < this.#perMille;
  }
}
