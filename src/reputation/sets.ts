/**
 * sets — where an entry is, and how it becomes the only one of its key
 *
 * Shards look entries up, make them and evict them at the same time, without a lock: a thread that dies in the
 * middle must not stop the others. The word `claim` of an entry carries a state, the kind of the key, who wrote it
 * and a version that changes with it.
 *
 * A reader takes a key for true if the claim word is the same before and after it has compared it.
 *
 * To make an entry a shard (1) takes a free or evicted way: state Writing, by compareExchange; (2) writes the
 * key: state Intent; (3) looks at the seven other ways. Whoever finds its key Stable elsewhere gives up and
 * uses that one. Of two that are in Intent for one key, the higher way gives up at once and the lower way waits
 * to see what became of the higher, which may have looked before the lower one was there. (4) Stable.
 * Since each shows its intent before it looks, two can never both get through.
 *
 * To keep an entry while it is used a writer pins it: it writes its own pin (opens), then makes sure that the
 * claim word has not changed. An evictor does the opposite: it changes the claim word, then makes sure that
 * nobody has it open, else puts the old claim word back. One of the two sees the other.
 *
 * Waiting is bounded (some 16 ms, in which a preempted thread gets its turn). A way whose owner died in Writing or Intent
 * is passed over after that, and freed when its shard is started again (`release`). In that time only, a client can
 * get a second entry; the lowest way is used from then on, the other ages out.
 */
import { assert } from '../base/assert.ts';
import { isMeter } from './keys.ts';
import type { Key } from './keys.ts';
import {
  claimAfter,
  claimKindOf,
  ClaimState,
  claimStateOf,
  claimWriterOf,
  EntryWord,
  HeaderWord,
  WAYS,
} from './layout.ts';
import type { Opens } from './opens.ts';
import { worthOf } from './worth.ts';

const SPINS_MAX = 256;
const WAITS_MAX = 16;
const ATTEMPTS_MAX = 64;
const WAIT_MS = 1;

/** In place of a way: every one is held by open sessions or must stay for ever. */
const ALL_HELD = -1;
/** In place of a way: another shard was quicker; look again. */
const LOST = -2;

export class Sets {
  private readonly words: Int32Array;
  private readonly opens: Opens;
  private readonly setCount: number;
  private readonly entriesAt: number;
  private readonly writer: number;
  private readonly seed: number;
  /** The key that is looked for. */
  private first = 0;
  private second = 0;
  private kind = 0;
  /** Per way of its set: the claim word of an owner that was waited for in vain. */
  private readonly givenUp = new Int32Array(WAYS);
  /** The claim word of the entry that was found last. */
  private foundClaim = 0;
  /** The entry that this writer has pinned, -1 if none. */
  private pinnedIndex = -1;
  /** True when the last claim made its entry. */
  wasNew = false;

  /** `entriesAt`: the word at which the entries begin. */
  constructor(words: Int32Array, opens: Opens, entries: number, entriesAt: number, writer: number) {
    this.words = words;
    this.opens = opens;
    this.setCount = entries / WAYS;
    this.entriesAt = entriesAt;
    this.writer = writer;
    this.seed = Atomics.load(words, HeaderWord.seed);
  }

  /** The index of the entry of a key; -1 if it has none. */
  find(kind: number, key: Key): number {
    return this.findFrom(this.seek(kind, key));
  }

