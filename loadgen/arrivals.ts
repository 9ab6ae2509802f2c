/**
 * arrivals — when clients come, whether or not the server keeps up
 *
 * An open loop: the schedule follows from the rate and the seed alone, so a slow server meets the same
 * crowd as a fast one and its delays show as delays (a closed loop would hide them by coming later). Gaps
 * are drawn evenly between 0 and twice the mean, in whole microseconds.
 */
import type { Random } from '../src/base/prng.ts';

/** How the rate goes over time. */
export const curves = {
  flat: 'the same rate all the time',
  ramp: 'from a tenth of the rate to the whole of it over the first half of the run',
  waves: 'ten seconds at the rate, ten seconds at a fifth of it',
} as const;
export type Curve = keyof typeof curves;

const MICRO = 1_000_000;
const WAVE_MICRO = 10 * MICRO;

export class Arrivals {
  readonly #perSecond: number;
  readonly #curve: Curve;
  readonly #durationMicro: number;
  readonly #random: Random;
  #nextMicro: number;

  /** `perSecond` 0 means nobody ever comes; nobody comes after `durationMs`. */
  constructor(perSecond: number, curve: Curve, durationMs: number, random: Random) {
    this.#perSecond = perSecond;
    this.#curve = curve;
    this.#durationMicro = durationMs * 1_000;
    this.#random = random;
    this.#nextMicro = perSecond > 0 ? this.#gap(0) : Infinity;
  }

  /** Whether somebody is due at `nowMs` after the start; each call that says yes takes one away. */
  take(nowMs: number): boolean {
    if (this.#nextMicro > nowMs * 1_000 || this.#nextMicro >= this.#durationMicro) return false;
    this.#nextMicro += this.#gap(this.#nextMicro);
    return true;
  }

  #gap(atMicro: number): number {
    const meanMicro = Math.max(1, Math.round(MICRO / (this.#perSecond * this.#share(atMicro))));
    return this.#random.below(2 * meanMicro + 1);
  }

  #share(atMicro: number): number {
    switch (this.#curve) {
      case 'flat':
        return 1;
      case 'ramp':
        return Math.min(1, 0.1 + (0.9 * 2 * atMicro) / this.#durationMicro);
      case 'waves':
        return Math.floor(atMicro / WAVE_MICRO) % 2 === 0 ? 1 : 0.2;
    }
  }
}
