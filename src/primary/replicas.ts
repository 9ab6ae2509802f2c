/**
 * replicas — one memory of clients in several processes
 *
 * When the limit on open files asks for several engine processes, each has a table of its own, and the primary one more: the
 * replica, which is what is saved and what an operator sees. Every second a process sends up the rows that have changed;
 * the primary joins them and passes them on to the others, four times a second. Rows and not deltas travel: they are joined
 * and not added (reputation/rows), so one may come twice or late, and a process that was started again is simply
 * given all of them. What a client earned at one process counts at the others after about a second.
 *
 * An operator's word goes out at once, by the same way, and no row that was on its way undoes it (words, sweep).
 *
 * Cost: memory of one more table; for each process a bit an entry; 64 bytes a row and receiver.
 * Not taken: one table for all processes. Node shares memory between threads only.
 */
import { Dirty } from '../reputation/dirty.ts';
import { newKey } from '../reputation/keys.ts';
import type { Key } from '../reputation/keys.ts';
import { Mark } from '../reputation/layout.ts';
import { ReputationTable } from '../reputation/table.ts';
import { Source, TAKEN_AWAY_SEC } from '../reputation/words.ts';
import { joinFrom } from './joining.ts';
import { Link } from './link.ts';

const PASS_ON_MS = 250;
/** Entries whose changes are spread in one go. */
const SPREAD_MAX = 65_536;

export class Replicas {
  /** What all processes know, as far as the primary has heard. */
  readonly table: ReputationTable;
  /** What of it is to be saved. */
  readonly toSave: Dirty;
  /** One for each engine process. */
  readonly links: readonly Link[];
  readonly #nowSec: () => number;
  readonly #key = newKey();
  readonly #timer: NodeJS.Timeout;

  /** `seed`: of the table's hash. `nowSec`: the wall clock. */
  constructor(entries: number, processes: number, seed: number, nowSec: () => number) {
    const shared = new SharedArrayBuffer(ReputationTable.bytesFor(entries, 1));
    ReputationTable.prepare(shared, seed);
    this.table = new ReputationTable(shared, entries, 1, 1);
    this.toSave = new Dirty(new Int32Array(Dirty.wordsFor(this.table.entries)));
    this.#nowSec = nowSec;
    this.links = Array.from(
      { length: processes },
      (_, number) => new Link(this.table, (rows) => this.#take(rows, number)),
    );
    this.#timer = setInterval(() => this.#spread(), PASS_ON_MS);
  }

  /** An entry has changed by what came from the file: every process is told. */
  joined(index: number): void {
    for (const link of this.links) link.sweep.note(index);
  }

  /** An operator marked a key of the table: every process is told at once. */
  marked(kind: number, key: Key, mark: Mark): void {
    const index = this.table.find(kind, key);
    if (index < 0) return;
    if (mark === Mark.None) this.table.mark(index, Mark.None, this.#nowSec() + TAKEN_AWAY_SEC);
    this.#spread();
  }

  /** An operator forgot a key: every process forgets it at once. */
  forgot(kind: number, key: Key): void {
    for (const link of this.links) {
      link.sweep.forget(kind, key[0]!, key[1]!);
      link.pump();
    }
  }

  /** Nothing is passed on any more; rows are still taken in. */
  close(): void {
    clearInterval(this.#timer);
  }

  /** Whoever writes into the table notes it there; from there it is noted for the file and for each process. */
  #spread(): void {
    for (let from = 0; from < this.table.entries;) {
      from = this.table.dirty.take(from, SPREAD_MAX, (index) => {
        this.toSave.note(index);
        this.joined(index);
      });
    }
    for (const link of this.links) link.pump();
  }

  #take(rows: Int32Array, from: number): void {
    const { sweep } = this.links[from]!;
    joinFrom(
      Source.Engine,
      this.table,
      rows,
      this.#key,
      this.#nowSec(),
      (index) => {
        this.toSave.note(index);
        for (const [number, link] of this.links.entries()) if (number !== from) link.sweep.note(index);
      },
      (kind, first, second) => sweep.isForgotten(kind, first, second),
    );
  }
}
