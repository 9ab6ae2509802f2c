/**
 * layout — where each word of the shared reputation table lies, and who may write it
 *
 * One SharedArrayBuffer per process, in areas:
 *
 *   header    16 words                       the shape of the table; written once, by whoever comes first
 *   pins      1 word per writer              the entry that a writer has just looked up, plus one; 0 for none
 *   sets      8 entries, and their opens     one client, network, pool or meter an entry
 *   dirty     1 bit per entry                what has changed since the state was written last
 *
 * An entry is 16 words, 64 bytes, a cache line. Behind the eight entries of a set stands one word per entry and shard:
 * the sessions that the shard holds open for it, made up to whole cache lines. So all that a visit touches is in one page
 * of memory, or two. A key says which set, and the entry may be any of its eight ways.
 *
 * A writer is a shard, or the process's main thread, which holds no sessions and needs no column of opens. Memory: 64 +
 * 4 × shards (made up to an even number) bytes an entry and a bit; a million entries for two shards: 68.8 MiB.
 *
 * Every write to an entry that others can see goes through Atomics, and every read on whose order something depends. A
 * bare read of one word is whole too and several times cheaper, since Atomics are calls in V8: it serves where a word
 * is looked at by itself (a score, a count to show) or where a compareExchange or a second, strict look follows.
 *
 * The opens are words and not half words: one address in front of a whole data centre (a proxy, a test) can
 * hold more than 65,535 sessions, and a count that wraps would unpin an entry that is in use.
 */

/** Entries of one set. */
export const WAYS = 8;

export const HeaderWord = {
  /** Entries of the table. Compared by every shard that opens it. */
  entries: 0,
  /** Shards that have a column of opens. Compared likewise. */
  shards: 1,
  /** Mixed into the hash, so that nobody outside can aim at a set. Written before the first shard starts. */
  seed: 2,
  COUNT: 16,
} as const;

/** Words of a set of a table for so many shards. */
export function setWordsFor(shards: number): number {
  return WAYS * EntryWord.COUNT + Math.ceil((WAYS * shards) / EntryWord.COUNT) * EntryWord.COUNT;
}

/** Tests that a client can have passed, as bits; the place of a bit is the place of its word behind `passUntilSec`. */
export const Pass = { pregreet: 1, pipelining: 2, nonSmtpCommand: 4, bareNewline: 8 } as const;

/** How many tests there are. */
export const PASSES = 4;

/** Signals that are remembered of one client. */
export const SLOTS = 6;

/** The words of one entry. "Any" means: any writer that knows the entry's index, by Atomics, at any time. */
export const EntryWord = {
  /** State, kind, owner and version, see below. Any, by compareExchange; back to Stable or Free by its owner. */
  claim: 0,
  /** Two words, see keys. The claim's owner. */
  key: 1,
  /** When it was seen last, seconds of the wall clock. Any, the last one wins. */
  seenSec: 3,
  /** When the entry was made. The claim's owner. */
  firstSec: 4,
  /** What an operator or a trap said of it: Mark in the two low bits, until when (units of 4 s, 0 for ever) above. Any. */
  mark: 5,
  /** Four words, one per test in the order of the Pass bits: passed until. Any, the last one wins. */
  passUntilSec: 6,
  /** Six words, one signal each with its amount and date (decay). Any, by compareExchange: no addition is ever lost. */
  slots: 10,
  COUNT: 16,
} as const;

/** The words of a meter: those above up to `seenSec`, then three for each rate (rates). */
export const METER_RATES = 4;

/** What stands in the two low bits of `mark`. */
export const Mark = { None: 0, Allow: 1, Deny: 2, Trap: 3 } as const;
export type Mark = (typeof Mark)[keyof typeof Mark];

const MARK_BITS = 2;
const MARK_UNIT_SEC = 4;

/** A word of marks. `untilSec` 0: for ever. */
export function markWord(mark: Mark, untilSec: number): number {
  return (Math.ceil(untilSec / MARK_UNIT_SEC) << MARK_BITS) | mark;
}

/** The mark of a word that holds at a moment. */
export function markOf(word: number, nowSec: number): Mark {
  const untilSec = (word >>> MARK_BITS) * MARK_UNIT_SEC;
  return untilSec === 0 || untilSec > nowSec ? ((word & ((1 << MARK_BITS) - 1)) as Mark) : Mark.None;
}

/** Until when the mark of a word holds, seconds since 1970; 0 for ever. */
export function markUntilSec(word: number): number {
  return (word >>> MARK_BITS) * MARK_UNIT_SEC;
}

/** True for a word of marks that must never be evicted: an operator's, for ever. */
export function isPermanent(word: number): boolean {
  const mark = word & ((1 << MARK_BITS) - 1);
  return (mark === Mark.Allow || mark === Mark.Deny) && word >>> MARK_BITS === 0;
}

/** The two low bits of the claim word. */
export const ClaimState = {
  /** Nobody's entry. The other words mean nothing. */
  Free: 0,
  /** The entry of the client in `key`. */
  Stable: 1,
  /** A writer is changing the key; nothing can be said about it. Some nanoseconds. */
  Writing: 2,
  /** A writer has written the key and makes sure that no other entry has the same. Below a microsecond. */
  Intent: 3,
} as const;

const STATE_BITS = 2;
const STATE_MASK = (1 << STATE_BITS) - 1;
const KIND_BITS = 3;
const KIND_MASK = (1 << KIND_BITS) - 1;
const WRITER_SHIFT = STATE_BITS + KIND_BITS;
const WRITER_BITS = 8;
const WRITER_MASK = (1 << WRITER_BITS) - 1;
const VERSION_SHIFT = WRITER_SHIFT + WRITER_BITS;

/** Writers of a table at most; the last number is the main thread's. */
export const WRITERS_MAX = 1 << WRITER_BITS;

/** Most shards that can share one table. */
export const SHARDS_MAX = WRITERS_MAX - 1;

/** The state in a claim word. */
export function claimStateOf(claim: number): number {
  return claim & STATE_MASK;
}

/** The kind (keys) in a claim word. */
export function claimKindOf(claim: number): number {
  return (claim >>> STATE_BITS) & KIND_MASK;
}

/** Who wrote a claim word last. */
export function claimWriterOf(claim: number): number {
  return (claim >>> WRITER_SHIFT) & WRITER_MASK;
}

/** The claim word that follows `before`: a new state and kind by a writer, and a version (19 bits) one higher. */
export function claimAfter(before: number, state: number, kind: number, writer: number): number {
  const version = (before >>> VERSION_SHIFT) + 1;
  return (version << VERSION_SHIFT) | (writer << WRITER_SHIFT) | (kind << STATE_BITS) | state;
}
