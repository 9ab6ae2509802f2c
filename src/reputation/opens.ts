/**
 * opens — which shard has how many sessions open for a client
 *
 * One word per entry and shard, the words of an entry side by side: a count. Beside them one word per writer, the
 * pin: the entry that it has just claimed. An entry with a count that is not 0, or that somebody has pinned, is held
 * and cannot be evicted. Each word is written by its own shard only, so plain stores are enough, and a shard that
 * died leaves nothing that its successor cannot wipe.
 *
 * The pins lie apart, one word a writer and not one an entry: the main thread has one too and needs no column.
 */
import { assert } from '../base/assert.ts';
import { WAYS } from './layout.ts';

/** More sessions than this at one entry are a bug. */
const COUNT_MAX = 0x7fff_ffff;

export class Opens {
  private readonly words: Int32Array;
  private readonly from: number;
  private readonly setWords: number;
  private readonly pins: Int32Array;
  private readonly shards: number;
  private readonly writer: number;
  /** What `fetch` read; of use to nobody, but kept, lest the read be left out. */
  fetched = 0;

  /**
   * A view of the counts of `shards` shards, of which those of the first set begin at word `from`, those of the next
   * `setWords` behind; and of the pins of all writers. Writers 0 … shards - 1 are the shards with their columns; the one
   * behind them, the main thread, has a pin and no column.
   */
  constructor(
    words: Int32Array,
    from: number,
    setWords: number,
    pins: Int32Array,
    shards: number,
    writer: number,
  ) {
    this.words = words;
    this.from = from;
    this.setWords = setWords;
    this.pins = pins;
    this.shards = shards;
    this.writer = writer;
  }

  /** Counts a session in. */
  add(index: number): void {
    const at = this.wordOf(index);
    const before = this.words[at]!;
    assert(before < COUNT_MAX, 'open sessions fit a word');
    Atomics.store(this.words, at, before + 1);
  }

  /** Counts a session out. More out than in is a ShardBug. */
  remove(index: number): void {
    const at = this.wordOf(index);
    const before = this.words[at]!;
    assert(before > 0, 'a session was closed that was not opened');
    Atomics.store(this.words, at, before - 1);
  }

  /**
   * Reads a count and does nothing with it: a session that is about to be counted in will want this cache line, which
   * is now fetched while that of the entry is on its way, and not behind it.
   */
  fetch(index: number): void {
    this.fetched = this.words[this.countsOf(index)]!;
  }

  /** Marks an entry as held by this writer, sessions or not; the one that it had pinned before is let go. */
  pin(index: number): void {
    Atomics.store(this.pins, this.writer, index + 1);
  }

  /** Takes the mark away; open sessions go on to hold the entry. */
  unpin(): void {
    Atomics.store(this.pins, this.writer, 0);
  }

  /** Forgets the sessions of a shard that is gone. */
  forget(index: number, shard: number): void {
    const at = this.countsOf(index) + shard;
    // Looked at first: writing zeros would make the system commit every page of the column.
    if (Atomics.load(this.words, at) !== 0) Atomics.store(this.words, at, 0);
  }

  /** Forgets the pin of a writer that is gone. */
  forgetPin(writer: number): void {
    Atomics.store(this.pins, writer, 0);
  }

  /** Open sessions over all shards. */
  count(index: number): number {
    let count = 0;
    const at = this.countsOf(index);
    for (let shard = 0; shard < this.shards; shard += 1) count += this.words[at + shard]!;
    return count;
  }

  /** Whether any shard has sessions open or any writer has pinned the entry. */
  isHeld(index: number): boolean {
    const at = this.countsOf(index);
    for (let shard = 0; shard < this.shards; shard += 1) {
      if (Atomics.load(this.words, at + shard) !== 0) return true;
    }
    for (let writer = 0; writer <= this.shards; writer += 1) {
      if (Atomics.load(this.pins, writer) === index + 1) return true;
    }
    return false;
  }

  private wordOf(index: number): number {
    assert(this.writer < this.shards, 'the main thread holds no sessions');
    const at = this.countsOf(index) + this.writer;
    assert(index >= 0 && at < this.words.length, 'no such entry');
    return at;
  }

  /** The word of the first shard's count. */
  private countsOf(index: number): number {
    return this.from + (index >>> 3) * this.setWords + (index & (WAYS - 1)) * this.shards;
  }
}
