/**
 * labels — which family a session belongs to, as far as is known when it ends, or while it speaks
 *
 * A compact table that the list of families (families) makes anew when it has changed, and every shard is given: rows of manner,
 * habit, two bins and a number. A session end compares its manner with at most ROWS_MAX rows, and needs no lock.
 *
 * Spikes and silence are told at the end. A manner is told as soon as an envelope has begun: for that there are pairs of
 * manner and number, one for each family that is known by its manner alone and can be told so early. The manner has to be the
 * same, bit for bit: a session that has shown less, or more, is another's.
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
export const SPEAKER_WORDS = 2;

/** The table as it travels between threads and processes. */
export interface LabelTable {
  /** LABEL_WORDS a row: manner, habit, first bin, last bin, the number of the family. First match counts. */
  readonly rows: Int32Array;
  /** SPEAKER_WORDS a pair: a manner by which a session is told in its envelope, and the number of the family. */
  readonly speakers: Int32Array;
  /** The names of families, by their numbers. */
  readonly names: readonly string[];
  /** How long their sessions wait at most, in milliseconds, by their numbers; 0 when that is not known. */
  readonly patienceMs: readonly number[];
}

/** A table of no families. */
export const NO_LABELS: LabelTable = {
  rows: new Int32Array(0),
  speakers: new Int32Array(0),
  names: [],
  patienceMs: [],
};

export class Labels {
  static readonly none = new Labels(NO_LABELS);

  /** Whether there is anybody who can be told while it speaks. */
  readonly hasSpeakers: boolean;
  readonly #rows: Int32Array;
  readonly #speakers: Int32Array;
  readonly #names: readonly string[];
  readonly #patienceMs: readonly number[];

  constructor({ rows, speakers, names, patienceMs }: LabelTable) {
    this.hasSpeakers = speakers.length > 0;
    this.#rows = rows;
    this.#speakers = speakers;
    this.#names = names;
    this.#patienceMs = patienceMs;
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

  /** The number of the family whose manner a session has that is in its envelope, -1 for none. */
  speakerOf(dialect: number): number {
    const speakers = this.#speakers;
    const manner = mannerOf(dialect);
    for (let at = 0; at < speakers.length; at += SPEAKER_WORDS)
      if (speakers[at] === manner) return speakers[at + 1]!;
    return -1;
  }

  /** How long sessions of the family with this number wait at most, in milliseconds; 0 when that is not known. */
  patienceOf(number: number): number {
    return this.#patienceMs[number] ?? 0;
  }

  /** The name of the family with this number; '' for -1. */
  nameOf(number: number): string {
    return this.#names[number] ?? '';
  }
}
