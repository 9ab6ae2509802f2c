/**
 * family-watch — what the primary's family desk is to real shards, for simulated ones
 *
 * Once a second of virtual time it takes what the shards have noted, and gives them the table of families when it has changed.
 */
import { Families } from '../../src/families/families.ts';
import { Labels } from '../../src/families/labels.ts';
import type { Leavings } from '../../src/families/leavings.ts';
import type { Shard } from '../../src/shard/shard.ts';

const FIND_MS = 1_000;

/** A shard and where it notes how sessions ended. */
export interface Watched {
  readonly shard: Shard;
  readonly leavings: Leavings;
}

export class FamilyWatch {
  readonly families = new Families();
  /** All rows so far. */
  readonly leavings: Int32Array[] = [];
  readonly #stations: readonly Watched[];
  #dueMs = 0;

  constructor(stations: readonly Watched[]) {
    this.#stations = stations;
  }

  turn(nowMs: number): void {
    if (nowMs < this.#dueMs) return;
    this.#dueMs = nowMs + FIND_MS;
    for (const { leavings } of this.#stations) {
      const rows = leavings.takeAll();
      if (rows === null) continue;
      this.leavings.push(rows);
      this.families.take(rows, nowMs);
    }
    if (!this.families.find(nowMs)) return;
    const labels = new Labels(this.families.table);
    for (const { shard } of this.#stations) shard.works.families = labels;
  }
}
