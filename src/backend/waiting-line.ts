/**
 * waiting-line — who waits for a lane, and who is next
 *
 * Two lines: one for clients of good standing and for whole messages, one for everybody else. The first is served
 * first, but every `OTHERS_EVERY`th turn belongs to the second, so that strangers wait longer under load and are
 * never forgotten. Within a line it is first come, first served. Joining, leaving and serving are constant.
 */
import { SlotQueue } from '../base/slot-queue.ts';

const OTHERS_EVERY = 4;

export class WaitingLine {
  readonly #preferred: SlotQueue;
  readonly #others: SlotQueue;
  #turns = 0;

  /** An empty line for slots 0 … capacity - 1. */
  constructor(capacity: number) {
    this.#preferred = new SlotQueue(capacity);
    this.#others = new SlotQueue(capacity);
  }

  get length(): number {
    return this.#preferred.length + this.#others.length;
  }

  /** Those of good standing, and whole messages. */
  get preferredLength(): number {
    return this.#preferred.length;
  }

  has(slot: number): boolean {
    return this.#preferred.has(slot) || this.#others.has(slot);
  }

  /** Puts a slot at the end of its line. It must not wait already. */
  join(slot: number, isPreferred: boolean): void {
    (isPreferred ? this.#preferred : this.#others).join(slot);
  }

  /** Takes a slot out from wherever it stands; nothing happens when it does not wait. */
  leave(slot: number): void {
    this.#preferred.leave(slot);
    this.#others.leave(slot);
  }

  /** Takes out the first of good standing; -1 when none waits. */
  servePreferred(): number {
    return this.#preferred.serve();
  }

  /** Takes out whoever is next; -1 when nobody waits. */
  serve(): number {
    this.#turns = (this.#turns + 1) % OTHERS_EVERY;
    const first = this.#turns === 0 ? this.#others : this.#preferred;
    const slot = first.serve();
    if (slot >= 0) return slot;
    return (this.#turns === 0 ? this.#preferred : this.#others).serve();
  }
}
