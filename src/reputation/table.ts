/**
 * table — what all shards of a process know about clients, networks and pools
 *
 * One entry per key (keys), in memory that the shards share: the tests it passed and until when, what was noted of it
 * (signals, each fading by itself), when it was seen, how many sessions it has open. Fixed size, eight-way
 * set-associative: a newcomer takes a free way of its set or the least valuable one (worth), never one with open
 * sessions or with an operator's word on it. A look-up touches up to eight cache lines; no call allocates, but those
 * that say so.
 *
 * The way to use it: `claim` when a client comes, `opened` in the same turn when it is let in; then passes and
 * signals by index for as long as the session is open; `closed` after the last of them. An index without an open
 * session may be given to another key, except the one of the writer's latest claim, which stays.
 *
 * Times are whole seconds of the wall clock (1970 … 2106). Only this folder calls Atomics; layout says which
 * word has which writers, sets how an entry is found and made.
 *
 * Not taken: a Map per shard (a client that passed on one shard would wait again on the next) and messages
 * between shards (the answer would come after the greeting it was needed for).
 */
import { assert } from '../base/assert.ts';
import { ONE } from './decay.ts';
import { Dirty } from './dirty.ts';
import { isMeter, Kind } from './keys.ts';
import type { Key } from './keys.ts';
import { claimKindOf, ClaimState, claimStateOf, EntryWord, HeaderWord, markOf, markWord } from './layout.ts';
import type { Mark } from './layout.ts';
import { METER_RATES, PASSES, setWordsFor, SHARDS_MAX, WAYS, WRITERS_MAX } from './layout.ts';
import { Opens } from './opens.ts';
import { amountOfEntry, pointsOfEntry, rowsOfEntry } from './points.ts';
import type { PointsRow } from './points.ts';
import { Sets } from './sets.ts';
import { emptySlots, observeEntry } from './slots.ts';

const WORD_BYTES = 4;

/** The word at which the sets begin. */
const SETS_AT = HeaderWord.COUNT + WRITERS_MAX;

/** Words of a page of 4 kB. */
const PAGE_WORDS = 1024;

/** Entries are counted in whole sets. */
function wholeSets(entries: number): number {
  return Math.max(1, Math.ceil(entries / WAYS)) * WAYS;
}

export class ReputationTable {
  /** Entries of the table, in whole sets. */
  readonly entries: number;
  /** The words of header, pins and sets; for the other files of this folder. */
  readonly words: Int32Array;
  readonly dirty: Dirty;
  private readonly opens: Opens;
  private readonly sets: Sets;
  private readonly shards: number;
  /** When the key of the last claim was seen before it; for rates. */
  seenBeforeSec = 0;

