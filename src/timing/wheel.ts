/**
 * wheel — one timer for every row of a table, in fixed memory
 *
 * A hierarchical wheel over the ids 0 … capacity - 1. Time is counted in ticks; an id is due at the first tick
 * that is not before its moment, so it fires never early and, if the caller advances every tick, at most one
 * tick late. Five levels of 64 slots: a slot of level n spans 64^n ticks. An id lies on the lowest level on
 * which its due tick and the present tick differ, in the slot that its due tick names there; when the present
 * enters a slot of a higher level, the ids in it move down. So the lowest level that holds anything holds the
 * next thing, and two bit words a level tell where: neither an empty second nor an empty hour costs a loop.
 *
 * `advance` moves what is due to a list, `take` hands it out in the order of due ticks (equal ticks: in the
 * order of arming). What is armed for the past waits for the next `advance` too, even if the clock stands
 * still: a row that re-arms itself at once cannot keep a turn from ending.
 *
 * Costs: arm, cancel and take are a fixed number of steps; an id is moved at most four times on its way down. What
 * grows with the number armed is how long memory takes. So all of an id lies in one record, and a step
 * touches three of them at most: the id's own and its neighbours'.
 * Memory: 24 bytes an id (4 + 4 links, 4 place, 4 spare, 8 due), and 2.6 kB for 322 lists. 25,000 ids: 600 kB.
 * Not taken: a timer object per session (an allocation and some 300 bytes each), a heap (log n, and cancel
 * needs an index anyway), level arrays of 256 slots (a scan for the next due slot touches sixteen cache lines),
 * a column for each field (18 bytes an id, but up to seven cache lines a step: native-bench/wheel measured it).
 */
import { assert } from '../base/assert.ts';

const LEVELS = 5;
const LEVEL_BITS = 6;
const SLOT_MASK = 63;
const TICK_MASK = 2 ** (LEVELS * LEVEL_BITS) - 1;
/** Ids due later than this are kept here first and placed again on arrival. 62 days of 10 ms ticks. */
const DELTA_TICKS_MAX = 2 ** 29;

/** Lists 0 … 319 are the slots, level by level. */
const DUE_LIST = 320;
/** Armed for a tick that had passed already: due at the next advance. */
const LATE_LIST = 321;
const LISTS = 322;
const NOT_ARMED = -1;
const NONE = -1;

/** A record: three words, a spare one, and a moment of eight bytes. */
const RECORD_BYTES = 24;
const RECORD_WORDS = 6;
const NEXT = 0;
const PREV = 1;
const LIST = 2;
/** The same record in steps of eight bytes. */
const RECORD_MOMENTS = 3;
const DUE = 2;

export class Wheel {
  readonly capacity: number;
  readonly tickMs: number;
  private readonly startMs: number;
  /** One record an id: as words, and as moments. */
  private readonly words: Int32Array;
  private readonly moments: Float64Array;
  private readonly heads = new Int32Array(LISTS).fill(NONE);
  private readonly tails = new Int32Array(LISTS).fill(NONE);
  /** Two words a level: which of its slots hold anything. */
  private readonly occupied = new Int32Array(LEVELS * 2);
  private nowTick = 0;
  private armedCount = 0;

  /** A wheel for ids 0 … capacity - 1 with ticks of `tickMs` (whole milliseconds), whose present is `startMs`. */
  constructor(capacity: number, tickMs: number, startMs: number) {
    assert(Number.isInteger(capacity) && capacity >= 0, 'a capacity is a natural number');
    assert(
      Number.isInteger(tickMs) && tickMs > 0 && Number.isFinite(startMs),
      'a wheel has a tick and a start',
    );
    this.capacity = capacity;
    this.tickMs = tickMs;
    // Ticks begin at whole milliseconds: then the start of a tick is exact, however long the wheel runs.
    this.startMs = Math.floor(startMs);
    const records = new ArrayBuffer(capacity * RECORD_BYTES);
    this.words = new Int32Array(records);
    this.moments = new Float64Array(records);
    for (let id = 0; id < capacity; id += 1) this.words[id * RECORD_WORDS + LIST] = NOT_ARMED;
  }

  /** Ids that are armed, those in the due list included. */
  get armed(): number {
    return this.armedCount;
  }

  /** Arms an id for a moment; an id that is armed is armed anew. The past is allowed, infinity is not. */
  arm(id: number, dueMs: number): void {
    assert(id >= 0 && id < this.capacity, 'no such timer');
    assert(Number.isFinite(dueMs), 'a timer is armed for a moment');
    if (this.words[id * RECORD_WORDS + LIST] === NOT_ARMED) this.armedCount += 1;
    else this.unlink(id);
    this.moments[id * RECORD_MOMENTS + DUE] = dueMs;
    this.place(id, LATE_LIST);
  }

  /** Disarms an id; nothing happens if it is not armed. */
  cancel(id: number): void {
    assert(id >= 0 && id < this.capacity, 'no such timer');
    if (this.words[id * RECORD_WORDS + LIST] === NOT_ARMED) return;
    this.unlink(id);
    this.armedCount -= 1;
  }

  /** Whether an id will fire, or is due and was not taken yet. */
  isArmed(id: number): boolean {
    assert(id >= 0 && id < this.capacity, 'no such timer');
    return this.words[id * RECORD_WORDS + LIST] !== NOT_ARMED;
  }

  /** The moment an id is armed for, as it was given; Infinity if it is not armed. */
  dueMsOf(id: number): number {
    return this.isArmed(id) ? this.moments[id * RECORD_MOMENTS + DUE]! : Infinity;
  }