  /**
   * The index of the entry of a key, made if there was none and then dated `madeSec`, pinned until `unpin` or the next
   * claim. -1 when no way of its set can be given up.
   */
  claim(kind: number, key: Key, nowSec: number, madeSec = nowSec): number {
    this.unpin();
    this.wasNew = false;
    const first = this.seek(kind, key);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const known = this.findFrom(first);
      if (known >= 0) {
        if (this.pin(known, this.foundClaim)) return known;
        continue;
      }
      const index = this.takeWay(first, nowSec);
      if (index === ALL_HELD) return -1;
      if (index === LOST) continue;
      const intent = this.writeEntry(index, madeSec);
      if (!this.isOnlyOne(first, index)) {
        Atomics.store(this.words, this.wordOf(index), this.after(intent, ClaimState.Free));
        continue;
      }
      const stable = this.after(intent, ClaimState.Stable);
      Atomics.store(this.words, this.wordOf(index), stable);
      if (!this.pin(index, stable)) continue;
      this.wasNew = true;
      return index;
    }
    return -1;
  }

  /** Gives an entry up that nobody holds; false when somebody does, or it changed meanwhile. */
  free(index: number): boolean {
    const at = this.wordOf(index);
    const claim = Atomics.load(this.words, at);
    if (claimStateOf(claim) !== ClaimState.Stable) return false;
    if (index === this.pinnedIndex) this.unpin();
    if (this.opens.isHeld(index)) return false;
    const writing = claimAfter(claim, ClaimState.Writing, claimKindOf(claim), this.writer);
    if (Atomics.compareExchange(this.words, at, claim, writing) !== claim) return false;
    const isHeld = this.opens.isHeld(index);
    Atomics.store(this.words, at, isHeld ? claim : claimAfter(writing, ClaimState.Free, 0, this.writer));
    return !isHeld;
  }

  /** Lets go of what the last claim pinned; open sessions go on to hold it. */
  unpin(): void {
    if (this.pinnedIndex < 0) return;
    this.opens.unpin();
    this.pinnedIndex = -1;
  }

  /** Frees what a writer that is gone left half made, and forgets its pin and its open sessions. */
  release(writer: number, hasColumn: boolean): void {
    this.opens.forgetPin(writer);
    for (let index = 0; index < this.setCount * WAYS; index += 1) {
      if (hasColumn) this.opens.forget(index, writer);
      const at = this.wordOf(index);
      const claim = Atomics.load(this.words, at);
      const state = claimStateOf(claim);
      if (state !== ClaimState.Writing && state !== ClaimState.Intent) continue;
      if (claimWriterOf(claim) !== writer) continue;
      Atomics.store(this.words, at, claimAfter(claim, ClaimState.Free, 0, this.writer));
    }
  }

  /** The first word of an entry, which is its claim word. */
  wordOf(index: number): number {
    return this.entriesAt + index * EntryWord.COUNT;
  }

  private after(claim: number, state: number): number {
    return claimAfter(claim, state, this.kind, this.writer);
  }

  /** Remembers a key and returns the first entry of its set. */
  private seek(kind: number, key: Key): number {
    this.givenUp.fill(0);
    this.kind = kind;
    this.first = key[0]!;
    this.second = key[1]!;
    let hash = Math.imul(this.seed ^ kind, 0x9e3779b1) ^ this.first;
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) ^ this.second;
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash = Math.imul(hash ^ (hash >>> 16), 0x9e3779b1);
    hash ^= hash >>> 15;
    return ((hash >>> 0) % this.setCount) * WAYS;
  }

  private findFrom(first: number): number {
    for (let index = first; index < first + WAYS; index += 1) {
      let claim = this.probe(index);
      while (claimStateOf(claim) === ClaimState.Intent) {
        this.outlast(index, claim);
        claim = this.probe(index);
      }
      if (claim === 0) continue;
      this.foundClaim = claim;
      return index;
    }
    return -1;
  }

  /** The claim word of an entry that has the key, in state Stable or Intent; 0 if it has another or none. */
  private probe(index: number): number {
    const at = this.wordOf(index);
    for (;;) {
      const claim = Atomics.load(this.words, at);
      const state = claimStateOf(claim);
      if (state === ClaimState.Free || claim === this.givenUp[index % WAYS]) return 0;
      if (state === ClaimState.Writing) {
        this.outlast(index, claim);
        continue;
      }
      const isSame = claimKindOf(claim) === this.kind && this.hasKey(at + EntryWord.key);
      if (Atomics.load(this.words, at) === claim) return isSame ? claim : 0;
    }
  }

  private hasKey(at: number): boolean {
    // The last word first: it is the one in which two IPv4 clients differ.
    return Atomics.load(this.words, at + 1) === this.second && Atomics.load(this.words, at) === this.first;
  }

  /** Returns when the claim word is no longer `claim`, or gives the way up for this call. */
  private outlast(index: number, claim: number): void {
    const at = this.wordOf(index);
    for (let spins = 0; spins < SPINS_MAX; spins += 1) {
      if (Atomics.load(this.words, at) !== claim) return;
    }
    // Nobody notifies: the owner is preempted or dead, and sleeping lets it run if it can.
    for (let waits = 0; waits < WAITS_MAX; waits += 1) {
      if (Atomics.wait(this.words, at, claim, WAIT_MS) === 'not-equal') return;
    }
    this.givenUp[index % WAYS] = claim;
  }

  /** Pins an entry, and proves that it was not evicted meanwhile; false if it was. */
  private pin(index: number, claim: number): boolean {
    this.opens.pin(index);
    this.pinnedIndex = index;
    if (Atomics.load(this.words, this.wordOf(index)) === claim) return true;
    this.unpin();
    return false;
  }

  /** Takes a free way of a set for writing, or the least valuable one that nobody holds. ALL_HELD, LOST. */
  private takeWay(first: number, nowSec: number): number {
    let victim = ALL_HELD;
    let victimClaim = 0;
    let victimWorth = Infinity;
    for (let index = first; index < first + WAYS; index += 1) {
      const claim = Atomics.load(this.words, this.wordOf(index));
      // A free way can be held when its former owner's eviction was cut short by the death of the evictor.
      if (this.opens.isHeld(index)) continue;
      const state = claimStateOf(claim);
      if (state === ClaimState.Free) return this.toWriting(index, claim) ? index : LOST;
      if (state !== ClaimState.Stable) {
        if (claim === this.givenUp[index % WAYS]) continue;
        this.outlast(index, claim);
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
    if (!this.toWriting(victim, victimClaim)) return LOST;
    // Who put a word on it for ever had it pinned meanwhile: if the pin is gone again, the word is there.
    if (!this.opens.isHeld(victim) && this.worthOf(victim, victimClaim, nowSec) < Infinity) return victim;
    Atomics.store(this.words, this.wordOf(victim), victimClaim);
    return LOST;
  }

  private worthOf(index: number, claim: number, nowSec: number): number {
    return worthOf(this.words, this.wordOf(index), claimKindOf(claim), nowSec);
  }

  private toWriting(index: number, claim: number): boolean {
    const writing = this.after(claim, ClaimState.Writing);
    return Atomics.compareExchange(this.words, this.wordOf(index), claim, writing) === claim;
  }

  /** Fills an entry that is in Writing and shows the intent. Returns the claim word. */
  private writeEntry(index: number, madeSec: number): number {
    const at = this.wordOf(index);
    const writing = Atomics.load(this.words, at);
    assert(claimStateOf(writing) === ClaimState.Writing, 'an entry is filled by the writer that took it');
    for (let i = 1; i < EntryWord.COUNT; i += 1) Atomics.store(this.words, at + i, 0);
    Atomics.store(this.words, at + EntryWord.key, this.first);
    Atomics.store(this.words, at + EntryWord.key + 1, this.second);
    Atomics.store(this.words, at + EntryWord.seenSec, madeSec);
    // Behind `seenSec` a meter has rates, which begin at nothing.
    if (!isMeter(this.kind)) Atomics.store(this.words, at + EntryWord.firstSec, madeSec);
    const intent = this.after(writing, ClaimState.Intent);
    Atomics.store(this.words, at, intent);
    return intent;
  }

  /** Whether no other way of the set has the key or gets it; see step 3 above. */
  private isOnlyOne(first: number, index: number): boolean {
    for (let other = first; other < first + WAYS; other += 1) {
      if (other === index) continue;
      let claim = this.probe(other);
      while (claimStateOf(claim) === ClaimState.Intent) {
        if (other < index) return false;
        this.outlast(other, claim);
        claim = this.probe(other);
      }
      if (claim !== 0) return false;
    }
    return true;
  }
}
