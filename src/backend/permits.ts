/**
 * permits — which shard may have how many of the connections to the backend
 *
 * All shards of a process share `backend.max_connections`. A shard takes a permit before it opens a connection and gives it
 * back when the stream is closed on both sides, so the backend never has more connections than there are permits. A shard that
 * is alone in its needs may have them all.
 *
 * The fair share of a shard is its part of all, and may be a fraction. A shard below it that finds no permit says how many it
 * wants; those take their turns by tickets, the longest waiting first, and nobody else takes what is free for them. A shard
 * above its share ends the next connection that becomes free, as many as are wanted. Where the shares are fractions (one
 * connection for two shards) whoever has the odd permit keeps it for `TURN_MS` before it passes it on: otherwise every
 * message would cost a connection.
 *
 * Nobody is woken up: a shard that wants one, and one above its share with a connection at rest, look every `LOOK_MS`. So
 * whoever is below its whole share waits for two looks, the end of one command or message of a shard above its share, and its goodbye
 * (five seconds at most, from a backend that hangs); for the odd one, that and `TURN_MS` for each shard in front of it.
 *
 * Not taken: a wake-up by message through the main thread, which would put a third party between two shards, and a
 * central desk that gives permits out, on which every connection would wait.
 */
import { assert } from '../base/assert.ts';
import { Budget } from '../base/budget.ts';

/** So often a shard looks whether a permit has become free for it, or is wanted from it. */
export const LOOK_MS = 50;
/** The odd permit of a fraction stays with a shard this long at least. */
export const TURN_MS = 100;

const Word = { wanted: 0, ticket: 1, COUNT: 16 } as const;

export class Permits {
  /** Words of shared memory for so many shards. */
  static wordsFor(shards: number): number {
    return Budget.wordsFor(shards) + (1 + shards) * Word.COUNT;
  }

  /** The permits of a shard that shares them with nobody. */
  static alone(max: number): Permits {
    return new Permits(new Int32Array(Permits.wordsFor(1)), max, 1, 0);
  }

  readonly #budget: Budget;
  /** Behind a word with the last ticket, a row for each shard. */
  readonly #rows: Int32Array;
  readonly #max: number;
  readonly #shards: number;
  readonly #shard: number;
  #wanted = 0;
  #tookMs = 0;

  /** `shard`: whose view it is. It holds nothing as yet. */
  constructor(words: Int32Array, max: number, shards: number, shard: number) {
    const budgetWords = Budget.wordsFor(shards);
    assert(words.length === Permits.wordsFor(shards), 'a row for each shard');
    this.#budget = new Budget(words.subarray(0, budgetWords), max, shards, shard);
    this.#rows = words.subarray(budgetWords);
    this.#max = max;
    this.#shards = shards;
    this.#shard = shard;
  }

  /** Permits that this shard has. */
  get held(): number {
    return this.#budget.held;
  }

  /** Permits that this shard can have now: those it has and those that nobody has, and its share at least. */
  get withinReach(): number {
    return Math.max(this.#budget.held + this.#free(), Math.ceil(this.#max / this.#shards));
  }

  /** True when another shard may have a claim to some of what this shard has. */
  get isAboveShare(): boolean {
    return this.#isAbove(this.#budget.held);
  }

  /** Takes a permit; false when there is none, or what is free is for shards whose turn comes before. */
  take(nowMs: number): boolean {
    if (this.#free() <= this.#wantedBefore() || !this.#budget.take(1)) return false;
    this.#tookMs = nowMs;
    // Whoever wants more takes its turn again.
    if (this.#wanted > 0) this.#say(this.#claim(this.#wanted - 1), true);
    return true;
  }

  /** The connection of a permit is closed. */
  giveBack(): void {
    this.#budget.giveBack(1);
  }

  /** Says how many permits this shard could use beyond those it has; only what is within its share counts. */
  want(count: number): void {
    const claim = this.#claim(count);
    if (claim !== this.#wanted) this.#say(claim, this.#wanted === 0);
  }

  /**
   * True when a connection that has become free is to be ended: another shard wants the permit. `leaving`: connections of this
   * shard that are being closed, whose permits come back by themselves.
   */
  isAskedBack(leaving: number, nowMs: number): boolean {
    const staying = this.#budget.held - leaving;
    if (!this.#isAbove(staying)) return false;
    const isOdd = (staying - 1) * this.#shards < this.#max;
    if (isOdd && nowMs - this.#tookMs < TURN_MS) return false;
    return this.#wantedByOthers() > this.#free() + leaving;
  }

  /** A shard is gone, and its connections with it: what it held or wanted is nobody's. */
  forget(shard: number): void {
    this.#budget.forget(shard);
    Atomics.store(this.#rows, this.#rowOf(shard) + Word.wanted, 0);
  }

  #isAbove(count: number): boolean {
    return count * this.#shards > this.#max;
  }

  /** How many of `count` are within the share. */
  #claim(count: number): number {
    const within = Math.ceil(this.#max / this.#shards) - this.#budget.held;
    return Math.max(0, Math.min(count, within));
  }

  #free(): number {
    return Math.max(0, this.#max - this.#budget.heldByAll);
  }

  #say(claim: number, needsTicket: boolean): void {
    const row = this.#rowOf(this.#shard);
    if (needsTicket) Atomics.store(this.#rows, row + Word.ticket, Atomics.add(this.#rows, 0, 1));
    Atomics.store(this.#rows, row + Word.wanted, claim);
    this.#wanted = claim;
  }

  #wantedByOthers(): number {
    let sum = 0;
    for (let shard = 0; shard < this.#shards; shard++)
      if (shard !== this.#shard) sum += this.#wantedBy(shard);
    return sum;
  }

  /** What is wanted by shards whose turn comes before that of this one. */
  #wantedBefore(): number {
    let sum = 0;
    for (let shard = 0; shard < this.#shards; shard++)
      if (shard !== this.#shard && this.#isBefore(shard)) sum += this.#wantedBy(shard);
    return sum;
  }

  #isBefore(shard: number): boolean {
    if (this.#wanted === 0) return true;
    // Tickets go round after 2^32.
    return ((this.#ticketOf(shard) - this.#ticketOf(this.#shard)) | 0) < 0;
  }

  #wantedBy(shard: number): number {
    return Atomics.load(this.#rows, this.#rowOf(shard) + Word.wanted);
  }

  #ticketOf(shard: number): number {
    return Atomics.load(this.#rows, this.#rowOf(shard) + Word.ticket);
  }

  #rowOf(shard: number): number {
    return (1 + shard) * Word.COUNT;
  }
}
