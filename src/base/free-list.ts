/**
 * free-list — which rows of a table are in use, and how often each was used before
 *
 * Slots 0 … capacity - 1 are handed out and given back in constant time. Each slot carries a generation that
 * changes when the slot is given back; base/handle packs both, so that a late event for the former owner
 * can be told from one for the present one.
 *
 * The slot given back last is handed out first: its columns are still in the cache, and a table made for a
 * storm keeps the pages of its unused rows untouched. The other way, oldest first, would make the reuse
 * of a generation rarer, but every page of every column would be touched within minutes.
 *
 * Memory: 4 (link) + 2 (generation) bytes a slot, taken at birth.
 */
import { assert } from './assert.ts';
import { SLOTS_MAX } from './handle.ts';

/** In place of a link: the slot is in use. */
const TAKEN = -2;
/** In place of a link: the end of the list. */
const NONE = -1;

export class FreeList {
  readonly capacity: number;
  private readonly links: Int32Array;
  private readonly generations: Uint16Array;
  private first: number;
  private takenCount: number;

  /** A list of `capacity` slots (0 … SLOTS_MAX), all of them free. */
  constructor(capacity: number) {
    assert(
      Number.isInteger(capacity) && capacity >= 0 && capacity <= SLOTS_MAX,
      'a table has 0 … SLOTS_MAX slots',
    );
    this.capacity = capacity;
    this.links = new Int32Array(capacity);
    this.generations = new Uint16Array(capacity);
    for (let slot = 0; slot < capacity; slot += 1) this.links[slot] = slot + 1 < capacity ? slot + 1 : NONE;
    this.first = capacity > 0 ? 0 : NONE;
    this.takenCount = 0;
  }

  /** Slots in use. */
  get taken(): number {
    return this.takenCount;
  }

  /** A free slot, now in use; -1 when there is none. */
  take(): number {
    const slot = this.first;
    if (slot === NONE) return -1;
    this.first = this.links[slot]!;
    this.links[slot] = TAKEN;
    this.takenCount += 1;
    return slot;
  }

  /** Gives a slot back and changes its generation. Giving back what is not in use is a ShardBug. */
  give(slot: number): void {
    assert(this.isTaken(slot), 'a slot was given back that is not in use');
    this.generations[slot] = this.generations[slot]! + 1;
    this.links[slot] = this.first;
    this.first = slot;
    this.takenCount -= 1;
  }

  /** The generation of a slot's present (or next) owner; 16 bits, wraps. */
  generationOf(slot: number): number {
    assert(slot >= 0 && slot < this.capacity, 'no such slot');
    return this.generations[slot]!;
  }

  /** Whether a slot is in use. False for a number that is no slot. */
  isTaken(slot: number): boolean {
    return this.links[slot] === TAKEN;
  }
}
