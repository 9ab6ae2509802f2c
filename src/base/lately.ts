/**
 * lately — what was done a while ago and need not be done again yet
 *
 * A set of texts that forgets: each after the same time, and the oldest ones earlier when there are too many, so a
 * stranger who brings ever new texts makes something be done twice and no memory grow.
 *
 * Times are handed in and never go back, so the order of coming is the order of going: both a Map's own order.
 */
export class Lately {
  readonly #textsMax: number;
  readonly #holdsMs: number;
  readonly #untilMs = new Map<string, number>();

  /** Holds at most `textsMax` texts, each for `holdsMs`. */
  constructor(textsMax: number, holdsMs: number) {
    this.#textsMax = textsMax;
    this.#holdsMs = holdsMs;
  }

  get size(): number {
    return this.#untilMs.size;
  }

  /** Notes a text; false when it was noted lately, and then its time does not begin anew. */
  note(text: string, nowMs: number): boolean {
    for (const [oldest, untilMs] of this.#untilMs) {
      if (untilMs > nowMs) break;
      this.#untilMs.delete(oldest);
    }
    if (this.#untilMs.has(text)) return false;
    if (this.#untilMs.size >= this.#textsMax) this.#untilMs.delete(this.#untilMs.keys().next().value!);
    this.#untilMs.set(text, nowMs + this.#holdsMs);
    return true;
  }

  /** Takes a text out before its time. */
  forget(text: string): void {
    this.#untilMs.delete(text);
  }
}
