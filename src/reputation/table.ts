/**
 * table — what all shards of a process know about a client
 *
 * One entry per IPv4 address or IPv6 /64, in memory that the shards share: the tests it passed and until when,
 * a score that fades (decay), when it was seen, and how many sessions it has open. Fixed size, eight-way
 * set-associative: a new client takes a free way of its set or the least valuable one, never one with open
 * sessions. A look-up touches up to eight cache lines; no call allocates.
 *
 * The way to use it: `claim` when a client comes, `opened` in the same turn when it is let in; then passes and
 * points by index for as long as the session is open; `closed` after the last of them. An index without an
 * open session may be given to another client, except the one of the shard's latest claim, which stays.
 *
 * Times are whole seconds of the wall clock (1970 … 2106). Only this folder calls Atomics; layout says which
 * word has which writers, sets how an entry is found and made.
 *
 * Not taken: a Map per shard (a client that passed on one shard would wait again on the next) and messages
 * between shards (the answer would come after the greeting it was needed for).
 */
import { assert } from '../base/assert.ts';
import { scoreOfWord, scoreWordAfter } from './decay.ts';
import { ClaimState, claimStateOf, EntryWord, HeaderWord, PASSES, SHARDS_MAX, WAYS } from './layout.ts';
import { Opens } from './opens.ts';
import { Sets } from './sets.ts';

const WORD_BYTES = 4;

/** Entries are counted in whole sets. */
function wholeSets(entries: number): number {
  return Math.max(1, Math.ceil(entries / WAYS)) * WAYS;
}

/** Words of a page of 4 kB. */
const PAGE_WORDS = 1024;

export class ReputationTable {
  /** Entries of the table, in whole sets. */
  readonly entries: number;
  private readonly words: Int32Array;
  private readonly opens: Opens;
  private readonly sets: Sets;

  /** Bytes that a table of `entries` (made up to a multiple of eight) for `shards` shards needs. */
  static bytesFor(entries: number, shards: number): number {
    return (HeaderWord.COUNT + wholeSets(entries) * (EntryWord.COUNT + shards)) * WORD_BYTES;
  }

  /**
   * Sets the seed of the hash (32 bits, drawn at random by whoever allocates the memory). Before the first
   * shard opens the table; without it the seed is 0 and a client could choose its neighbours. Every page is
   * written once, so that the memory is there from the start and no client's first visit pays for a page.
   */
  static prepare(shared: SharedArrayBuffer, seed: number): void {
    const words = new Int32Array(shared);
    for (let word = 0; word < words.length; word += PAGE_WORDS) words[word] = 0;
    Atomics.store(new Int32Array(shared, 0, HeaderWord.COUNT), HeaderWord.seed, seed | 0);
  }

  /** Opens the table in `shared`, which was zero when it was new, as shard number `shard` of `shards`. */
  constructor(shared: SharedArrayBuffer, entries: number, shards: number, shard: number) {
    assert(shards >= 1 && shards <= SHARDS_MAX && shard >= 0 && shard < shards, 'a table has 1 … 256 shards');
    assert(shared.byteLength >= ReputationTable.bytesFor(entries, shards), 'the shared memory is too small');
    this.entries = wholeSets(entries);
    const wordCount = HeaderWord.COUNT + this.entries * EntryWord.COUNT;
    this.words = new Int32Array(shared, 0, wordCount);
    this.opens = new Opens(
      new Int32Array(shared, wordCount * WORD_BYTES, this.entries * shards),
      shards,
      shard,
    );
    this.agree(HeaderWord.entries, this.entries);
    this.agree(HeaderWord.shards, shards);
    this.sets = new Sets(this.words, this.opens, this.entries, shard);
  }

  /** The index of the client with the address in words[at … at + 3]; -1 if it is not known. */
  find(words: Uint32Array, at: number): number {
    return this.sets.find(words, at);
  }

