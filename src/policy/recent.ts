/**
 * recent — the average of what was heard lately, in one number
 *
 * Each value moves the average by its weight; while nothing is heard it fades by half every `FADE_MS`. So one slow answer
 * on a quiet day moves little and is forgotten, and a hundred of them in a row are what the average says. A window of
 * values would be exact, and would cost memory for what is only compared with a mark.
 */

const FADE_MS = 5_000;

export class Recent {
  value = 0;
  #heard = false;

  /** Hears a value that counts for `weight`, 0 to 1, of the average from now on. */
  hear(value: number, weight: number): void {
    this.value += (value - this.value) * weight;
    this.#heard = true;
  }

  /** Time has passed; the average fades if nothing was heard in it. */
  pass(elapsedMs: number): void {
    if (!this.#heard) this.value *= 0.5 ** (elapsedMs / FADE_MS);
    this.#heard = false;
  }
}