  /** Bytes that a table of `entries` (made up to a multiple of eight) for `shards` shards needs. */
  static bytesFor(entries: number, shards: number): number {
    const whole = wholeSets(entries);
    const words = SETS_AT + (whole / WAYS) * setWordsFor(shards) + Dirty.wordsFor(whole);
    return words * WORD_BYTES;
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

  /**
   * Opens the table in `shared`, which was zero when it was new, as writer number `writer`: 0 … shards - 1 for the
   * shards, `shards` for the main thread, which holds no sessions.
   */
  constructor(shared: SharedArrayBuffer, entries: number, shards: number, writer: number) {
    assert(
      shards >= 1 && shards <= SHARDS_MAX && writer >= 0 && writer <= shards,
      'a table has 1 … 255 shards',
    );
    assert(shared.byteLength >= ReputationTable.bytesFor(entries, shards), 'the shared memory is too small');
    this.entries = wholeSets(entries);
    this.shards = shards;
    const setWords = setWordsFor(shards);
    const dirtyAt = SETS_AT + (this.entries / WAYS) * setWords;
    this.words = new Int32Array(shared, 0, dirtyAt);
    this.opens = new Opens(
      this.words,
      SETS_AT + WAYS * EntryWord.COUNT,
      setWords,
      new Int32Array(shared, HeaderWord.COUNT * WORD_BYTES, WRITERS_MAX),
      shards,
      writer,
    );
    this.dirty = new Dirty(new Int32Array(shared, dirtyAt * WORD_BYTES, Dirty.wordsFor(this.entries)));
    this.agree(HeaderWord.entries, this.entries);
    this.agree(HeaderWord.shards, shards);
    this.sets = new Sets(this.words, this.opens, this.entries, SETS_AT, setWords, writer);
  }

  /** The index of a key; -1 if it is not known. */
  find(kind: number, key: Key): number {
    return this.sets.find(kind, key);
  }

  /**
   * The index of a key that is seen now, known or new. -1 when its whole set is held: it is then treated as unknown and
   * nothing is learnt about it.
   */
  claim(kind: number, key: Key, nowSec: number): number {
    const index = this.sets.claim(kind, key, nowSec);
    if (index >= 0) this.seen(index, kind, nowSec);
    return index;
  }

  /** As `claim`, but a new entry is dated `madeSec` and a known one not at all: for what comes from elsewhere (rows). */
  claimUndated(kind: number, key: Key, nowSec: number, madeSec: number): number {
    return this.sets.claim(kind, key, nowSec, madeSec);
  }

  /** True when the last claim made its entry. */
  get wasNew(): boolean {
    return this.sets.wasNew;
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

  /** Until when a test (its place in Pass) is passed; 0 for never. */
  passUntilSecOf(index: number, test: number): number {
    return Atomics.load(this.words, this.wordOf(index) + EntryWord.passUntilSec + test) >>> 0;
  }

  /** Notes that tests (one or more Pass bits) are passed until `untilSec`; 0 takes a pass back. */
  pass(index: number, bits: number, untilSec: number): void {
    assert(bits > 0 && bits < 1 << PASSES, 'a pass is for a test');
    const at = this.wordOf(index);
    for (let test = 0; test < PASSES; test += 1) {
      if ((bits & (1 << test)) !== 0) Atomics.store(this.words, at + EntryWord.passUntilSec + test, untilSec);
    }
    this.dirty.note(index);
  }

  /** The score at `nowSec` in whole points, SCORE_MIN … SCORE_MAX (points). */
  scoreOf(index: number, nowSec: number): number {
    return pointsOfEntry(this.words, this.wordOf(index), nowSec);
  }

  /** What is left at `nowSec` of a signal (its number), in 1/256 observations. */
  amountOf(index: number, id: number, nowSec: number): number {
    return amountOfEntry(this.words, this.wordOf(index), id, nowSec);
  }

  /** The score as rows. Allocates. */
  rowsOf(index: number, nowSec: number): readonly PointsRow[] {
    return rowsOfEntry(this.words, this.wordOf(index), nowSec);
  }

  /**
   * Notes a signal (its number) with an amount in 1/256 observations, and returns the score after that. When all slots
   * are taken by other signals, the one that is worth least is given up for it, or it is dropped itself.
   */
  observe(index: number, id: number, nowSec: number, amount: number = ONE): number {
    const at = this.wordOf(index);
    observeEntry(this.words, at, id, nowSec, amount);
    this.dirty.note(index);
    return pointsOfEntry(this.words, at, nowSec);
  }

  /** The operator's or a trap's word on a key that holds at `nowSec`. */
  markOf(index: number, nowSec: number): Mark {
    return markOf(Atomics.load(this.words, this.wordOf(index) + EntryWord.mark), nowSec);
  }

  /** The word of marks as it is (layout). */
  markWordOf(index: number): number {
    return Atomics.load(this.words, this.wordOf(index) + EntryWord.mark);
  }

  /**
   * Puts a word on a key until `untilSec`, 0 for ever; Mark.None takes it away, and with a time says so until then to
   * those who still have it (words).
   */
  mark(index: number, mark: Mark, untilSec: number): void {
    const word = markWord(mark, untilSec);
    Atomics.store(this.words, this.wordOf(index) + EntryWord.mark, word);
    this.dirty.note(index);
  }

  /** When the key was seen last. */
  seenSecOf(index: number): number {
    return Atomics.load(this.words, this.wordOf(index) + EntryWord.seenSec) >>> 0;
  }

  /** When the key was seen first, as far as the table remembers. */
  firstSecOf(index: number): number {
    return Atomics.load(this.words, this.wordOf(index) + EntryWord.firstSec) >>> 0;
  }

  /** Counts a session of this shard in; returns the open sessions over all shards, this one included. */
  opened(index: number): number {
    this.opens.add(index);
    return this.opens.count(index);
  }

  /** Counts a session of this shard out. More closed than opened is a ShardBug. */
  closed(index: number): void {
    this.opens.remove(index);
  }

  /** Open sessions over all shards. */
  openOf(index: number): number {
    assert(index >= 0 && index < this.entries, 'no such entry');
    return this.opens.count(index);
  }

  /** Writes the key of an entry and returns its kind; 0 if the entry is nobody's. */
  keyOf(index: number, key: Key): number {
    const from = this.wordOf(index);
    const claim = Atomics.load(this.words, from);
    if (claimStateOf(claim) !== ClaimState.Stable) return 0;
    key[0] = Atomics.load(this.words, from + EntryWord.key);
    key[1] = Atomics.load(this.words, from + EntryWord.key + 1);
    return Atomics.load(this.words, from) === claim ? claimKindOf(claim) : 0;
  }

  /**
   * Forgets all that is known of the entry that was claimed last. False when it has open sessions or another writer has
   * just claimed it: then only its words are wiped.
   */
  forget(index: number): boolean {
    const at = this.wordOf(index);
    const isRates = isMeter(claimKindOf(Atomics.load(this.words, at)));
    for (let word: number = isRates ? METER_RATES : EntryWord.mark; word < EntryWord.COUNT; word += 1)
      Atomics.store(this.words, at + word, 0);
    const isFree = this.sets.free(index);
    this.dirty.note(index);
    return isFree;
  }

  /**
   * Forgets what a dead shard left behind: its open sessions and an entry it was making. To be called before a shard
   * that takes its place makes its first claim. Walks the whole table.
   */
  forgetShard(shard: number): void {
    assert(shard >= 0 && shard < this.shards, 'no such shard');
    this.sets.release(shard, true);
  }

  /** Hosts with an open session, and those that were seen at `sinceSec` or later. Walks the whole table. */
  hostsSince(sinceSec: number): number {
    let hosts = 0;
    for (let index = 0; index < this.entries; index += 1) {
      const at = this.sets.wordOf(index);
      const claim = Atomics.load(this.words, at);
      if (claimStateOf(claim) !== ClaimState.Stable || claimKindOf(claim) !== Kind.Host) continue;
      const seenSec = Atomics.load(this.words, at + EntryWord.seenSec) >>> 0;
      if (seenSec >= sinceSec || this.opens.count(index) > 0) hosts += 1;
    }
    return hosts;
  }

  /** The first word of an entry; for the other files of this folder. */
  wordOf(index: number): number {
    assert(index >= 0 && index < this.entries, 'no such entry');
    return this.sets.wordOf(index);
  }

  /** Dates an entry. */
  private seen(index: number, kind: number, nowSec: number): void {
    const at = this.wordOf(index);
    const seenSec = Atomics.load(this.words, at + EntryWord.seenSec) >>> 0;
    this.seenBeforeSec = seenSec;
    if (seenSec < nowSec && !isMeter(kind)) emptySlots(this.words, at, seenSec, nowSec);
    if (seenSec !== nowSec) Atomics.store(this.words, at + EntryWord.seenSec, nowSec);
    if ((seenSec !== nowSec || this.sets.wasNew) && !isMeter(kind)) this.dirty.note(index);
  }

  /** Writes a word of the header, or finds there what another shard wrote. */
  private agree(word: number, value: number): void {
    const before = Atomics.compareExchange(this.words, word, 0, value);
    assert(before === 0 || before === value, 'all shards agree on the shape of the table');
  }
}
