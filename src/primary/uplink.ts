/**
 * uplink — an engine process's end of the exchange (replicas)
 *
 * Every second what has changed in the table of this process goes up, a bite at a time; what comes down is joined, and
 * not noted as a change, so that it is not sent back. Forgotten keys come before the rows that are beside them.
 */
import { newKey } from '../reputation/keys.ts';
import type { ReputationTable } from '../reputation/table.ts';
import { Source } from '../reputation/words.ts';
import type { MemoryFromEngine, MemoryToEngine } from './engine-order.ts';
import { joinFrom } from './joining.ts';
import { KEY_WORDS, Sweep } from './sweep.ts';

const SEND_MS = 1_000;
/** What is not taken by then stays here, and ends with the process. */
const LAST_SEND_MS = 2_000;

const isNever = (): boolean => false;
const nobody = (): void => undefined;

export class Uplink {
  readonly #table: ReputationTable;
  readonly #send: (message: MemoryFromEngine) => void;
  readonly #nowSec: () => number;
  readonly #sweep: Sweep;
  readonly #key = newKey();
  readonly #timer: NodeJS.Timeout;
  #isUnderWay = false;
  #isRound = false;
  #finished: (() => void) | null = null;

  /** `send` reaches the primary. `nowSec`: the wall clock. */
  constructor(table: ReputationTable, send: (message: MemoryFromEngine) => void, nowSec: () => number) {
    this.#table = table;
    this.#send = send;
    this.#nowSec = nowSec;
    this.#sweep = new Sweep(table, table.dirty);
    this.#timer = setInterval(() => this.#begin(), SEND_MS);
  }

  /** The primary said something. */
  heard(message: Exclude<MemoryToEngine, { kind: 'filled' }>): void {
    if (message.kind === 'taken') {
      this.#sweep.taken();
      this.#isUnderWay = false;
      this.#pump();
      return;
    }
    for (let at = 0; at < message.forgotten.length; at += KEY_WORDS) {
      this.#key[0] = message.forgotten[at + 1]!;
      this.#key[1] = message.forgotten[at + 2]!;
      const index = this.#table.find(message.forgotten[at]!, this.#key);
      if (index >= 0) this.#table.forget(index);
    }
    joinFrom(Source.Primary, this.#table, message.rows, this.#key, this.#nowSec(), nobody, isNever);
    this.#send({ kind: 'taken' });
  }

  /** Sends the last changes; comes back when they were taken, or after 2 s. */
  async finish(): Promise<void> {
    clearInterval(this.#timer);
    let timer: NodeJS.Timeout | null = null;
    await new Promise<void>((resolve) => {
      this.#finished = resolve;
      timer = setTimeout(resolve, LAST_SEND_MS);
      this.#begin();
    });
    clearTimeout(timer!);
  }

  #begin(): void {
    this.#isRound = true;
    this.#pump();
  }

  #pump(): void {
    if (this.#isUnderWay || !this.#isRound) return;
    const bite = this.#sweep.next();
    if (bite === 'more') {
      setImmediate(() => this.#pump());
      return;
    }
    if (bite !== null) {
      this.#isUnderWay = true;
      this.#send({ kind: 'rows', rows: bite.rows });
      return;
    }
    this.#isRound = false;
    this.#finished?.();
  }
}
