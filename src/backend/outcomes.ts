/**
 * outcomes — how the steps of sessions at the backend ended, until the sessions are told
 *
 * A lane comes to a result in the middle of reading its stream; the session hears of it on the shard's own turn.
 * In between the result stands here, in columns by slot and in line by time.
 */
import { assert } from '../base/assert.ts';
import { SlotQueue } from '../base/slot-queue.ts';
import { withEnhancedCode } from './enhanced.ts';

/** How a step ended. */
export const Outcome = {
  /** The reply is the backend's own. */
  Answered: 0,
  /** The backend cannot be reached, or has no lane; nothing was handed over. */
  Unreachable: 1,
  /** The message may have arrived; no answer came. */
  Uncertain: 2,
  /** A recipient was answered otherwise than before; nothing was handed over. */
  Changed: 3,
} as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

export class Outcomes {
  readonly #line: SlotQueue;
  readonly #kinds: Uint8Array;
  readonly #codes: Uint16Array;
  readonly #replies: (Uint8Array | null)[];

  /** Room for slots 0 … capacity - 1. */
  constructor(capacity: number) {
    this.#line = new SlotQueue(capacity);
    this.#kinds = new Uint8Array(capacity);
    this.#codes = new Uint16Array(capacity);
    this.#replies = Array.from<Uint8Array | null>({ length: capacity }).fill(null);
  }

  /** Notes how the step of a slot ended; a reply without an enhanced code gets one. */
  add(slot: number, kind: Outcome, code: number, reply: Uint8Array): void {
    this.#kinds[slot] = kind;
    this.#codes[slot] = code;
    this.#replies[slot] = withEnhancedCode(reply);
    this.#line.join(slot);
  }

  /** True when the session has not been told yet. */
  has(slot: number): boolean {
    return this.#line.has(slot);
  }

  /** The next session to be told, -1 when there is none. Its columns stay until `drop`. */
  next(): number {
    return this.#line.serve();
  }

  /** Forgets what is known of a slot. */
  drop(slot: number): void {
    this.#line.leave(slot);
    this.#replies[slot] = null;
  }

  kindOf(slot: number): Outcome {
    return this.#kinds[slot] as Outcome;
  }

  codeOf(slot: number): number {
    return this.#codes[slot]!;
  }

  replyOf(slot: number): Uint8Array {
    const reply = this.#replies[slot];
    assert(reply !== null && reply !== undefined, 'an outcome has a reply');
    return reply;
  }
}
