/**
 * sets — where an entry is, and how it becomes the only one of its key
 *
 * Shards look entries up, make them and evict them at the same time, without a lock: a thread that dies in the
 * middle must not stop the others. The word `claim` of an entry carries a state, the kind of the key, who wrote it
 * and a version that changes with it.
 *
 * A reader takes a key for true if the claim word is the same before and after it has compared it.
 *
 * To make an entry a shard (1) takes a free or evicted way: state Writing, by compareExchange (ways); (2) writes the
 * key: state Intent; (3) looks at the seven other ways. Whoever finds its key Stable elsewhere gives up and
 * uses that one. Of two that are in Intent for one key, the higher way gives up at once and the lower way waits
 * to see what became of the higher, which may have looked before the lower one was there. (4) Stable.
 * Since each shows its intent before it looks, two can never both get through.
 *
 * To keep an entry while it is used a writer pins it: it writes its own pin (opens), then makes sure that the
 * claim word has not changed. An evictor does the opposite: it changes the claim word, then makes sure that
 * nobody has it open, else puts the old claim word back. One of the two sees the other.
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
import { ALL_HELD, LOST, Ways } from './ways.ts';

const ATTEMPTS_MAX = 64;

export class Sets {
  private readonly words: Int32Array;
  private readonly opens: Opens;
  private readonly ways: Ways;
  private readonly setCount: number;
  private readonly writer: number;
  private readonly seed: number;
  /** The key that is looked for. */
  private first = 0;
  private second = 0;
  private kind = 0;
  /** The way at which it is looked for first. */
  private home = 0;
  /** The claim word of the entry that was found last. */
  private foundClaim = 0;
  /** The entry that this writer has pinned, -1 if none. */
  private pinnedIndex = -1;
  /** True when the last claim made its entry. */
  wasNew = false;

  /** `setsAt`: the word at which the sets begin, each of `setWords`. */
  constructor(
    words: Int32Array,
    opens: Opens,
    entries: number,
    setsAt: number,
    setWords: number,
    writer: number,
  ) {
    this.words = words;
    this.opens = opens;
    this.setCount = entries / WAYS;
    this.ways = new Ways(words, opens, setsAt, setWords, writer);
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
    this.wasNew = false;
    const first = this.seek(kind, key);
    this.opens.fetch(first + this.home);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const known = this.findFrom(first);
      if (known >= 0) {
        if (this.pin(known, this.foundClaim)) return known;
        continue;
      }
      // Not before: a pin is let go by the next one.
      this.unpin();
      const index = this.ways.take(first, this.home, this.kind, nowSec);
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
    return this.ways.wordOf(index);
  }

  private after(claim: number, state: number): number {
    return claimAfter(claim, state, this.kind, this.writer);
  }

  /** Remembers a key and returns the first entry of its set. */
  private seek(kind: number, key: Key): number {
    this.ways.hopeAgain();
    this.kind = kind;
    this.first = key[0]!;
    this.second = key[1]!;
    let hash = Math.imul(this.seed ^ kind, 0x9e3779b1) ^ this.first;
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) ^ this.second;
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash = Math.imul(hash ^ (hash >>> 16), 0x9e3779b1);
    hash ^= hash >>> 15;
    this.home = (hash >>> 11) & (WAYS - 1);
    return ((hash >>> 0) % this.setCount) * WAYS;
  }

  private findFrom(first: number): number {
    const { words, second, home } = this;
    for (let way = 0; way < WAYS; way += 1) {
      const index = first + ((home + way) & (WAYS - 1));
      // Most ways go by this word, in which two IPv4 hosts differ. One that is just being made is found by isOnlyOne.
      if (words[this.wordOf(index) + EntryWord.key + 1] !== second) continue;
      let claim = this.probe(index);
      while (claimStateOf(claim) === ClaimState.Intent) {
        this.ways.outlast(index, claim);
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
      if (state === ClaimState.Free || this.ways.isGivenUp(index, claim)) return 0;
      if (state === ClaimState.Writing) {
        this.ways.outlast(index, claim);
        continue;
      }
      const isSame = claimKindOf(claim) === this.kind && this.hasKey(at + EntryWord.key);
      if (Atomics.load(this.words, at) === claim) return isSame ? claim : 0;
    }
  }

  private hasKey(at: number): boolean {
    return Atomics.load(this.words, at + 1) === this.second && Atomics.load(this.words, at) === this.first;
  }

  /** Pins an entry, and proves that it was not evicted meanwhile; false if it was. */
  private pin(index: number, claim: number): boolean {
    this.opens.pin(index);
    this.pinnedIndex = index;
    if (Atomics.load(this.words, this.wordOf(index)) === claim) return true;
    this.unpin();
    return false;
  }

  /** Fills an entry that is in Writing and shows the intent. Returns the claim word. */
  private writeEntry(index: number, madeSec: number): number {
    const at = this.wordOf(index);
    const writing = Atomics.load(this.words, at);
    assert(claimStateOf(writing) === ClaimState.Writing, 'an entry is filled by the writer that took it');
    const { words } = this;
    // Bare writes: the claim word behind them publishes all of them.
    for (let word = at + 1; word < at + EntryWord.COUNT; word += 1) words[word] = 0;
    words[at + EntryWord.key] = this.first;
    words[at + EntryWord.key + 1] = this.second;
    words[at + EntryWord.seenSec] = madeSec;
    // Behind `seenSec` a meter has rates, which begin at nothing.
    if (!isMeter(this.kind)) words[at + EntryWord.firstSec] = madeSec;
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
        this.ways.outlast(other, claim);
        claim = this.probe(other);
      }
      if (claim !== 0) return false;
    }
    return true;
  }
}
