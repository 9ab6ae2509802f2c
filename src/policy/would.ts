/**
 * would — what enforce mode would have done with each session: the other world of observe mode
 *
 * Observe mode answers everybody at once and refuses nobody for what it suspects. Where enforce mode would act, it writes here
 * what that would have been: the worst pace, the first reason to be slowed and the first to be refused, and the sum of the delays
 * that the plan and the patience budget would have allowed. The log line says it (`would`), `sluice report` sums it up.
 *
 * It is an estimate. A client that is slowed might have left, and one that is sent away might have come again; a failed test is
 * seen only by what the client does when it is not made to wait. What would have come after the end of the session is not counted.
 *
 * Cost: 29 bytes a slot, in observe mode alone; none of it in enforce mode.
 */
import { Pace } from './pace.ts';
import { NO_REASON, Why, wouldNames, wouldTable } from './would-reasons.ts';

/** As many as there are timers (patience). */
const TIMERS = 8;

const BUMP_MAX = 255;

/** Refusals behind which there is no message: of the session, or of every recipient. */
const isForGood = wouldNames.map((name) => name !== '' && !wouldTable[name]!.isForNow);

export class Would {
  /** The worst pace. */
  readonly paces: Uint8Array;
  /** Why the client would have been made to wait; numbers of would-reasons. */
  readonly reasons: Uint8Array;
  /** Why something would have been refused first. */
  readonly endings: Uint8Array;
  /** The test that was failed and for which recipients would be refused. */
  readonly failed: Uint8Array;
  /** Percent of the plan (policy/plan). */
  readonly scales: Uint16Array;
  readonly delaysMs: Uint32Array;
  /** What rates near their limit ask for in all. */
  readonly owedMs: Uint32Array;
  /** Replies that were given under each timer. */
  readonly replies: Uint8Array;
  readonly #over: Uint8Array;

  /** Columns for slots 0 … capacity - 1. */
  constructor(capacity: number) {
    this.paces = new Uint8Array(capacity);
    this.reasons = new Uint8Array(capacity);
    this.endings = new Uint8Array(capacity);
    this.failed = new Uint8Array(capacity);
    this.scales = new Uint16Array(capacity);
    this.delaysMs = new Uint32Array(capacity);
    this.owedMs = new Uint32Array(capacity);
    this.replies = new Uint8Array(capacity * TIMERS);
    this.#over = new Uint8Array(capacity);
  }

  /** A session begins: nothing would have been done yet. */
  begin(slot: number): void {
    this.paces[slot] = Pace.Instant;
    this.reasons[slot] = NO_REASON;
    this.endings[slot] = NO_REASON;
    this.failed[slot] = NO_REASON;
    this.scales[slot] = 0;
    this.delaysMs[slot] = 0;
    this.owedMs[slot] = 0;
    this.replies.fill(0, slot * TIMERS, (slot + 1) * TIMERS);
    this.#over[slot] = 0;
  }

  /** The greeting would have waited. */
  screen(slot: number): void {
    if (this.paces[slot] !== Pace.Instant || this.isOver(slot)) return;
    this.paces[slot] = Pace.Screened;
    this.reasons[slot] = Why.unknown;
  }

  /** A list of good clients would have ended that wait, `waitedMs` after it began. */
  letGo(slot: number, waitedMs: number): void {
    if (this.paces[slot] !== Pace.Screened) return;
    this.delaysMs[slot] = Math.min(this.delaysMs[slot]!, waitedMs);
    if (this.delaysMs[slot] > 0) return;
    this.paces[slot] = Pace.Instant;
    this.reasons[slot] = NO_REASON;
  }

  /** The session would now be under `scale` percent of the plan. */
  slow(slot: number, scale: number, why: number): void {
    if (this.isOver(slot)) return;
    this.scales[slot] = scale;
    if (scale > 0) this.#slowed(slot, why);
  }

  /** A delay would have been added. */
  wait(slot: number, delayMs: number, why: number): void {
    if (delayMs === 0 || this.isOver(slot)) return;
    this.delaysMs[slot]! += delayMs;
    if (why !== Why.unknown) this.#slowed(slot, why);
  }

  /** Something would have been refused; the first reason stands. */
  refuse(slot: number, why: number): void {
    if (this.isOver(slot)) return;
    if (this.endings[slot] === NO_REASON) this.endings[slot] = why;
    this.paces[slot] = Pace.Refused;
  }

  /** The session would have been ended: what follows would not have been. */
  end(slot: number, why: number): void {
    this.refuse(slot, why);
    if (this.delaysMs[slot] === 0) this.reasons[slot] = NO_REASON;
    this.#over[slot] = 1;
  }

  /** Rates ask for so much waiting in all. */
  owe(slot: number, owedMs: number): void {
    if (owedMs > this.owedMs[slot]!) this.owedMs[slot] = owedMs;
  }

  /** A reply was given under a timer. */
  replied(slot: number, timer: number): void {
    const at = slot * TIMERS + timer;
    if (this.replies[at]! < BUMP_MAX) this.replies[at]! += 1;
  }

  /** How many replies were given under a timer. */
  repliesOf(slot: number, timer: number): number {
    return this.replies[slot * TIMERS + timer]!;
  }

  isOver(slot: number): boolean {
    return this.#over[slot] !== 0;
  }

  /** Whether there would have been no message. */
  isClosed(slot: number): boolean {
    return this.isOver(slot) || isForGood[this.endings[slot]!]!;
  }

  #slowed(slot: number, why: number): void {
    if (this.reasons[slot] === NO_REASON || this.reasons[slot] === Why.unknown) this.reasons[slot] = why;
    if (this.paces[slot]! < Pace.Slow) this.paces[slot] = Pace.Slow;
  }
}