  /** Makes `nowMs` the present and moves everything due by then into the due list. */
  advance(nowMs: number): void {
    const tick = Math.floor((nowMs - this.startMs) / this.tickMs);
    assert(tick >= this.nowTick && tick < Infinity, 'the clock went back');
    this.drain(LATE_LIST);
    for (;;) {
      const list = this.nextList();
      if (list < 0) break;
      const slotTick = this.tickOf(list);
      if (slotTick > tick) break;
      this.nowTick = slotTick;
      this.drain(list);
    }
    this.nowTick = tick;
  }

  /** The next id that is due, disarmed by this; -1 when there is none until the next advance. */
  take(): number {
    const id = this.heads[DUE_LIST]!;
    if (id === NONE) return -1;
    this.unlink(id);
    this.armedCount -= 1;
    return id;
  }

  /**
   * The first moment at which an advance has something to do, Infinity if nothing is armed: never later than
   * the tick of the next firing, and often exactly that. It lies in the future unless something is due
   * already, so a caller that sleeps until then always gets on.
   */
  nextDueMs(): number {
    if (this.armedCount === 0) return Infinity;
    const waiting = this.heads[DUE_LIST] !== NONE || this.heads[LATE_LIST] !== NONE;
    return this.startMs + (waiting ? this.nowTick : this.tickOf(this.nextList())) * this.tickMs;
  }

  /** Puts an id into the slot of its due tick, or into `listIfPast` when that tick is not in the future. */
  private place(id: number, listIfPast: number): void {
    const dueMs = this.moments[id * RECORD_MOMENTS + DUE]!;
    const delta = Math.ceil((dueMs - this.startMs) / this.tickMs) - this.nowTick;
    if (delta <= 0) {
      this.append(listIfPast, id);
      return;
    }
    const now = this.nowTick % (TICK_MASK + 1);
    const due = (now + Math.min(delta, DELTA_TICKS_MAX)) & TICK_MASK;
    const level = Math.floor((31 - Math.clz32(now ^ due)) / LEVEL_BITS);
    this.append(level * 64 + ((due >>> (level * LEVEL_BITS)) & SLOT_MASK), id);
  }

  /** Empties a list and places every id of it again: into the due list, or on a lower level. */
  private drain(list: number): void {
    let id = this.heads[list]!;
    this.heads[list] = NONE;
    this.tails[list] = NONE;
    if (list < DUE_LIST) this.occupied[list >> 5]! &= ~(1 << (list & 31));
    while (id !== NONE) {
      const next = this.words[id * RECORD_WORDS + NEXT]!;
      this.place(id, DUE_LIST);
      id = next;
    }
  }

  /** The slot that the present will enter next among those that hold anything; -1 if none does. */
  private nextList(): number {
    for (let level = 0; level < LEVELS; level += 1) {
      const low = this.occupied[level * 2]!;
      const high = this.occupied[level * 2 + 1]!;
      if ((low | high) === 0) continue;
      // Only the highest level goes round: below it every occupied slot lies behind the present one.
      const here = this.slotHere(level);
      let slot = firstBitFrom(low, high, here + 1);
      if (slot < 0) slot = firstBitFrom(low, high, 0);
      return level * 64 + slot;
    }
    return -1;
  }

  /** The first tick of a slot, seen from the present. */
  private tickOf(list: number): number {
    const level = list >> LEVEL_BITS;
    const span = 2 ** (level * LEVEL_BITS);
    const ahead = ((list & SLOT_MASK) - this.slotHere(level)) & SLOT_MASK;
    return (Math.floor(this.nowTick / span) + ahead) * span;
  }

  /** The slot of a level that the present is in. */
  private slotHere(level: number): number {
    return ((this.nowTick % (TICK_MASK + 1)) >>> (level * LEVEL_BITS)) & SLOT_MASK;
  }

  private append(list: number, id: number): void {
    const { words } = this;
    const at = id * RECORD_WORDS;
    const tail = this.tails[list]!;
    words[at + NEXT] = NONE;
    words[at + PREV] = tail;
    words[at + LIST] = list;
    if (tail === NONE) this.heads[list] = id;
    else words[tail * RECORD_WORDS + NEXT] = id;
    this.tails[list] = id;
    if (list < DUE_LIST) this.occupied[list >> 5]! |= 1 << (list & 31);
  }

  private unlink(id: number): void {
    const { words } = this;
    const at = id * RECORD_WORDS;
    const list = words[at + LIST]!;
    const next = words[at + NEXT]!;
    const prev = words[at + PREV]!;
    words[at + LIST] = NOT_ARMED;
    if (prev === NONE) this.heads[list] = next;
    else words[prev * RECORD_WORDS + NEXT] = next;
    if (next === NONE) this.tails[list] = prev;
    else words[next * RECORD_WORDS + PREV] = prev;
    if (list < DUE_LIST && this.heads[list] === NONE) this.occupied[list >> 5]! &= ~(1 << (list & 31));
  }
}

/** The lowest set bit of a 64-bit set, not below `from` (0 … 64); -1 if there is none. */
function firstBitFrom(low: number, high: number, from: number): number {
  if (from < 32) {
    const rest = low & (-1 << from);
    if (rest !== 0) return 31 - Math.clz32(rest & -rest);
  }
  if (from < 64) {
    const rest = from <= 32 ? high : high & (-1 << (from - 32));
    if (rest !== 0) return 63 - Math.clz32(rest & -rest);
  }
  return -1;
}
