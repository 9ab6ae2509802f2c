/**
 * link — what the primary and one engine process tell each other of clients
 *
 * Downwards goes what came from the file, from an operator or from the other processes, upwards what the process has
 * learnt. A bite at a time in each direction, the next one when the last was taken in. The channel keeps the order, so
 * that a row which was sent before a word of the operator was heard also comes before the answer to it.
 *
 * A process that begins is given everything that is known before it serves.
 */
import { Dirty } from '../reputation/dirty.ts';
import type { ReputationTable } from '../reputation/table.ts';
import type { MemoryFromEngine, MemoryToEngine } from './engine-order.ts';
import { Sweep } from './sweep.ts';

export class Link {
  readonly sweep: Sweep;
  readonly #rows: (rows: Int32Array) => void;
  #send: ((message: MemoryToEngine) => void) | null = null;
  #isUnderWay = false;
  #isFilled = false;
  #isScheduled = false;

  /** `rows` is given what the process has learnt. */
  constructor(table: ReputationTable, rows: (rows: Int32Array) => void) {
    const words = new Int32Array(Dirty.wordsFor(table.entries));
    this.sweep = new Sweep(table, new Dirty(words));
    this.#rows = rows;
  }

  /** A process has begun, and is reached by `send`. */
  began(send: (message: MemoryToEngine) => void): void {
    this.#send = send;
    this.#isUnderWay = false;
    this.#isFilled = false;
    this.sweep.beginAnew();
    this.pump();
  }

  /** It is gone. */
  ended(): void {
    this.#send = null;
  }

  /** It said something. */
  heard(message: MemoryFromEngine): void {
    if (message.kind === 'taken') {
      this.sweep.taken();
      this.#isUnderWay = false;
      this.pump();
      return;
    }
    this.#rows(message.rows);
    this.#send?.({ kind: 'taken' });
  }

  /** Sends the next bite, if there is one and the last was taken. */
  pump(): void {
    if (this.#send === null || this.#isUnderWay) return;
    const bite = this.sweep.next();
    if (bite === 'more') return this.#pumpLater();
    if (bite !== null) {
      this.#isUnderWay = true;
      this.#send({ kind: 'rows', ...bite });
      return;
    }
    if (!this.#isFilled) this.#send({ kind: 'filled' });
    this.#isFilled = true;
  }

  #pumpLater(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.pump();
    });
  }
}
