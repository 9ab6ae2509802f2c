/**
 * memory — the rows of all clients of one world, in one typed array
 *
 * Eleven integers a client: 100,000 clients are 4.4 MB. `row(slot)` lends one row at a time: the object that
 * comes back is the table's only cursor and moves with the next call.
 */
import type { BotRow, Stage } from './bot.ts';

const WORDS = 11;

export class BotMemory implements BotRow {
  readonly capacity: number;
  readonly #words: Int32Array;
  #at = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#words = new Int32Array(capacity * WORDS);
  }

  /** The row of a client, valid until the next call. Throws RangeError for a slot that does not exist. */
  row(slot: number): BotRow {
    if (!(slot >= 0 && slot < this.capacity))
      throw new RangeError(`no row ${slot} in a memory of ${this.capacity}`);
    this.#at = slot * WORDS;
    return this;
  }

  /** The row of a new client: all zero but for its serial number. */
  fresh(slot: number, serial: number): BotRow {
    const row = this.row(slot);
    this.#words.fill(0, this.#at, this.#at + WORDS);
    row.serial = serial;
    return row;
  }

  get stage(): Stage {
    return this.#words[this.#at] as Stage;
  }
  set stage(value: Stage) {
    this.#words[this.#at] = value;
  }
  get serial(): number {
    return this.#words[this.#at + 1] as number;
  }
  set serial(value: number) {
    this.#words[this.#at + 1] = value;
  }
  get connectedMs(): number {
    return this.#words[this.#at + 2] as number;
  }
  set connectedMs(value: number) {
    this.#words[this.#at + 2] = value;
  }
  get deadlineMs(): number {
    return this.#words[this.#at + 3] as number;
  }
  set deadlineMs(value: number) {
    this.#words[this.#at + 3] = value;
  }
  get messagesLeft(): number {
    return this.#words[this.#at + 4] as number;
  }
  set messagesLeft(value: number) {
    this.#words[this.#at + 4] = value;
  }
  get messageNo(): number {
    return this.#words[this.#at + 5] as number;
  }
  set messageNo(value: number) {
    this.#words[this.#at + 5] = value;
  }
  get rcptsLeft(): number {
    return this.#words[this.#at + 6] as number;
  }
  set rcptsLeft(value: number) {
    this.#words[this.#at + 6] = value;
  }
  get rcptsOk(): number {
    return this.#words[this.#at + 7] as number;
  }
  set rcptsOk(value: number) {
    this.#words[this.#at + 7] = value;
  }
  get bodyBytes(): number {
    return this.#words[this.#at + 8] as number;
  }
  set bodyBytes(value: number) {
    this.#words[this.#at + 8] = value;
  }
  get progress(): number {
    return this.#words[this.#at + 9] as number;
  }
  set progress(value: number) {
    this.#words[this.#at + 9] = value;
  }
  get mood(): number {
    return this.#words[this.#at + 10] as number;
  }
  set mood(value: number) {
    this.#words[this.#at + 10] = value;
  }
}
