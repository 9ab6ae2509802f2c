/**
 * seats — which sessions hold a slot, and which of them would be missed least
 *
 * Every session that is let in has a seat and a class; a session on its way out has none, though its stream may still hold a
 * slot of the transport. The classes in the order in which they would be given up, by what waiting for them can still
 * teach:
 * - Classified: it has failed a test, or is slow for its score or a list. What it says next changes nothing.
 * - Unknown: it has shown nothing yet. Most of what a client ever shows it shows in its first seconds; one that has
 *   been silent for long is the likelier to remain so, and so tells least for the slot it takes. The oldest goes first.
 * - Shown: it has passed its tests, now or before, and rests between two commands.
 * - Kept: it is of good standing, or has a message in hand or something at the backend. Never given up.
 *
 * One queue for each class that can be given up, first come, first gone: a class changes, a victim is found and a seat
 * comes free in constant time, without a look at the table. Memory: 25 bytes a slot.
 */
import { SlotQueue } from '../base/slot-queue.ts';

/** The class of a seat. None: no seat. */
export const SeatClass = { None: 0, Classified: 1, Unknown: 2, Shown: 3, Kept: 4 } as const;
export type SeatClass = (typeof SeatClass)[keyof typeof SeatClass];

export class Seats {
  /** Seats that are taken. */
  taken = 0;
  readonly #classes: Uint8Array;
  readonly #classified: SlotQueue;
  readonly #unknown: SlotQueue;
  readonly #shown: SlotQueue;

  /** Nobody has a seat. For slots 0 … capacity - 1. */
  constructor(capacity: number) {
    this.#classes = new Uint8Array(capacity);
    this.#classified = new SlotQueue(capacity);
    this.#unknown = new SlotQueue(capacity);
    this.#shown = new SlotQueue(capacity);
  }

  classOf(slot: number): SeatClass {
    return this.#classes[slot] as SeatClass;
  }

  /** Gives a slot a class; who has it already keeps its place in line. */
  put(slot: number, next: SeatClass): void {
    const before = this.#classes[slot] as SeatClass;
    if (before === next) return;
    this.#classes[slot] = next;
    this.queueOf(before)?.leave(slot);
    this.queueOf(next)?.join(slot);
    if (before === SeatClass.None) this.taken++;
    else if (next === SeatClass.None) this.taken--;
  }

  /** Those of a class in the order in which they came to it; null for classes that are not given up. */
  queueOf(one: SeatClass): SlotQueue | null {
    switch (one) {
      case SeatClass.Classified:
        return this.#classified;
      case SeatClass.Unknown:
        return this.#unknown;
      case SeatClass.Shown:
        return this.#shown;
      default:
        return null;
    }
  }
}
