/**
 * reply-times — what each lane asked its server last, and when
 *
 * Of all that a lane says only two things tell how busy the server is: a recipient, and the end of a message. Columns by the
 * number of the lane.
 */
import type { Step } from './lane-host.ts';
import { StepKind } from './window.ts';

const NO_KIND = 255;

export class ReplyTimes {
  readonly #askedMs: Float64Array;
  readonly #kinds: Uint8Array;

  /** For lanes 0 … count - 1. */
  constructor(count: number) {
    this.#askedMs = new Float64Array(count);
    this.#kinds = new Uint8Array(count).fill(NO_KIND);
  }

  /** A lane has asked something, or sent the next piece of a message. */
  asked(lane: number, step: Step, nowMs: number): void {
    this.#askedMs[lane] = nowMs;
    this.#kinds[lane] = step === 'rcpt' ? StepKind.Recipient : step === 'final' ? StepKind.Message : NO_KIND;
  }

  /** What a lane asked last; null when it tells nothing. */
  kindOf(lane: number): StepKind | null {
    const kind = this.#kinds[lane]!;
    return kind === NO_KIND ? null : (kind as StepKind);
  }

  sinceAsked(lane: number, nowMs: number): number {
    return nowMs - this.#askedMs[lane]!;
  }
}
