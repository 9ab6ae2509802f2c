/**
 * labels — which family a session belongs to, as far as is known when it ends
 *
 * A compact table that the list of families (families) makes anew when it has changed, and every shard is given: rows of manner,
 * habit, two bins and a number. A session end compares its manner with at most ROWS_MAX rows, and needs no lock.
 */
import { Leaving } from './leavings.ts';
import { binOf } from './leaving.ts';
import { mannerOf } from './dialect.ts';

/** What makes a session of the right manner a member. */
export const Habit = {
  /** It left by its own clock, in one of these bins. */
  Leaves: 0,
  /** It delivered nothing; its manner is enough. */
  Speaks: 1,
  /** It was silent after a 5xx; its manner is not asked for. */
  Silent: 2,
} as const;
export type Habit = (typeof Habit)[keyof typeof Habit];

export const LABEL_WORDS = 5;
export const ROWS_MAX = 512;

/** The table as it travels between threads and processes. */
export interface LabelTable {
  /** LABEL_WORDS a row: manner, habit, first bin, last bin, the number of the family. First match counts. */
  readonly rows: Int32Array;
  /** The names of families, by their numbers. */
  readonly names: readonly string[];
}

export class Labels {
  static readonly none = new Labels({ rows: new Int32Array(0), names: [] });

  readonly #rows: Int32Array;
  readonly #names: readonly string[];

  constructor({ rows, names }: LabelTable) {
    this.#rows = rows;
    this.#names = names;
  }

  /** The number of the family of a session, -1 for none. */
  numberOf(dialect: number, leaving: Leaving, ageMs: number): number {
    if (leaving === Leaving.Good) return -1;
    const rows = this.#rows;
    const manner = mannerOf(dialect);
    const bin = binOf(ageMs);
    for (let at = 0; at < rows.length; at += LABEL_WORDS) {
      const habit = rows[at + 1];
      if (habit === Habit.Silent) {
        if (leaving === Leaving.Silent) return rows[at + 4]!;
        continue;
      }
      if (rows[at] !== manner) continue;
      if (habit === Habit.Speaks) return rows[at + 4]!;
      if (leaving === Leaving.Impatient && bin >= rows[at + 2]! && bin <= rows[at + 3]!) return rows[at + 4]!;
    }
    return -1;
  }

  /** The name of the family with this number; '' for -1. */
  nameOf(number: number): string {
    return this.#names[number] ?? '';
  }
}
