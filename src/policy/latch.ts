/**
 * latch — a switch with two marks, so that a load near one of them does not turn it on and off
 *
 * On from the upper mark, off from the lower one. Between the two it stays as it is, and once on it stays on for
 * `LATCH_HOLD_MS` at least: a load that falls because of what the latch does, and comes back as soon as that ends, would
 * otherwise make the two take turns. postscreen(8) has the marks (0.9 and 0.7 of its queue), Postfix's master the time.
 */

/** The least time that a latch stays on. */
export const LATCH_HOLD_MS = 5_000;

export class Latch {
  on = false;
  readonly #onMark: number;
  readonly #offMark: number;
  #sinceMs = 0;

  /** Turns on at `onMark` and more, off at `offMark` and less, which is below. */
  constructor(onMark: number, offMark: number) {
    this.#onMark = onMark;
    this.#offMark = offMark;
  }

  /** Hears the load of a moment; moments never go back. */
  hear(load: number, nowMs: number): void {
    if (!this.on) {
      if (load < this.#onMark) return;
      this.on = true;
      this.#sinceMs = nowMs;
    } else if (load <= this.#offMark && nowMs - this.#sinceMs >= LATCH_HOLD_MS) this.on = false;
  }
}
