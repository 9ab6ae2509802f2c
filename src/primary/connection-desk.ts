/**
 * connection-desk — which engine process may have how many of the connections to the backend
 *
 * Several processes share `backend.max_connections` as the shards of one do (backend/permits), but no memory. The desk lives in
 * the primary and keeps a book: each process has a part, and what is in no part is free. Parts and what is free are always
 * exactly all there are. A part grows in the book before the process hears of it, and shrinks when the process says that it has
 * given something up for good (connection-part). So whatever is on its way, or lost with a process that dies, is counted
 * as taken, and the backend never sees a connection too many.
 *
 * Ten times a second each process says how many it needs. The desk works out how the whole is best divided, asks those above
 * that for the rest, and hands out what it gets. When all needs can be met, what is left over is spread to make the parts as
 * equal as may be. When not, nobody gets more than it needs, and who needs more than an equal part gets an equal part
 * of what the others leave; an odd one stays with a process that has it. Whoever is short may also have connections
 * that are at rest elsewhere: they are ended for it.
 *
 * Every process keeps one at least, also one that died, for its successor. A process that is short waits for two looks
 * (connection-part), and for a command or message to end at a process that has too much.
 *
 * Not taken: a call for each connection, on which a client would wait; parts for a time, after which they are void, since whoever
 * is stopped for that long would wake up with connections that others have too.
 */
import { assert } from '../base/assert.ts';

/** What the desk tells a process: all there is to say. It is answered, and nothing more is said before. */
export interface ConnectionOrder {
  readonly kind: 'connections';
  /** So many more than it had. */
  readonly granted: number;
  /** It may open no more beyond so many, and gives up what it has beyond them as soon as it can. */
  readonly most: number;
  /** So many could be used by others: connections at rest are to be ended for them. */
  readonly elsewhere: number;
}

/** What a process tells the desk. */
export interface ConnectionNews {
  readonly kind: 'connections';
  /** So many fewer than it had. */
  readonly given: number;
  /** What it has in use, or had a moment ago, and what it lacks. */
  readonly needed: number;
  /** What it lacks. */
  readonly lacking: number;
  /** It is said in answer to an order. */
  readonly isAnswer: boolean;
}

/** What the book says of one process. */
interface Row {
  part: number;
  needed: number;
  lacking: number;
  isAlive: boolean;
  /** It was told something, and has not answered. */
  isTold: boolean;
  /** What it was told last. */
  most: number;
  elsewhere: number;
}

export class ConnectionDesk {
  readonly #max: number;
  readonly #rows: readonly Row[];
  readonly #send: (process: number, order: ConnectionOrder) => void;
  #free: number;

  /** `max` for so many processes, none of which runs as yet; at least one for each. `send` reaches one that runs. */
  constructor(max: number, processes: number, send: (process: number, order: ConnectionOrder) => void) {
    assert(max >= processes, 'a connection for each process');
    this.#max = max;
    this.#send = send;
    const needs = Array.from({ length: processes }, () => 0);
    this.#rows = equalParts(max, needs, needs).map((part) => ({
      part,
      needed: 0,
      lacking: 0,
      isAlive: false,
      isTold: false,
      most: max,
      elsewhere: 0,
    }));
    this.#free = 0;
  }

  /** A process begins; the part that it begins with. */
  began(process: number): number {
    const row = this.#rows[process]!;
    assert(!row.isAlive, 'a process begins when its forerunner has ended');
    row.isAlive = true;
    row.isTold = false;
    row.most = this.#max;
    row.elsewhere = 0;
    return row.part;
  }

  /** A process is gone, and the backend has had time to see the end of its connections. */
  ended(process: number): void {
    const row = this.#rows[process]!;
    if (!row.isAlive) return;
    row.isAlive = false;
    row.needed = 0;
    row.lacking = 0;
    this.#free += row.part - 1;
    row.part = 1;
    this.#divide();
  }

  /** A process said something. */
  heard(process: number, news: ConnectionNews): void {
    const row = this.#rows[process]!;
    assert(news.given < row.part, 'a process keeps a connection');
    if (news.isAnswer) row.isTold = false;
    row.part -= news.given;
    this.#free += news.given;
    row.needed = Math.min(news.needed, this.#max);
    row.lacking = Math.min(news.lacking, this.#max);
    this.#divide();
  }

  #divide(): void {
    const goals = equalParts(
      this.#max,
      this.#rows.map(({ needed }) => needed),
      this.#rows.map(({ part }) => part),
    );
    let missing = 0;
    let lenders = 0;
    for (const [process, row] of this.#rows.entries()) {
      missing += Math.min(row.lacking, Math.max(0, row.needed - goals[process]!));
      if (row.isAlive && row.lacking === 0) lenders += 1;
    }
    const fromEach = lenders === 0 ? 0 : Math.ceil(missing / lenders);
    for (const [process, row] of this.#rows.entries()) {
      if (row.isAlive) this.#tell(process, row, goals[process]!, row.lacking === 0 ? fromEach : 0);
    }
  }

  #tell(process: number, row: Row, goal: number, elsewhere: number): void {
    if (row.isTold) return;
    const granted = Math.min(this.#free, Math.max(0, goal - row.part));
    // One that has not too much may have all that it is given: what it is asked for is only said when it changes.
    const most = goal < row.part ? goal : this.#max;
    if (granted === 0 && most === row.most && elsewhere === row.elsewhere) return;
    this.#free -= granted;
    row.part += granted;
    row.most = most;
    row.elsewhere = elsewhere;
    row.isTold = true;
    this.#send(process, { kind: 'connections', granted, most, elsewhere });
  }
}

/**
 * Parts of `max` that are as equal as the needs allow, one for each at least. The odd ones go to those that have the
 * largest parts now.
 */
export function equalParts(max: number, needs: readonly number[], parts: readonly number[]): number[] {
  const own = needs.map((need) => Math.max(1, need));
  const isEnough = sumOf(own) <= max;
  // Enough for all: nobody is below the level. Not enough: nobody is above it.
  const at = (need: number, level: number): number =>
    isEnough ? Math.max(need, level) : Math.min(need, level);
  let level = 1;
  for (let above = max + 1; above - level > 1;) {
    const middle = (level + above) >> 1;
    if (sumOf(own.map((need) => at(need, middle))) <= max) level = middle;
    else above = middle;
  }
  const goals = own.map((need) => at(need, level));
  const couldGrow = [...goals.keys()].filter((process) => at(own[process]!, level + 1) > goals[process]!);
  couldGrow.sort((one, other) => parts[other]! - parts[one]! || one - other);
  const odd = max - sumOf(goals);
  for (const process of couldGrow.slice(0, odd)) goals[process]! += 1;
  return goals;
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