  /**
   * The index of a client that is here now, known or new. -1 when its whole set is held by open sessions: the
   * client is then treated as unknown and nothing is learnt about it.
   */
  claim(words: Uint32Array, at: number, nowSec: number): number {
    const index = this.sets.claim(words, at, nowSec);
    if (index >= 0) Atomics.store(this.words, this.sets.wordOf(index) + EntryWord.seenSec, nowSec);
    return index;
  }

  /** The tests whose pass is still good at `nowSec`: Pass bits. */
  passesOf(index: number, nowSec: number): number {
    const at = this.wordOf(index) + EntryWord.passUntilSec;
    let passes = 0;
    for (let test = 0; test < PASSES; test += 1) {
      if (Atomics.load(this.words, at + test) >>> 0 > nowSec) passes |= 1 << test;
    }
    return passes;
  }

  /** Notes at `nowSec` that tests (one or more Pass bits) are passed until `untilSec`; 0 takes a pass back. */
  pass(index: number, bit: number, untilSec: number, nowSec: number): void {
    assert(bit > 0 && bit < 1 << PASSES, 'a pass is for a test');
    const at = this.wordOf(index);
    for (let test = 0; test < PASSES; test += 1) {
      if ((bit & (1 << test)) !== 0) Atomics.store(this.words, at + EntryWord.passUntilSec + test, untilSec);
    }
    Atomics.store(this.words, at + EntryWord.seenSec, nowSec);
  }

  /** The score at `nowSec` in whole points, SCORE_MIN … SCORE_MAX. */
  scoreOf(index: number, nowSec: number): number {
    return scoreOfWord(Atomics.load(this.words, this.wordOf(index) + EntryWord.score), nowSec);
  }

  /** Adds points (negative ones are credit) at `nowSec` and returns the score after that. */
  add(index: number, delta: number, nowSec: number): number {
    const at = this.wordOf(index) + EntryWord.score;
    let before = Atomics.load(this.words, at);
    for (;;) {
      const after = scoreWordAfter(before, delta, nowSec);
      const seen = Atomics.compareExchange(this.words, at, before, after);
      if (seen === before) return scoreOfWord(after, nowSec);
      before = seen;
    }
  }

  /** When the client was seen last. */
  seenSecOf(index: number): number {
    return Atomics.load(this.words, this.wordOf(index) + EntryWord.seenSec) >>> 0;
  }

  /** When the client was seen first, as far as the table remembers. */
  firstSecOf(index: number): number {
    return Atomics.load(this.words, this.wordOf(index) + EntryWord.firstSec) >>> 0;
  }

  /** Counts a session of this shard in; returns the client's open sessions over all shards, this one included. */
  opened(index: number): number {
    this.opens.add(index);
    return this.opens.count(index);
  }

  /** Counts a session of this shard out. More closed than opened is a ShardBug. */
  closed(index: number): void {
    this.opens.remove(index);
  }

  /** Open sessions of the client over all shards. */
  openOf(index: number): number {
    assert(index >= 0 && index < this.entries, 'no such entry');
    return this.opens.count(index);
  }

  /** Writes the key of an entry (IPv6: the /64) to words[at … at + 3]; false if the entry is nobody's. */
  keyOf(index: number, words: Uint32Array, at: number): boolean {
    const from = this.wordOf(index);
    const claim = Atomics.load(this.words, from);
    if (claimStateOf(claim) !== ClaimState.Stable) return false;
    for (let i = 0; i < 4; i += 1) words[at + i] = Atomics.load(this.words, from + EntryWord.key + i);
    return Atomics.load(this.words, from) === claim;
  }

  /**
   * Forgets what a dead shard with this number left behind: its open sessions and an entry it was making. To be
   * called by the shard that takes its place, before its first claim. Walks the whole table.
   */
  forgetShard(): void {
    this.sets.release();
  }

  /** The first word of an entry. */
  private wordOf(index: number): number {
    assert(index >= 0 && index < this.entries, 'no such entry');
    return this.sets.wordOf(index);
  }

  /** Writes a word of the header, or finds there what another shard wrote. */
  private agree(word: number, value: number): void {
    const before = Atomics.compareExchange(this.words, word, 0, value);
    assert(before === 0 || before === value, 'all shards agree on the shape of the table');
  }
}
