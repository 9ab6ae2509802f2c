/**
 * dns-latency — how long a list took for its last answers, and how many of its last look-ups failed
 *
 * Two windows of bounded length, so that what counts is the present: the latencies of the last answers, whose
 * quantiles an operator reads, and the outcomes of the last look-ups, by which a list that fails too often is
 * suspended.
 */
const LATENCIES = 128;
const OUTCOMES = 50;

export class DnsLatency {
  readonly #latenciesMs = new Float64Array(LATENCIES);
  readonly #failed = new Uint8Array(OUTCOMES);
  #answered = 0;
  #looked = 0;
  #failedCount = 0;

  /** Answers measured, at most the length of the window. */
  get measured(): number {
    return Math.min(this.#answered, LATENCIES);
  }

  /** Look-ups in the window of outcomes. */
  get outcomes(): number {
    return Math.min(this.#looked, OUTCOMES);
  }

  /** How many of them failed. */
  get failures(): number {
    return this.#failedCount;
  }

  /** An answer came, of whatever kind, after `latencyMs`. */
  answered(latencyMs: number): void {
    this.measure(latencyMs);
    this.#note(0);
  }

  /** An answer to a test came: it says how quick the list is, not how it does with clients. */
  measure(latencyMs: number): void {
    this.#latenciesMs[this.#answered % LATENCIES] = latencyMs;
    this.#answered += 1;
  }

  /** No answer came in time, or none that can be used. */
  failed(): void {
    this.#note(1);
  }

  /** Begins the window of outcomes anew: what was before is of no weight. */
  forgive(): void {
    this.#looked = 0;
    this.#failedCount = 0;
  }

  /** The latency that a share (0 … 1) of the last answers kept; 0 when there is none. */
  quantileMs(share: number): number {
    const { measured } = this;
    if (measured === 0) return 0;
    const sorted = this.#latenciesMs.slice(0, measured).sort();
    return sorted[Math.min(measured - 1, Math.floor(measured * share))]!;
  }

  #note(failed: 0 | 1): void {
    const at = this.#looked % OUTCOMES;
    if (this.#looked >= OUTCOMES) this.#failedCount -= this.#failed[at]!;
    this.#failed[at] = failed;
    this.#failedCount += failed;
    this.#looked += 1;
  }
}
