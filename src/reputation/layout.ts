/**
 * layout — where each word of the shared reputation table lies, and who may write it
 *
 * One SharedArrayBuffer per process, three areas:
 *
 *   header    16 words                       the shape of the table; written once, by whoever comes first
 *   entries   16 words (64 bytes) each       one client an entry, one entry a cache line
 *   opens     1 word per entry and shard     sessions that a shard holds open for a client
 *
 * Eight neighbouring entries are a set; a client's key says which set, and the entry may be any of its eight
 * ways. Memory: 64 + 4 × shards bytes an entry; a million entries for 8 shards: 96 MB, of which the system
 * commits what was touched.
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

/** The words of one entry. "Any shard" means: any shard that knows the entry's index, by Atomics, at any time. */
export const EntryWord = {
  /** ClaimState and its owner, see below. Any shard, by compareExchange; back to Stable or Free by its owner. */
  claim: 0,
  /** Four words: an IPv4 address as in base/address, or the /64 of an IPv6 address and zeros. The claim's owner. */
  key: 1,
  /** Score and the time it is of, packed (decay). Any shard, by compareExchange: no addition is ever lost. */
  score: 5,
  /** When the client was last seen, seconds of the wall clock. Any shard, the last one wins. */
  seenSec: 6,
  /** When the entry was made. The claim's owner. */
  firstSec: 7,
  /** Five words, one per test in the order of the Pass bits: passed until. Any shard, the last one wins. */
  passUntilSec: 8,
  /** Words 13 … 15 are free and zero. */
  COUNT: 16,
} as const;

/** The tests that a client can have passed, as bits. */
export const Pass = { pregreet: 1, pipelining: 2, nonSmtpCommand: 4, bareNewline: 8, dnsxl: 16 } as const;

/** How many tests there are. */
export const PASSES = 5;

/** The two low bits of the claim word. */
export const ClaimState = {
  /** Nobody's entry. The other words mean nothing. */
  Free: 0,
  /** The entry of the client in `key`. */
  Stable: 1,
  /** A shard is changing the key; nothing can be said about it. Some nanoseconds. */
  Writing: 2,
  /** A shard has written the key and makes sure that no other entry has the same. Below a microsecond. */
  Intent: 3,
} as const;

const STATE_BITS = 2;
const STATE_MASK = (1 << STATE_BITS) - 1;
const SHARD_BITS = 8;
const SHARD_MASK = (1 << SHARD_BITS) - 1;

/** Most shards that can share one table. */
export const SHARDS_MAX = 1 << SHARD_BITS;

/** The state in a claim word. */
export function claimStateOf(claim: number): number {
  return claim & STATE_MASK;
}

/** The shard that wrote a claim word last. */
export function claimShardOf(claim: number): number {
  return (claim >>> STATE_BITS) & SHARD_MASK;
}

/** The claim word that follows `before`: a new state by a shard, and a version (22 bits) one higher. */
export function claimAfter(before: number, state: number, shard: number): number {
  const version = (before >>> (STATE_BITS + SHARD_BITS)) + 1;
  return (version << (STATE_BITS + SHARD_BITS)) | (shard << STATE_BITS) | state;
}

/** In a word of opens: the shard has just looked the entry up and must find it unchanged. */
export const PINNED = 1 << 30;

/** The number of open sessions in a word of opens. */
export const OPEN_COUNT_MASK = PINNED - 1;
