/**
 * backoff — how long a backend that cannot be reached is left alone
 *
 * Half a second after the first failure, twice as long after each further one, at most eight; nothing once it
 * has been reached. While it lasts nobody connects. Behind it the server is on trial: one connection tries it out, and only
 * when it has been reached do others follow.
 */
const PAUSE_MS_MIN = 500;
const PAUSE_MS_MAX = 8_000;

export class Backoff {
  #pauseMs = 0;
  #untilMs = 0;

  /** A connection could not be made. */
  failed(nowMs: number): void {
    // Several lanes that fail in one moment are one failure.
    if (this.isOn(nowMs)) return;
    this.#pauseMs = Math.min(PAUSE_MS_MAX, Math.max(PAUSE_MS_MIN, this.#pauseMs * 2));
    this.#untilMs = nowMs + this.#pauseMs;
  }

  /** A connection was made. */
  succeeded(): void {
    this.#pauseMs = 0;
    this.#untilMs = 0;
  }

  /** It has failed, and was not reached since. */
  get isOnTrial(): boolean {
    return this.#pauseMs > 0;
  }

  /** True during a pause. */
  isOn(nowMs: number): boolean {
    return nowMs < this.#untilMs;
  }
}
