/**
 * memory — the operator's word on clients, on its way into everybody's memory
 *
 * The table that the shards of this process share, as the main thread writes it, and the two things an operator does to
 * it: put a mark on a key, and forget a key. Both take effect at the client's next connection. Whoever has further tables
 * to tell (other processes, other hosts) watches, and writes into its own table what it hears from there directly, so that
 * nothing goes round in a circle.
 */
import type { Key } from '../reputation/keys.ts';
import type { Mark } from '../reputation/layout.ts';
import type { ReputationTable } from '../reputation/table.ts';

/** Hears what was done here, after it was done. */
export interface MemoryWatcher {
  /** A mark was put on a key until `untilSec`, 0 for ever; Mark.None took it away. The key is scratch: copy it. */
  marked(kind: number, key: Key, mark: Mark, untilSec: number): void;
  /** All that was known of a key was forgotten. The key is scratch: copy it. */
  forgot(kind: number, key: Key): void;
}

export class Memory {
  readonly table: ReputationTable;
  readonly #nowSec: () => number;
  readonly #watchers: MemoryWatcher[] = [];

  /** `nowSec`: the wall clock, in whole seconds. */
  constructor(table: ReputationTable, nowSec: () => number) {
    this.table = table;
    this.#nowSec = nowSec;
  }

  /** Tells `watcher` of every mark and forgotten key from now on. */
  watch(watcher: MemoryWatcher): void {
    this.#watchers.push(watcher);
  }

  /** Marks a key, known or not, until `untilSec` (0: for ever). False when its whole set is in use: nothing was done. */
  mark(kind: number, key: Key, mark: Mark, untilSec: number): boolean {
    const index = this.table.claimUndated(kind, key, this.#nowSec(), this.#nowSec());
    if (index < 0) return false;
    this.table.mark(index, mark, untilSec);
    for (const watcher of this.#watchers) watcher.marked(kind, key, mark, untilSec);
    return true;
  }

  /** Forgets a key here and wherever somebody watches; false when it was not known here. */
  forget(kind: number, key: Key): boolean {
    const index = this.table.find(kind, key);
    if (index >= 0) this.table.forget(index);
    for (const watcher of this.#watchers) watcher.forgot(kind, key);
    return index >= 0;
  }
}
