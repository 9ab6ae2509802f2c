/**
 * peaks — the highest that a shard has seen of what limits are about
 *
 * For each kind the value, whose it was and when, since the last report: a few words in the shard's row of the counters,
 * which the main thread reads when it prints them. The period is one shared number that the reader counts up; what was
 * written in another period is not there any more, so nobody has to wait for anybody and a shard that died leaves what it
 * had seen. A peak that falls into the moment of the reading may be missed.
 */

/** The kinds, as anvil names them in its log. */
export const peakNames = [
  'connection count',
  'connection rate',
  'message rate',
  'recipient rate',
  'newtls rate',
] as const;

/** The place of a kind. Rates stand in the order of reputation/rates behind the count. */
export const PeakKind = { Count: 0, Rate: 1 } as const;

/** One peak. The words of the key are those of a host (reputation/keys). */
export interface Peak {
  readonly kind: number;
  readonly value: number;
  readonly first: number;
  readonly second: number;
  readonly epochSec: number;
}

const Column = { value: 0, first: 1, second: 2, epochSec: 3, period: 4, COUNT: 5 } as const;

/** Words of the peaks of one shard. */
export const PEAK_WORDS = peakNames.length * Column.COUNT;

/** Words that all shards share. */
export const PERIOD_WORDS = 1;

export class Peaks {
  readonly #row: Float64Array;
  readonly #period: Float64Array;

  /** `row`: PEAK_WORDS words of this shard; `period`: the shared one. Periods begin at 0, which is fine: values do not. */
  constructor(row: Float64Array, period: Float64Array) {
    this.#row = row;
    this.#period = period;
  }

  /** Notes a value of a host; kept if there was no higher one in this period. */
  note(kind: number, value: number, first: number, second: number, epochSec: number): void {
    const row = this.#row;
    const at = kind * Column.COUNT;
    const period = this.#period[0]!;
    if (row[at + Column.period] === period && row[at + Column.value]! >= value) return;
    row[at + Column.value] = value;
    row[at + Column.first] = first;
    row[at + Column.second] = second;
    row[at + Column.epochSec] = epochSec;
    row[at + Column.period] = period;
  }

  /** The peak of a kind in this period; null when there was none. */
  read(kind: number): Peak | null {
    const row = this.#row;
    const at = kind * Column.COUNT;
    const value = row[at + Column.value]!;
    if (value === 0 || row[at + Column.period] !== this.#period[0]) return null;
    return {
      kind,
      value,
      first: row[at + Column.first]!,
      second: row[at + Column.second]!,
      epochSec: row[at + Column.epochSec]!,
    };
  }
}
