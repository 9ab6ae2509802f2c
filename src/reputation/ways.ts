/**
 * ways — the places of one set: which one a newcomer takes, and how long one waits for another writer
 *
 * A free way is taken first, beginning with the home of the key, so that a table with room finds most keys at the first
 * look. Then goes the entry that is missed least (worth) of those that nobody holds.
 *
 * Waiting is bounded (half a second, in which a preempted thread gets its turn on a machine that is busy ten times over). A
 * way whose owner died in Writing or Intent (sets) is passed over after that, and freed when the death is noticed. In that time only, a client can get a
 * second entry; the one nearer to its home is used from then on, the other ages out.
 */
import { claimAfter, claimKindOf, ClaimState, claimStateOf, EntryWord, WAYS } from './layout.ts';
import type { Opens } from './opens.ts';
import { worthOf } from './worth.ts';

const SPINS_MAX = 256;
const WAITS_MAX = 500;
const WAIT_MS = 1;

/** In place of a way: every one is held by open sessions or must stay for ever. */
export const ALL_HELD = -1;
/** In place of a way: another shard was quicker; look again. */
export const LOST = -2;

export class Ways {
  private readonly words: Int32Array;
  private readonly opens: Opens;
  private readonly setsAt: number;
  private readonly setWords: number;
  private readonly writer: number;
  /** Per way of the set: the claim word of an owner that was waited for in vain. */
  private readonly givenUp = new Int32Array(WAYS);
  private hasGivenUp = false;

  /** `setsAt`: the word at which the sets begin, each of `setWords`. */
  constructor(words: Int32Array, opens: Opens, setsAt: number, setWords: number, writer: number) {
    this.words = words;
    this.opens = opens;
    this.setsAt = setsAt;
    this.setWords = setWords;
    this.writer = writer;
  }

  /** The first word of an entry, which is its claim word. */
  wordOf(index: number): number {
    return this.setsAt + (index >>> 3) * this.setWords + (index & (WAYS - 1)) * EntryWord.COUNT;
  }

  /** Begins with another set: nothing of it has been given up. */
  hopeAgain(): void {
    if (this.hasGivenUp) this.givenUp.fill(0);
    this.hasGivenUp = false;
  }

  /** Whether an entry with this claim word was waited for in vain. */
  isGivenUp(index: number, claim: number): boolean {
    return this.hasGivenUp && claim === this.givenUp[index & (WAYS - 1)];
  }

  /** Returns when the claim word of an entry is no longer `claim`, or gives the way up for this set. */
  outlast(index: number, claim: number): void {
    const at = this.wordOf(index);
    for (let spins = 0; spins < SPINS_MAX; spins += 1) {
      if (Atomics.load(this.words, at) !== claim) return;
    }
    // Nobody notifies: the owner is preempted or dead, and sleeping lets it run if it can.
    for (let waits = 0; waits < WAITS_MAX; waits += 1) {
      if (Atomics.wait(this.words, at, claim, WAIT_MS) === 'not-equal') return;
    }
    this.givenUp[index & (WAYS - 1)] = claim;
    this.hasGivenUp = true;
  }

  /**
   * Takes a way of the set that begins at entry `first` for writing: a free one, from `home` on, or the least valuable
   * one that nobody holds. ALL_HELD or LOST when there is none.
   */
  take(first: number, home: number, kind: number, nowSec: number): number {
    for (let way = 0; way < WAYS; way += 1) {
      const index = first + ((home + way) & (WAYS - 1));
      const claim = Atomics.load(this.words, this.wordOf(index));
      // A free way can be held when its former owner's eviction was cut short by the death of the evictor.
      if (claimStateOf(claim) !== ClaimState.Free || this.opens.isHeld(index)) continue;
      return this.toWriting(index, claim, kind) ? index : LOST;
    }
    return this.evict(first, kind, nowSec);
  }

  private evict(first: number, kind: number, nowSec: number): number {
    let victim = ALL_HELD;
    let victimClaim = 0;
    let victimWorth = Infinity;
    for (let index = first; index < first + WAYS; index += 1) {
      const claim = Atomics.load(this.words, this.wordOf(index));
      if (this.opens.isHeld(index)) continue;
      const state = claimStateOf(claim);
      if (state !== ClaimState.Stable) {
        if (this.isGivenUp(index, claim)) continue;
        if (state !== ClaimState.Free) this.outlast(index, claim);
        if (victim === ALL_HELD) victim = LOST;
        continue;
      }
      const worth = this.worthOf(index, claim, nowSec);
      if (worth >= victimWorth) continue;
      victim = index;
      victimClaim = claim;
      victimWorth = worth;
    }
    if (victim < 0) return victim;
    if (!this.toWriting(victim, victimClaim, kind)) return LOST;
    // Who put a word on it for ever had it pinned meanwhile: if the pin is gone again, the word is there.
    if (!this.opens.isHeld(victim) && this.worthOf(victim, victimClaim, nowSec) < Infinity) return victim;
    Atomics.store(this.words, this.wordOf(victim), victimClaim);
    return LOST;
  }

  private worthOf(index: number, claim: number, nowSec: number): number {
    return worthOf(this.words, this.wordOf(index), claimKindOf(claim), nowSec);
  }

  private toWriting(index: number, claim: number, kind: number): boolean {
    const writing = claimAfter(claim, ClaimState.Writing, kind, this.writer);
    return Atomics.compareExchange(this.words, this.wordOf(index), claim, writing) === claim;
  }
}
