/**
 * counters — what a shard counts, by name
 *
 * One row of a shared block for each shard, a column for each row of the table (counter-table). Nobody else writes it, so
 * a count is a plain addition to a Float64Array, exact up to 2^53; a reader sums the rows. Endings are counted in columns of
 * their own behind the named ones; behind those are the shard's peaks (peaks).
 */
import { counterTable } from './counter-table.ts';
import type { CounterName } from './counter-table.ts';
import { endingNames } from './endings.ts';
import type { Peak } from './peaks.ts';
import { PEAK_WORDS, peakNames, Peaks, PERIOD_WORDS } from './peaks.ts';

const names = Object.keys(counterTable) as readonly CounterName[];

/** Column of each counter in a row. */
export const Count = Object.fromEntries(names.map((name, column) => [name, column])) as {
  readonly [Name in CounterName]: number;
};

const ROW_WORDS = names.length + endingNames.length + PEAK_WORDS;

/** The counts of one shard: a row of shared memory. */
export class Counters {
  /** Bytes of shared memory that `shards` rows take. */
  static bytesFor(shards: number): number {
    return (PERIOD_WORDS + shards * ROW_WORDS) * Float64Array.BYTES_PER_ELEMENT;
  }

  /** The peaks of this shard. */
  readonly peaks: Peaks;
  readonly #row: Float64Array;

  constructor(shared: SharedArrayBuffer, shard: number) {
    const all = new Float64Array(shared);
    this.#row = all.subarray(PERIOD_WORDS + shard * ROW_WORDS, PERIOD_WORDS + (shard + 1) * ROW_WORDS);
    this.peaks = new Peaks(this.#row.subarray(ROW_WORDS - PEAK_WORDS), all.subarray(0, PERIOD_WORDS));
  }

  /** Adds one to a column of `Count`. */
  add(column: number): void {
    this.#row[column]! += 1;
  }

  /** Adds an amount to a column of `Count`. */
  addMany(column: number, amount: number): void {
    this.#row[column]! += amount;
  }

  /** Sets a column of `Count` that says what is so now back to 0. */
  clear(column: number): void {
    this.#row[column] = 0;
  }

  /** Counts an ending by its number. */
  addEnding(ending: number): void {
    this.#row[names.length + ending]! += 1;
  }

  /** The value of a named counter. */
  valueOf(name: CounterName): number {
    return this.#row[Count[name]]!;
  }

  /** Every counter and ending by name: `{ commands: 7, …, 'ending.quit': 2 }`. */
  snapshot(): Record<string, number> {
    const all: Record<string, number> = {};
    for (const name of names) all[name] = this.#row[Count[name]]!;
    for (const [number, name] of endingNames.entries())
      all[`ending.${name}`] = this.#row[names.length + number]!;
    return all;
  }
}

/** The highest peak of each kind that the shards have seen in this period; the next one begins. */
export function takePeaks(shared: SharedArrayBuffer, shards: number): readonly Peak[] {
  const highest: (Peak | null)[] = peakNames.map(() => null);
  for (let shard = 0; shard < shards; shard++) {
    const { peaks } = new Counters(shared, shard);
    for (const kind of highest.keys()) {
      const peak = peaks.read(kind);
      if (peak !== null && peak.value > (highest[kind]?.value ?? 0)) highest[kind] = peak;
    }
  }
  new Float64Array(shared, 0, PERIOD_WORDS)[0]! += 1;
  return highest.filter((peak) => peak !== null);
}

/** Adds up the rows of all shards, by name. */
export function sumCounters(shared: SharedArrayBuffer, shards: number): Record<string, number> {
  const sum: Record<string, number> = {};
  for (let shard = 0; shard < shards; shard++) {
    for (const [name, value] of Object.entries(new Counters(shared, shard).snapshot()))
      sum[name] = (sum[name] ?? 0) + value;
  }
  return sum;
}
