/**
 * window — how many lanes a shard uses at once at one server: as many as it has hands for, and a few in reserve
 *
 * A server that is given more than it can work on lets it wait, first come, first served, and whoever is of good standing waits
 * behind the rest. What waits in Sluice's own line goes by standing instead. So there is a limit, between `LANES_MIN` and the
 * maximum of the configuration, which goes by what the server does:
 *
 * - A refusal (421, a greeting of 4xx, no connection, no answer in time) makes it fall at once, by `REFUSED_SHARE`, and not
 *   again within the time of a reply: what was under way then says the same thing over.
 * - A latency far above the lowest that was seen makes it fall gently. Of `n` lanes in use, `n · (1 - low / now)` wait in
 *   the server (as in TCP Vegas); up to the root of the limit may, so that no hand is ever idle. Recipients and messages
 *   are judged apart, since the answer to a message includes the checks of its content.
 * - Otherwise it grows, by a lane for each round of replies, while it is what clients wait for; at first, and when nothing
 *   has been in its way for a while, it doubles.
 *
 * Latencies are averaged as logarithms, so that one slow look-up among many replies is one among many, and a rise counts only
 * beyond what their own scatter explains. Less than `GRAIN_MS` is nobody's concern.
 *
 * A server that is silent, on the other hand, tells nothing of how many hands it has: a lane that has waited for very long
 * (`silentMs`) is not counted as in use, or a few of them, at the floor, would keep everybody waiting until their timers are up.
 *
 * The lowest latency can be out of date: a server may have become slower by itself. Two things find that out: a fall to half
 * that made nothing faster, and, when latency has kept the limit down for `DRAIN_ROUNDS` rounds, a short look at half
 * the limit. Not taken: a limit by throughput alone, which cannot tell few clients from a slow server.
 *
 * No clock of its own, and a few numbers for each server.
 */

/** What a reply was to. */
export const StepKind = { Recipient: 0, Message: 1 } as const;
export type StepKind = (typeof StepKind)[keyof typeof StepKind];

/** Two, so that one step that takes minutes does not stop the others. */
export const LANES_MIN = 2;
const LANES_FIRST = 8;
const GRAIN_MS = 10;
const REFUSED_SHARE = 0.7;
/** A latency may not make it fall below this share in one round of replies, and only this far on the way there. */
const SLOWED_SHARE = 0.5;
const GENTLENESS = 0.2;
const ROUND_MIN = 4;
const SAMPLES_MIN = 8;
/** Replies that an average is made of, at least. */
const AVERAGE_MIN = 16;
/** Standard errors of the average that a latency has to rise by before it counts. */
const ERRORS_MIN = 3.5;
/** … and by which it has to be below the lowest to be a new one. */
const LOW_ERRORS_MIN = 2;
const REPLY_MS_MIN = 100;
const CALM_MS = 30_000;
const DRAIN_ROUNDS = 80;
/** An answer that takes so long, and so many times as long as the average, will be no sign of work any more. */
const SILENT_MS_MIN = 5_000;
const SILENT_TIMES = 4;
/** The next look follows so soon when one has found a latency lower by this share. */
const DRAIN_ROUNDS_AGAIN = 6;
const LOWER_SHARE = 0.85;
/** A fall to half that leaves so much of the latency had nothing to do with it. */
const UNHELPED_SHARE = 0.8;

/** The latencies of one kind of step, as logarithms. */
class Latency {
  average = 0;
  low = Infinity;
  samples = 0;
  heardInRound = false;
  #scatter = 0;
  #weight = 1;
  /** What was heard at half the limit. */
  drainedSum = 0;
  drained = 0;

