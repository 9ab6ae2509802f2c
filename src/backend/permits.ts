/**
 * permits — which shard may have how many of the connections to the backend
 *
 * All shards of a process share its part of `backend.max_connections`. A shard takes a permit before it opens a connection and
 * gives it back when the stream is closed on both sides, so the backend never has more connections than there are permits. A
 * shard that is alone in its needs may have them all.
 *
 * How many there are is a word of the shared memory, the limit: where several processes lend each other parts
 * (primary/connection-desk) the main thread changes it while shards take. A shard adds to its own column, reads the limit, then adds up
 * all columns; whoever lowers the limit writes it first and adds up then. Of the two, one sees the other: what the
 * sum was after the limit was written, or the limit where that is more, is never exceeded any more. What shards have beyond a
 * lowered limit counts as wanted: they end connections as these become free.
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

/** Of a shard: what it wants within its share, its ticket, and all it wants. */
const Word = { wanted: 0, ticket: 1, lacking: 2, COUNT: 16 } as const;
/**
 * Of all shards. Memory that nobody has written says that all permits are there and stay: `withheld` of them are elsewhere now,
 * `lendable` may be at some time.
 */
const Head = { ticket: 0, withheld: 1, lendable: 2, elsewhere: 3 } as const;

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
  /** Behind a head, a row for each shard. */
  readonly #rows: Int32Array;
  readonly #max: number;
  readonly #shards: number;
  readonly #shard: number;
  #wanted = 0;
  #lacking = 0;
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
    return Math.max(this.#budget.held + this.#free(), Math.ceil(this.limit / this.#shards));
  }

  /** Permits that all shards have; for a moment more while somebody asks for one that is not there. */
  get heldByAll(): number {
    return this.#budget.heldByAll;
  }

  /** What all shards could use beyond what they have, within their shares or not. */
  get lackingByAll(): number {
    let sum = 0;
    for (let shard = 0; shard < this.#shards; shard++)
      sum += Atomics.load(this.#rows, this.#rowOf(shard) + Word.lacking);
    return sum;
  }

  /** How many permits there are now. */
  get limit(): number {
    return this.#max - Atomics.load(this.#rows, Head.withheld);
  }

  /** True when others may have a claim to some of what this shard has, now or when the limit is as low as it may be. */
  get isAboveShare(): boolean {
    return this.#budget.held * this.#shards > this.#least;
  }

  /** Says that there are `limit` permits from now on, and never fewer than `least`. Shards may have more for a while. */
  setLimit(limit: number, least: number): void {
    assert(least <= limit && limit <= this.#max, 'a limit of which there is memory');
    Atomics.store(this.#rows, Head.lendable, this.#max - least);
    Atomics.store(this.#rows, Head.withheld, this.#max - limit);
  }

  /** Says how many permits could be used by other processes: connections at rest are ended for them. */
  setElsewhere(count: number): void {
    Atomics.store(this.#rows, Head.elsewhere, count);
  }

  /** Takes a permit; false when there is none, or what is free is for shards whose turn comes before. */
  take(nowMs: number): boolean {
    if (this.#free() <= this.#wantedBefore() || !this.#budget.take(1)) return false;
    // The limit is read behind our own column, and the columns behind the limit.
    const limit = this.limit;
    if (this.#budget.heldByAll > limit) {
      this.#budget.giveBack(1);
      return false;
    }
    this.#tookMs = nowMs;
    // Whoever wants more takes its turn again.
    if (this.#wanted > 0) this.#say(this.#claim(this.#wanted - 1), true);
    return true;
  }

  /** The connection of a permit is closed. */
  giveBack(): void {
    this.#budget.giveBack(1);
  }

  /** Says how many permits this shard could use beyond those it has; among shards only what is within its share counts. */
  want(count: number): void {
    if (count !== this.#lacking) Atomics.store(this.#rows, this.#rowOf(this.#shard) + Word.lacking, count);
    this.#lacking = count;
    const claim = this.#claim(count);
    if (claim !== this.#wanted) this.#say(claim, this.#wanted === 0);
  }

  /**
   * True when a connection that has become free is to be ended: another shard wants the permit, or there are fewer than there
   * were; or, when nobody here uses it (`isIdle`), another process wants it. `leaving`: connections of this shard that are being
   * closed, whose permits come back by themselves.
   */
  isAskedBack(leaving: number, nowMs: number, isIdle = false): boolean {
    const staying = this.#budget.held - leaving;
    const limit = this.limit;
    if (isIdle && this.#isWantedElsewhere(leaving, limit)) return true;
    if (staying * this.#shards <= limit) return false;
    const isOdd = (staying - 1) * this.#shards < limit;
    if (isOdd && nowMs - this.#tookMs < TURN_MS) return false;
    return this.#wantedByOthers() > limit - this.#budget.heldByAll + leaving;
  }

  /** A shard is gone, and its connections with it: what it held or wanted is nobody's. */
  forget(shard: number): void {
    this.#budget.forget(shard);
    Atomics.store(this.#rows, this.#rowOf(shard) + Word.wanted, 0);
    Atomics.store(this.#rows, this.#rowOf(shard) + Word.lacking, 0);
  }

  /** What is free anyhow, or will be soon, is not enough for the other processes. */
  #isWantedElsewhere(leaving: number, limit: number): boolean {
    const wanted = Atomics.load(this.#rows, Head.elsewhere);
    if (wanted === 0) return false;
    const heldByAll = this.#budget.heldByAll;
    const isToSpare = heldByAll - leaving > this.#least;
    return isToSpare && wanted > Math.max(0, limit - heldByAll) + leaving;
  }

  /** The lowest that the limit may become. */
  get #least(): number {
    return this.#max - Atomics.load(this.#rows, Head.lendable);
  }

  /** How many of `count` are within the share. */
  #claim(count: number): number {
    const within = Math.ceil(this.limit / this.#shards) - this.#budget.held;
    return Math.max(0, Math.min(count, within));
  }

  #free(): number {
    return Math.max(0, this.limit - this.#budget.heldByAll);
  }

  #say(claim: number, needsTicket: boolean): void {
    const row = this.#rowOf(this.#shard);
    if (needsTicket) Atomics.store(this.#rows, row + Word.ticket, Atomics.add(this.#rows, Head.ticket, 1));
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
