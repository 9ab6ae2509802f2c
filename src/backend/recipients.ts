/**
 * recipients — names that the backend does not know, remembered for a minute
 *
 * Bots ask for the same unknown names again and again. A refusal that speaks of the mailbox itself (550 with
 * 5.1.1) and of nothing about the client is kept for `ttlMs` and answered from here. Everything else is asked
 * anew: a 4xx may be over in a moment, a 5.7.1 may be meant for one client only, and a yes is the backend's to
 * give each time.
 *
 * Memory: at most `capacityMax` entries; the oldest goes first. Keys are the argument of RCPT up to the closing
 * bracket; the domain's case is not folded, so a spelling costs an entry of its own, never a wrong answer.
 */
import type { Prepare } from '../base/prepare.ts';
import { unprepared } from '../base/prepare.ts';

interface Entry {
  readonly reply: Uint8Array;
  readonly untilMs: number;
}

export class UnknownRecipients {
  readonly #entries = new Map<string, Entry>();
  readonly #capacityMax: number;
  readonly #ttlMs: number;

  readonly #prepare: Prepare;

  /** `prepare` gives a remembered reply the form that the transport likes best. */
  constructor(capacityMax: number, ttlMs: number, prepare: Prepare = unprepared) {
    this.#capacityMax = capacityMax;
    this.#ttlMs = ttlMs;
    this.#prepare = prepare;
  }

  /** The refusal that is remembered for an argument of RCPT, or null. */
  replyFor(recipient: string, nowMs: number): Uint8Array | null {
    const entry = this.#entries.get(keyOf(recipient));
    return entry !== undefined && nowMs < entry.untilMs ? entry.reply : null;
  }

  /** Remembers a refusal if it speaks of the mailbox alone; true when it does. */
  learn(recipient: string, code: number, reply: Uint8Array, nowMs: number): boolean {
    if (code !== 550 || !saysUnknownMailbox(reply)) return false;
    const key = keyOf(recipient);
    this.#entries.delete(key);
    if (this.#entries.size >= this.#capacityMax) {
      const oldest = this.#entries.keys().next();
      if (oldest.done !== true) this.#entries.delete(oldest.value);
    }
    this.#entries.set(key, { reply: this.#prepare(reply), untilMs: nowMs + this.#ttlMs });
    return true;
  }
}

const keyOf = (recipient: string): string => recipient.slice(0, recipient.lastIndexOf('>') + 1);

const UNKNOWN_MAILBOX = [0x35, 0x2e, 0x31, 0x2e, 0x31, 0x20]; // "5.1.1 "

function saysUnknownMailbox(reply: Uint8Array): boolean {
  for (let at = 0; at < UNKNOWN_MAILBOX.length; at++) if (reply[4 + at] !== UNKNOWN_MAILBOX[at]) return false;
  return true;
}
