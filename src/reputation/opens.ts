/**
 * opens — which shard has how many sessions open for a client
 *
 * One word per entry and shard, the words of an entry side by side: a count, and the mark `PINNED` by which
 * a shard keeps the entry that it has just claimed. An entry with any word that is not 0 is held and cannot be
 * evicted. Each word is written by its own shard only, so plain stores are enough, and a shard that died
 * leaves nothing that its successor cannot wipe.
 */
import { assert } from '../base/assert.ts';
import { OPEN_COUNT_MASK, PINNED } from './layout.ts';

export class Opens {
  private readonly words: Int32Array;
  private readonly shards: number;
  private readonly shard: number;

  /** The column of shard number `shard`, and a view of the others. */
  constructor(words: Int32Array, shards: number, shard: number) {
    this.words = words;
    this.shards = shards;
    this.shard = shard;
  }

  /** Counts a session in. */
  add(index: number): void {
    const at = this.wordOf(index);
    const before = Atomics.load(this.words, at);
    assert((before & OPEN_COUNT_MASK) < OPEN_COUNT_MASK, 'open sessions fit a word');
    Atomics.store(this.words, at, before + 1);
  }

  /** Counts a session out. More out than in is a ShardBug. */
  remove(index: number): void {
    const at = this.wordOf(index);
    const before = Atomics.load(this.words, at);
    assert((before & OPEN_COUNT_MASK) > 0, 'a session was closed that was not opened');
    Atomics.store(this.words, at, before - 1);
  }

  /** Marks an entry as held by this shard, sessions or not. */
  pin(index: number): void {
    const at = this.wordOf(index);
    Atomics.store(this.words, at, Atomics.load(this.words, at) | PINNED);
  }

  /** Takes the mark away; open sessions go on to hold the entry. */
  unpin(index: number): void {
    const at = this.wordOf(index);
    Atomics.store(this.words, at, Atomics.load(this.words, at) & OPEN_COUNT_MASK);
  }

  /** Forgets this shard's sessions and its mark. */
  forget(index: number): void {
    const at = this.wordOf(index);
    // Looked at first: writing zeros would make the system commit every page of the column.
    if (Atomics.load(this.words, at) !== 0) Atomics.store(this.words, at, 0);
  }

  /** Open sessions over all shards. */
  count(index: number): number {
    let count = 0;
    for (let shard = 0; shard < this.shards; shard += 1) {
      count += Atomics.load(this.words, index * this.shards + shard) & OPEN_COUNT_MASK;
    }
    return count;
  }

  /** Whether any shard has sessions open or has pinned the entry. */
  isHeld(index: number): boolean {
    for (let shard = 0; shard < this.shards; shard += 1) {
      if (Atomics.load(this.words, index * this.shards + shard) !== 0) return true;
    }
    return false;
  }

  private wordOf(index: number): number {
    const at = index * this.shards + this.shard;
    assert(at >= 0 && at < this.words.length, 'no such entry');
    return at;
  }
}
