/**
 * notices — the slots of a transport, what was noted of each, and whose turn is next
 *
 * The part of the contract that every transport shares: handles are given out and checked, events of one
 * stream are merged into one byte, streams with something noted stand in one line, first come first served,
 * each at most once. So the line is never longer than the number of slots, and a busy stream waits behind
 * everybody it overtook before it is heard again.
 *
 * `wake` is called when something is noted for the first time since `next` was last called; it says "take a turn
 * soon". Because a transport only notes things outside the engine's turn, it never calls into the engine.
 * Memory: 6 bytes a slot besides the free list.
 */
import { assert } from '../base/assert.ts';
import { FreeList } from '../base/free-list.ts';
import { handleOf, NO_HANDLE, slotOf } from '../base/handle.ts';
import type { Handle } from '../base/handle.ts';
import { IntRing } from '../base/ring.ts';
import { Noted } from './transport.ts';

/** The bits that the engine may see. */
const EVENTS = 63;
/** Closed was noted: nothing may follow. */
const LAST = 64;
/** Closed was taken: the slot may be given back. */
const TOLD = 128;
/** Stands in line. */
const IN_LINE = 256;

export class Notices {
  readonly capacity: number;
  private readonly wake: () => void;
  private readonly slots: FreeList;
  private readonly line: IntRing;
  private readonly marks: Uint16Array;
  private awake = false;

  constructor(capacity: number, wake: () => void) {
    this.capacity = capacity;
    this.wake = wake;
    this.slots = new FreeList(capacity);
    this.line = new IntRing(capacity);
    this.marks = new Uint16Array(capacity);
  }

  /** Streams that hold a slot. */
  get taken(): number {
    return this.slots.taken;
  }

  /** A slot for a new stream; -1 when all are in use. */
  open(): number {
    return this.slots.take();
  }

  /** Gives back a slot of which nothing was noted. */
  cancel(slot: number): void {
    assert((this.marks[slot]! & EVENTS) === 0, 'a stream that was noted is released, not cancelled');
    this.slots.give(slot);
  }

  /** The handle of a slot's present stream. */
  handleAt(slot: number): Handle {
    return handleOf(slot, this.slots.generationOf(slot));
  }

  /** The slot of a handle. A handle that was released, or never given out, is a ShardBug. */
  slotFor(handle: Handle): number {
    const slot = slotOf(handle);
    assert(
      handle >= 0 && this.slots.isTaken(slot) && handle === handleOf(slot, this.slots.generationOf(slot)),
      'a stream was used after its release',
    );
    return slot;
  }

  /** Notes events (`Noted` bits) of a stream and puts it in line. */
  note(slot: number, events: number): void {
    const before = this.marks[slot]!;
    assert((before & LAST) === 0, 'something was noted after Closed');
    let after = before | events;
    if ((events & Noted.Closed) !== 0) after |= LAST;
    if ((before & (EVENTS | IN_LINE)) === 0) {
      after |= IN_LINE;
      assert(this.line.push(slot), 'a stream stood in line twice');
    }
    this.marks[slot] = after;
    if (this.awake || (after & IN_LINE) === 0) return;
    this.awake = true;
    this.wake();
  }

  /** The next stream in line; NO_HANDLE when the line is empty. */
  next(): Handle {
    this.awake = false;
    for (;;) {
      const slot = this.line.shift();
      if (slot < 0) return NO_HANDLE;
      const marks = this.marks[slot]! & ~IN_LINE;
      this.marks[slot] = marks;
      // Taken without having been handed out, and quiet since.
      if ((marks & EVENTS) !== 0) return this.handleAt(slot);
    }
  }

  /** What was noted of a stream, and clears it. */
  take(handle: Handle): number {
    const slot = this.slotFor(handle);
    const marks = this.marks[slot]!;
    this.marks[slot] = (marks & ~EVENTS) | ((marks & Noted.Closed) === 0 ? 0 : TOLD);
    return marks & EVENTS;
  }

  /** Gives a slot back; returns it. Before Closed was taken that is a ShardBug. */
  release(handle: Handle): number {
    const slot = this.slotFor(handle);
    assert((this.marks[slot]! & TOLD) !== 0, 'a stream was released before its Closed was taken');
    this.marks[slot] = this.marks[slot]! & IN_LINE;
    this.slots.give(slot);
    return slot;
  }
}
