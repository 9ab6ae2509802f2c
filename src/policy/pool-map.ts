/**
 * pool-map — which pool does this address belong to?
 *
 * The networks of all pools (the SPF records of sender domains) compiled to sorted ranges that are apart, each with the
 * number of one pool. A look-up is a binary search, about seventeen steps for 100,000 ranges, with no allocation. A
 * customer of a large provider names the provider's networks in its own record, so many pools hold the same address;
 * who compiles puts the pools in order and the first one has it.
 *
 * The map is one block of words, so that it can be shared between threads, and sent between processes:
 *
 *   pools   ranges   keys (2 words a pool)   firsts (4 words a range)   lasts (4 words a range)   owners (1 word a range)
 *
 * It never changes. Another map takes its place by one assignment. Memory: 36 bytes a range and 8 a pool.
 *
 * Not taken: a list of pools for each range, any of which may speak for an address. Ten thousand customers of one
 * provider would make each of its ranges ten thousand entries long.
 */
import type { Key } from '../reputation/keys.ts';
import { IPV4_FIRST, isIpv4Range } from './address-ranges.ts';
import type { AddressRanges } from './address-ranges.ts';

/** A pool as it is compiled. */
export interface MappedPool {
  /** Key words of its entry in the reputation table. */
  readonly key: Key;
  readonly ranges: AddressRanges;
}

const HEADER_WORDS = 2;

export class PoolMap {
  /** A map without pools. */
  static readonly empty = new PoolMap(new Uint32Array(HEADER_WORDS));

  /** Pools that were compiled, also those whose every address belongs to another. */
  readonly pools: number;
  readonly ranges: number;
  /** The block; shared memory when it was compiled here. */
  readonly words: Uint32Array;
  readonly #keysAt: number;
  readonly #firstsAt: number;
  readonly #lastsAt: number;
  readonly #ownersAt: number;

  /** Looks into a block that `compilePools` has made. */
  constructor(words: Uint32Array) {
    this.words = words;
    this.pools = words[0]!;
    this.ranges = words[1]!;
    this.#keysAt = HEADER_WORDS;
    this.#firstsAt = this.#keysAt + this.pools * 2;
    this.#lastsAt = this.#firstsAt + this.ranges * 4;
    this.#ownersAt = this.#lastsAt + this.ranges * 4;
  }

