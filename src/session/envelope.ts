/**
 * envelope — sender and recipients of the message in hand
 *
 * Taken from a pool when MAIL is accepted and given back when the envelope is forgotten, so a session that
 * never says MAIL owns none. The strings are the checked arguments as they go to the backend, one latin-1
 * character for one byte: `FROM:<a@b> SIZE=7`.
 */
import { assert } from '../base/assert.ts';

/** How far a message is that may be given to the backend while it comes in. */
export const Streaming = {
  /** Not asked for. */
  Not: 0,
  /** Asked for and had. */
  On: 1,
  /** Not to be had, or given up: the message is handed over when it is whole. */
  Over: 2,
} as const;
export type Streaming = (typeof Streaming)[keyof typeof Streaming];

/** One envelope: one transaction of one session. */
export class Envelope {
  /** The argument of MAIL. */
  sender = '';
  /** Arguments of RCPT that were answered 2xx. */
  readonly recipients: string[] = [];
  /** The argument of RCPT that is being judged; '' when none is. */
  candidate = '';
  /** SIZE= of MAIL. */
  announcedBytes = 0;
  /** Bytes of the message so far, without the dots that its lines were stuffed with. */
  bodyBytes = 0;
  /** When the message was asked for. */
  bodySinceMs = 0;
  /** When the first bytes of it came; -1 before. */
  bodyFromMs = -1;
  /** The reply that waits for the end of a message, or of each chunk, which is thrown away; null while it is kept. */
  refusal: Uint8Array | null = null;
  /** Whether it is given to the backend while it comes in (stages/stream), and since when. */
  streaming: Streaming = Streaming.Not;
  streamSinceMs = 0;
  /** The chunk in hand is the last one of the message. */
  isLastChunk = false;
  /** Every accepted recipient is of a domain whose mail is not slowed (recipients.never_slow). */
  isNeverSlow = false;

  /** Forgets everything. */
  clear(): void {
    this.sender = '';
    this.recipients.length = 0;
    this.candidate = '';
    this.announcedBytes = 0;
    this.bodyBytes = 0;
    this.bodySinceMs = 0;
    this.bodyFromMs = -1;
    this.refusal = null;
    this.streaming = Streaming.Not;
    this.streamSinceMs = 0;
    this.isLastChunk = false;
    this.isNeverSlow = false;
  }
}

/** A pool of envelopes; it grows to the largest number that was ever open at once. */
export class Envelopes {
  readonly #spare: Envelope[] = [];
  #taken = 0;

  /** Envelopes in use. */
  get taken(): number {
    return this.#taken;
  }

  take(): Envelope {
    this.#taken++;
    return this.#spare.pop() ?? new Envelope();
  }

  give(envelope: Envelope): void {
    assert(this.#taken > 0, 'more envelopes came back than were taken');
    this.#taken--;
    envelope.clear();
    this.#spare.push(envelope);
  }
}
