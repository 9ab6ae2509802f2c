/**
 * recent — the average of what was heard lately, in one number
 *
 * Each value moves the average by its weight; while nothing is heard it fades by half every `fadeMs`. So one slow answer
 * on a quiet day moves little and is forgotten, and a row of them is what the average says. A value counts for at most
 * `valueMax`, lest a single one say more than a row. A window of values would be exact, and would cost memory for what is
 * only compared with a mark.
 */

/** After so long without a look what was heard before it is no news any more. */
const NEWS_MS = 1_000;

export class Recent {
  value = 0;
  readonly #fadeMs: number;
  readonly #valueMax: number;
  #heard = false;

  constructor(fadeMs: number, valueMax: number) {
    this.#fadeMs = fadeMs;
    this.#valueMax = valueMax;
  }

  /** Hears a value that counts for `weight`, 0 to 1, of the average from now on. */
  hear(value: number, weight: number): void {
    this.value += (Math.min(value, this.#valueMax) - this.value) * weight;
    this.#heard = true;
  }

  /** Time has passed; the average fades if nothing was heard in it. */
  pass(elapsedMs: number): void {
    if (!this.#heard || elapsedMs > NEWS_MS) this.value *= 0.5 ** (elapsedMs / this.#fadeMs);
    this.#heard = false;
  }
}
