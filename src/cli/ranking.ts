/**
 * ranking — the clients or networks of which a log has most, in memory that does not grow
 *
 * Who comes often is found by families/heavy-hitters; beside each of its places stand the sums of the name that has it. A name that
 * took over the place of another has its sums from then on: they are never too large, and `missed` says how many sessions they may
 * lack. As long as there are no more names than places everything is exact.
 *
 * Cost: a search through 512 places a session that is ranked.
 */
import { HeavyHitters } from '../families/heavy-hitters.ts';
import { newKey, textKey } from '../reputation/keys.ts';
import type { ReportLine } from './report-line.ts';

export const RANKED_MAX = 512;

/** Reasons that are kept for a name. */
const REASONS_MAX = 6;

export interface Ranked {
  readonly name: string;
  sessions: number;
  slowed: number;
  refused: number;
  delivered: number;
  messages: number;
  delayMs: number;
  delayMaxMs: number;
  readonly reasons: string[];
  /** Sessions that came before and may be lacking. */
  missed: number;
}

/** A ranking on its way between threads. */
export interface RankingSums {
  readonly rows: readonly Ranked[];
  /** Sessions that a name without a place may have at most. */
  readonly missedMax: number;
}

export class Ranking {
  readonly #hitters: HeavyHitters;
  readonly #rows: Ranked[] = [];
  readonly #key = newKey();

  /** Keeps at most `places` names. */
  constructor(places: number = RANKED_MAX) {
    this.#hitters = new HeavyHitters(places);
  }

  /** Counts a session under a name. */
  note(name: string, line: ReportLine): void {
    textKey(name, this.#key);
    const place = this.#hitters.take(this.#key[0]!, this.#key[1]!);
    if (this.#hitters.isFresh) this.#rows[place] = emptyRow(name, this.#hitters.excess[place]!);
    const row = this.#rows[place]!;
    row.sessions += 1;
    if (line.kind === 'slowed') row.slowed += 1;
    if (line.kind === 'refused') row.refused += 1;
    if (line.messages > 0) row.delivered += 1;
    row.messages += line.messages;
    row.delayMs += line.delayMs;
    row.delayMaxMs = Math.max(row.delayMaxMs, line.delayMs);
    addReasons(row, line.why);
  }

  /** All that was counted, the most first. */
  sums(): RankingSums {
    const isFull = this.#hitters.used === this.#hitters.capacity;
    return {
      rows: [...this.#rows].sort(byRank),
      missedMax: isFull ? Math.min(...this.#hitters.counts) : 0,
    };
  }
}

/** Several rankings as one. */
export function mergedRankings(all: readonly RankingSums[], places: number = RANKED_MAX): RankingSums {
  const rows = new Map<string, Ranked>();
  for (const { rows: more } of all) {
    for (const row of more) {
      const sum = rows.get(row.name) ?? emptyRow(row.name, 0);
      rows.set(row.name, sum);
      for (const column of [
        'sessions',
        'slowed',
        'refused',
        'delivered',
        'messages',
        'delayMs',
        'missed',
      ] as const)
        sum[column] += row[column];
      sum.delayMaxMs = Math.max(sum.delayMaxMs, row.delayMaxMs);
      addReasons(sum, row.reasons);
    }
  }
  for (const { rows: has, missedMax } of all) {
    if (missedMax === 0) continue;
    const known = new Set(has.map(({ name }) => name));
    for (const row of rows.values()) if (!known.has(row.name)) row.missed += missedMax;
  }
  const sorted = [...rows.values()].sort(byRank);
  const missedMax = all.reduce((sum, one) => sum + one.missedMax, 0);
  const dropped = sorted[places];
  return {
    rows: sorted.slice(0, places),
    missedMax: missedMax + (dropped === undefined ? 0 : dropped.sessions),
  };
}

function emptyRow(name: string, missed: number): Ranked {
  return {
    name,
    sessions: 0,
    slowed: 0,
    refused: 0,
    delivered: 0,
    messages: 0,
    delayMs: 0,
    delayMaxMs: 0,
    reasons: [],
    missed,
  };
}

function addReasons(row: Ranked, why: readonly string[]): void {
  for (const reason of why)
    if (row.reasons.length < REASONS_MAX && !row.reasons.includes(reason)) row.reasons.push(reason);
}

function byRank(one: Ranked, other: Ranked): number {
  return other.sessions - one.sessions || (one.name < other.name ? -1 : 1);
}