  /** The number of the pool that has the address in address[at … at + 3]; -1 when none has it. */
  poolOf(address: Uint32Array, at: number): number {
    // Invariant: ranges before `low` begin at or before the address, ranges from `high` on begin behind it.
    let low = 0;
    let high = this.ranges;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isAfter(this.words, this.#firstsAt + middle * 4, address, at)) high = middle;
      else low = middle + 1;
    }
    if (low === 0 || isAfter(address, at, this.words, this.#lastsAt + (low - 1) * 4)) return -1;
    return this.words[this.#ownersAt + low - 1]!;
  }

  /** Writes the key of a pool. */
  keyOf(pool: number, key: Key): void {
    key[0] = this.words[this.#keysAt + pool * 2]! | 0;
    key[1] = this.words[this.#keysAt + pool * 2 + 1]! | 0;
  }
}

/** Whether address a is greater than address b, as unsigned 128-bit numbers. */
function isAfter(a: Uint32Array, atA: number, b: Uint32Array, atB: number): boolean {
  for (let word = 0; word < 4; word += 1) {
    const wordA = a[atA + word]!;
    const wordB = b[atB + word]!;
    if (wordA !== wordB) return wordA > wordB;
  }
  return false;
}

/** The block for pools, the more important ones first, in shared memory. */
export function compilePools(pools: readonly MappedPool[]): Uint32Array {
  const ipv4: Span<number>[] = [];
  const ipv6: Span<bigint>[] = [];
  for (const [owner, { ranges }] of pools.entries()) {
    for (const range of ranges) {
      const end = range.last + 1n;
      if (isIpv4Range(range)) ipv4.push({ first: Number(range.first), end: Number(end), owner });
      else ipv6.push({ first: range.first, end, owner });
    }
  }
  const parts4 = partsOf(ipv4, (cuts) => Float64Array.from(cuts).toSorted());
  const parts6 = partsOf(ipv6, (cuts) => cuts.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
  const ranges = parts4.length + parts6.length;
  const length = HEADER_WORDS + pools.length * 2 + ranges * 9;
  const words = new Uint32Array(new SharedArrayBuffer(length * Uint32Array.BYTES_PER_ELEMENT));
  words[0] = pools.length;
  words[1] = ranges;
  for (const [pool, { key }] of pools.entries()) words.set(key, HEADER_WORDS + pool * 2);
  const firstsAt = HEADER_WORDS + pools.length * 2;
  const lastsAt = firstsAt + ranges * 4;
  const ownersAt = lastsAt + ranges * 4;
  let range = 0;
  const write = ({ first, end, owner }: Span<number | bigint>): void => {
    writeAddress(words, firstsAt + range * 4, BigInt(first));
    writeAddress(words, lastsAt + range * 4, BigInt(end) - 1n);
    words[ownersAt + range] = owner;
    range += 1;
  };
  const isBefore = ({ first }: Span<bigint>): boolean => first < IPV4_FIRST;
  // All of IPv4 lies between two addresses of IPv6.
  parts6.filter(isBefore).forEach(write);
  parts4.forEach(write);
  parts6.filter((part) => !isBefore(part)).forEach(write);
  return words;
}

/** Addresses of one owner from `first` to the one before `end`. IPv4 fits a number, which sorts much faster. */
interface Span<Address extends number | bigint> {
  readonly first: Address;
  readonly end: Address;
  readonly owner: number;
}

/**
 * Spans that are apart, sorted: where several overlap, the first in order has it.
 *
 * All ends of all spans cut the space into cells. The spans paint their cells in order; a painted cell leads to the
 * next one that is bare (union-find), so a cell is painted once however many spans have it.
 */
function partsOf<Address extends number | bigint>(
  spans: readonly Span<Address>[],
  sorted: (cuts: Address[]) => ArrayLike<Address>,
): Span<Address>[] {
  const unique = new Set<Address>();
  for (const { first, end } of spans) unique.add(first).add(end);
  const cuts = sorted([...unique]);
  const owners = new Int32Array(cuts.length).fill(-1);
  const bareAt = Int32Array.from({ length: cuts.length + 1 }, (_, cell) => cell);
  const firstBare = (from: number): number => {
    let cell = from;
    while (bareAt[cell] !== cell) {
      bareAt[cell] = bareAt[bareAt[cell]!]!;
      cell = bareAt[cell]!;
    }
    return cell;
  };
  for (const { first, end, owner } of spans) {
    let cell = firstBare(cellOf(cuts, first));
    for (; cuts[cell]! < end; cell = firstBare(cell)) {
      owners[cell] = owner;
      bareAt[cell] = cell + 1;
    }
  }
  const parts: Span<Address>[] = [];
  for (let cell = 0; cell < owners.length; cell += 1) {
    const owner = owners[cell]!;
    if (owner < 0) continue;
    const first = cuts[cell]!;
    // Behind the last cut nobody has anything.
    while (owners[cell + 1] === owner) cell += 1;
    parts.push({ first, end: cuts[cell + 1]!, owner });
  }
  return parts;
}

/** The place of a cut. */
function cellOf<Address extends number | bigint>(cuts: ArrayLike<Address>, cut: Address): number {
  let low = 0;
  let high = cuts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (cuts[middle]! < cut) low = middle + 1;
    else high = middle;
  }
  return low;
}

function writeAddress(words: Uint32Array, at: number, address: bigint): void {
  for (let word = 0; word < 4; word += 1)
    words[at + word] = Number((address >> BigInt(96 - 32 * word)) & 0xffff_ffffn);
}

/** The same block in memory that can be sent to another process, or, `shared`, between threads. */
export function copyPools(words: Uint32Array, shared: boolean): Uint32Array {
  const bytes = words.length * Uint32Array.BYTES_PER_ELEMENT;
  const copy = new Uint32Array(shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes));
  copy.set(words);
  return copy;
}
