/**
 * state-pruning — what is too old leaves the state file, a bite at a time
 *
 * A walk over the file in the order of its key, a few thousand rows at a time, that begins anew every hour: no
 * transaction is long. What is older than `keep` goes; and when there are many more rows than the memory has room for
 * (strangers that were pushed out of it stay here), everything that is older than the newest `rowsMax`. What
 * an operator said and still holds stays.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { queries } from './state-schema.ts';

const BITE_ROWS = 2_000;
const EVERY_SEC = 3_600;
/** So many times `rowsMax` rows are let be. */
const SLACK = 1.5;

export class Pruning {
  readonly #rowsMax: number;
  readonly #keepSec: number;
  #nextSec = 0;
  /** Where the walk goes on; null between two walks. */
  #after: readonly [kind: string, name: string] | null = null;
  #oldestSec = 0;

  /** For a memory of `rowsMax` rows. */
  constructor(rowsMax: number, keepSec: number) {
    this.#rowsMax = rowsMax;
    this.#keepSec = keepSec;
  }

  /** Takes a bite, if it is time, within the caller's transaction. Returns how many rows went; throws what SQLite throws. */
  bite(database: DatabaseSync, remove: StatementSync, rows: number, nowSec: number): number {
    const isCrowded = rows > this.#rowsMax * SLACK;
    if (this.#after === null && (nowSec >= this.#nextSec || isCrowded)) {
      this.#nextSec = nowSec + EVERY_SEC;
      this.#after = ['', ''];
      this.#oldestSec = Math.max(nowSec - this.#keepSec, isCrowded ? this.#ageOfLast(database) : 0);
    }
    if (this.#after === null) return 0;
    const found = database.prepare(queries.walk).all(...this.#after, BITE_ROWS);
    const last = found.at(-1);
    this.#after =
      found.length < BITE_ROWS || last === undefined ? null : [String(last['kind']), String(last['name'])];
    let gone = 0;
    for (const { kind, name, seen, mark, until } of found) {
      const isOperators = mark === 'allow' || mark === 'deny';
      const isHeld = isOperators && (until === 0 || Number(until) > nowSec);
      if (isHeld || Number(seen) >= this.#oldestSec) continue;
      gone += Number(remove.run(kind!, name!).changes);
    }
    return gone;
  }

  #ageOfLast(database: DatabaseSync): number {
    return Number(database.prepare(queries.ageOfNth).get(this.#rowsMax - 1)?.['seen'] ?? 0);
  }
}
