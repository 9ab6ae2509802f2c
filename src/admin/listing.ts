/**
 * listing — the table by score or by date, a page at a time, without stopping the thread it shares with everything else
 *
 * The table has no order of its own, so each page is one walk over it, in bites of `BITE` entries with a turn of the event
 * loop in between, and a heap that keeps the best `offset + limit` of what fits the filter: 16 bytes each, at most
 * `REACH_MAX`. Who wants more takes the export. What changes between two pages may be seen twice or not at all.
 *
 * Cost: results/clients-2026-11-25.md; a walk over a million entries is half a second of this thread, a bite of it below a
 * millisecond.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { NetworkSet } from '../policy/networks.ts';
import { addressOfKey, isHostKind, isMeter, Kind, newKey } from '../reputation/keys.ts';
import type { Names } from '../reputation/names.ts';
import type { ReputationTable } from '../reputation/table.ts';
import { entryText } from './entry.ts';
import type { EntryText } from './entry.ts';

/** Entries looked at in one go. */
const BITE = 1_024;

/** Rows of a page made in one go. */
const ROWS_BITE = 256;

/** Rows of one page. */
export const LIMIT_MAX = 10_000;

/** A page ends here at the latest. */
export const REACH_MAX = 200_000;

export interface Wish {
  /** 0: hosts, networks and pools. */
  readonly kind: number;
  /** -1: any, and none. */
  readonly mark: number;
  readonly scoreMin: number;
  readonly scoreMax: number;
  /** Null: everywhere. */
  readonly network: NetworkSet | null;
  /** The highest score or the latest date comes first. */
  readonly sort: 'score' | 'seen';
  readonly offset: number;
  readonly limit: number;
}

export interface Page {
  readonly rows: readonly EntryText[];
  /** Entries that fit the filter, on this page or not. */
  readonly matched: number;
  readonly offset: number;
}

/** Calls `visit` for every entry of the table, in bites. */
export async function walk(table: ReputationTable, visit: (index: number) => void): Promise<void> {
  for (let from = 0; from < table.entries; from += BITE) {
    const end = Math.min(from + BITE, table.entries);
    for (let index = from; index < end; index += 1) visit(index);
    await turn();
  }
}

/** The page that is wished for. */
export async function pageOf(
  table: ReputationTable,
  names: Names,
  wish: Wish,
  nowSec: number,
): Promise<Page> {
  const reach = Math.min(wish.offset + wish.limit, REACH_MAX);
  const best = new Best(reach);
  let matched = 0;
  const key = newKey();
  const address = new Uint32Array(4);
  const needsScore = wish.sort === 'score' || wish.scoreMin > -Infinity || wish.scoreMax < Infinity;
  await walk(table, (index) => {
    const kind = table.keyOf(index, key);
    if (kind === 0 || isMeter(kind) || (wish.kind === 0 ? kind === Kind.Tuple : kind !== wish.kind)) return;
    if (isHostKind(kind) && !names.savesHosts) return;
    if (wish.mark >= 0 && table.markOf(index, nowSec) !== wish.mark) return;
    if (wish.network !== null) {
      if (kind !== Kind.Host && kind !== Kind.Network) return;
      addressOfKey(key[0]!, key[1]!, address);
      if (!wish.network.has(address, 0)) return;
    }
    const score = needsScore ? table.scoreOf(index, nowSec) : 0;
    if (score < wish.scoreMin || score > wish.scoreMax) return;
    matched += 1;
    best.offer(index, wish.sort === 'score' ? score : table.seenSecOf(index));
  });
  const indices = best.sorted().subarray(wish.offset);
  const rows: EntryText[] = [];
  for (const [place, index] of indices.entries()) {
    if (place % ROWS_BITE === ROWS_BITE - 1) await turn();
    const text = entryText(table, index, names, nowSec);
    if (text !== null) rows.push(text);
  }
  return { rows, matched, offset: wish.offset };
}

/** The `size` entries with the highest values, the lower index first among equals: a heap whose root is the worst. */
class Best {
  readonly #indices: Int32Array;
  readonly #values: Float64Array;
  readonly #size: number;
  #count = 0;

  constructor(size: number) {
    this.#size = size;
    this.#indices = new Int32Array(size);
    this.#values = new Float64Array(size);
  }

  offer(index: number, value: number): void {
    if (this.#count < this.#size) {
      let at = this.#count;
      this.#count += 1;
      while (at > 0 && this.#isWorse(index, value, (at - 1) >> 1)) {
        this.#move((at - 1) >> 1, at);
        at = (at - 1) >> 1;
      }
      this.#put(at, index, value);
    } else if (this.#size > 0 && !this.#isWorse(index, value, 0)) this.#sink(0, index, value);
  }

  /** The indices, best first. */
  sorted(): Int32Array {
    const order = Array.from({ length: this.#count }, (_, at) => at);
    const [values, indices] = [this.#values, this.#indices];
    order.sort((a, b) => values[b]! - values[a]! || indices[a]! - indices[b]!);
    return Int32Array.from(order, (at) => indices[at]!);
  }

  #sink(from: number, index: number, value: number): void {
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#count) break;
      const right = child + 1;
      if (right < this.#count && this.#isWorse(this.#indices[right]!, this.#values[right]!, child))
        child = right;
      if (this.#isWorse(index, value, child)) break;
      this.#move(child, at);
      at = child;
    }
    this.#put(at, index, value);
  }

  #isWorse(index: number, value: number, at: number): boolean {
    const other = this.#values[at]!;
    return value < other || (value === other && index > this.#indices[at]!);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#indices[from]!, this.#values[from]!);
  }

  #put(at: number, index: number, value: number): void {
    this.#indices[at] = index;
    this.#values[at] = value;
  }
}