  hear(value: number, replies: number): void {
    this.samples++;
    this.heardInRound = true;
    this.#weight = Math.max(1 / this.samples, 2 / (Math.max(AVERAGE_MIN, 2 * replies) + 1));
    this.#scatter +=
      (Math.abs(value - this.average) - this.#scatter) * (this.samples === 1 ? 0 : this.#weight);
    this.average += (value - this.average) * this.#weight;
    if (this.samples >= SAMPLES_MIN)
      this.low = Math.min(this.low, this.average + LOW_ERRORS_MIN * this.#error);
  }

  /** How many times the lowest latency it is now, beyond what scatter explains; 1 when it is not. */
  get rise(): number {
    if (this.samples < SAMPLES_MIN) return 1;
    return Math.exp(Math.max(0, this.average - this.low - ERRORS_MIN * this.#error));
  }

  /** The standard error of the average. */
  get #error(): number {
    return 1.25 * this.#scatter * Math.sqrt(this.#weight / (2 - this.#weight));
  }
}

export class Window {
  readonly #max: number;
  readonly #min: number;
  readonly #kinds: readonly Latency[] = [new Latency(), new Latency()];
  readonly #isAdaptive: boolean;
  #limit: number;
  #doubles = true;
  #left = ROUND_MIN;
  #wasWanted = false;
  #inUseMost = 0;
  #fellMs = -Infinity;
  #quietUntilMs = -Infinity;
  /** Rounds in which latency kept the limit down; the first look comes soon, since what was lowest was heard in haste. */
  #roundsDown = DRAIN_ROUNDS - DRAIN_ROUNDS_AGAIN;
  /** The limit before the look at half of it; 0 when none is under way. */
  #drainFrom = 0;
  #isDrained = false;
  /** The limit at which the present fall began, and the latency then. */
  #fallFrom = 0;
  #fallAverage = 0;

  /** A window of at most `max` lanes; one that does not adapt stays there. */
  constructor(max: number, isAdaptive: boolean) {
    this.#max = max;
    this.#min = Math.min(LANES_MIN, max);
    this.#isAdaptive = isAdaptive;
    this.#limit = isAdaptive ? Math.min(LANES_FIRST, max) : max;
  }

  /** Lanes that may be used at once. */
  get lanes(): number {
    return Math.max(this.#min, Math.floor(this.#limit));
  }

  /** A lane that has waited for an answer for so long does not count as in use: the server has forgotten it, or hangs. */
  get silentMs(): number {
    if (!this.#isAdaptive) return Infinity;
    return Math.max(SILENT_MS_MIN, SILENT_TIMES * this.#replyMs);
  }

  /** A reply came, `latencyMs` after it was asked for, with `inUse` lanes in use; `isWanted` says that clients wait for lanes. */
  answered(kind: StepKind, latencyMs: number, inUse: number, isWanted: boolean, nowMs: number): void {
    if (!this.#isAdaptive) return;
    const latency = this.#kinds[kind]!;
    const value = Math.log(Math.max(0, latencyMs) + GRAIN_MS);
    if (this.#drainFrom > 0) {
      this.#hearDrained(latency, value, inUse);
      return;
    }
    latency.hear(value, this.lanes);
    if (isWanted && inUse >= this.lanes) this.#wasWanted = true;
    this.#inUseMost = Math.max(this.#inUseMost, inUse);
    this.#left -= 1;
    if (this.#left <= 0) this.#endRound(nowMs);
  }

  /** The server said or showed that it has too much to do. */
  refused(nowMs: number): void {
    if (!this.#isAdaptive || nowMs < this.#quietUntilMs) return;
    this.#quietUntilMs = nowMs + Math.max(REPLY_MS_MIN, this.#replyMs);
    this.#drainFrom = 0;
    this.#fall(this.#limit * REFUSED_SHARE, nowMs);
  }

  /** The server was away and is back: what was refused meanwhile says nothing of how much it can do. */
  returned(): void {
    if (!this.#isAdaptive) return;
    this.#limit = Math.max(this.#limit, Math.min(LANES_FIRST, this.#max));
    this.#doubles = true;
    this.#quietUntilMs = -Infinity;
  }

  /** How long the slower kind of step takes on average; 0 before the first. */
  get #replyMs(): number {
    let replyMs = 0;
    for (const { samples, average } of this.#kinds)
      if (samples > 0) replyMs = Math.max(replyMs, Math.exp(average));
    return replyMs;
  }

  #endRound(nowMs: number): void {
    let rise = 1;
    let slowest = this.#kinds[0]!;
    let isKnown = true;
    for (const kind of this.#kinds) {
      if (kind.heardInRound && kind.samples < SAMPLES_MIN) isKnown = false;
      if (kind.heardInRound && kind.rise > rise) {
        rise = kind.rise;
        slowest = kind;
      }
      kind.heardInRound = false;
    }
    const reserve = Math.sqrt(this.#limit);
    const queued = Math.min(this.#inUseMost, this.#limit) * (1 - 1 / rise);
    if (queued > reserve) this.#slow(rise, slowest, nowMs);
    else if (this.#wasWanted && isKnown) this.#grow(queued, reserve, nowMs);
    const isDown = this.#wasWanted && this.#limit < this.#max;
    this.#roundsDown = isDown ? this.#roundsDown + 1 : Math.max(0, this.#roundsDown - 1);
    if (this.#roundsDown >= DRAIN_ROUNDS) this.#drain(nowMs);
    this.#beginRound();
  }

  #beginRound(): void {
    this.#left = Math.max(ROUND_MIN, this.lanes);
    this.#wasWanted = false;
    this.#inUseMost = 0;
  }

  #slow(rise: number, kind: Latency, nowMs: number): void {
    if (this.#fallFrom === 0) {
      this.#fallFrom = this.#limit;
      this.#fallAverage = kind.average;
    }
    const aim = this.#limit * Math.max(SLOWED_SHARE, 1 / rise) + Math.sqrt(this.#limit);
    this.#fall(Math.min(this.#limit, this.#limit + (aim - this.#limit) * GENTLENESS), nowMs);
    if (this.#limit > this.#fallFrom / 2) return;
    if (Math.exp(kind.average - this.#fallAverage) > UNHELPED_SHARE) kind.low = kind.average;
    this.#fallFrom = 0;
  }

  #fall(limit: number, nowMs: number): void {
    this.#limit = Math.max(this.#min, limit);
    this.#fellMs = nowMs;
    this.#doubles = false;
  }

  #grow(queued: number, reserve: number, nowMs: number): void {
    if (nowMs - this.#fellMs > CALM_MS) this.#doubles = true;
    const isFree = this.#doubles && queued === 0;
    const step = isFree ? this.#limit : Math.min(1, reserve - queued);
    this.#limit = Math.min(this.#max, this.#limit + step);
    if (this.#limit > this.#fallFrom) this.#fallFrom = 0;
  }

  #drain(nowMs: number): void {
    this.#roundsDown = 0;
    this.#drainFrom = this.#limit;
    this.#isDrained = false;
    this.#limit = Math.max(this.#min, this.#limit / 2);
    for (const kind of this.#kinds) {
      kind.drained = 0;
      kind.drainedSum = 0;
    }
    this.#left = 2 * Math.ceil(this.#drainFrom);
    this.#fellMs = nowMs;
  }

  /**
   * Half the limit is in use, or soon will be. What was asked before is waited for: of what is asked from then on the
   * quick ones would be heard first, and pass for all.
   */
  #hearDrained(latency: Latency, value: number, inUse: number): void {
    this.#left -= 1;
    if (!this.#isDrained) {
      if (inUse > this.lanes && this.#left > 0) return;
      this.#isDrained = true;
      this.#left = 3 * Math.max(ROUND_MIN, this.lanes);
    }
    if (this.#left > 2 * Math.max(ROUND_MIN, this.lanes)) return;
    latency.drained++;
    latency.drainedSum += value;
    if (this.#left > 0) return;
    for (const kind of this.#kinds) {
      if (kind.drained < ROUND_MIN) continue;
      const low = kind.drainedSum / kind.drained;
      if (low < kind.low + Math.log(LOWER_SHARE)) this.#roundsDown = DRAIN_ROUNDS - DRAIN_ROUNDS_AGAIN;
      kind.low = low;
    }
    this.#limit = this.#drainFrom;
    this.#drainFrom = 0;
    this.#fallFrom = 0;
    this.#beginRound();
  }
}
