/**
 * transaction — MAIL and RCPT of one client at the backend, and what was answered
 *
 * A lane may verify recipients of a message one after another and then hand the message over in the same
 * transaction; or the recipients were accepted on another lane, and all of it is said again. `isWholeFor` tells the
 * two apart: each recipient accepted here is counted, so only a transaction that holds all of them has as many as
 * the envelope.
 */
import type { Envelope } from '../session/envelope.ts';
import { Job } from './lane-host.ts';
import type { Talk } from './talk.ts';

export class Transaction {
  /** MAIL was accepted and nothing has ended it since. */
  isOpen = false;
  /** The reply that decides the step: the first refusal, or the answer to the recipient that is verified. */
  verdict: Uint8Array | null = null;
  verdictCode = 0;
  /** Accepted recipients that it holds. */
  #covered = 0;

  /** A step begins: nothing is decided. */
  beginStep(): void {
    this.verdict = null;
  }

  /** It is over at the backend, or was never known there. */
  forget(): void {
    this.isOpen = false;
    this.verdict = null;
    this.#covered = 0;
  }

  /** True when the message of an envelope can follow at once. */
  isWholeFor(envelope: Envelope): boolean {
    return this.isOpen && this.#covered === envelope.recipients.length;
  }

  /** Lines up what has to be said for a step. */
  prepare(talk: Talk, envelope: Envelope, job: Job): void {
    if (!this.isOpen) {
      this.#covered = 0;
      talk.prepare('mail', `MAIL ${envelope.sender}`);
    }
    if (job === Job.Verify) {
      talk.prepare('rcpt', `RCPT ${envelope.candidate}`);
      return;
    }
    for (const recipient of envelope.recipients) talk.prepare('rcpt', `RCPT ${recipient}`);
  }

  /** MAIL was answered. */
  hearMail(code: number, reply: Uint8Array): void {
    if (code < 300) this.isOpen = true;
    else this.#decide(code, reply);
  }

  /** A recipient was answered. */
  hearRcpt(job: Job, code: number, reply: Uint8Array): void {
    if (code < 300) this.#covered += 1;
    if (job === Job.Verify || code >= 300) this.#decide(code, reply);
  }

  #decide(code: number, reply: Uint8Array): void {
    if (this.verdict !== null) return;
    this.verdict = reply;
    this.verdictCode = code;
  }
}
