/**
 * recipients — what the backend has said of names, remembered for a while
 *
 * Bots ask for the same unknown names again and again. A refusal that speaks of the mailbox itself (550 with
 * 5.1.1) and of nothing about the client is kept for `recipients.no_ttl` and answered from here. Every other refusal is
 * asked anew: a 4xx may be over in a moment, a 5.7.1 may be meant for one client only.
 *
 * A yes (250) is kept for `recipients.yes_ttl`, which is zero unless asked for: it was given to one client, and the next may
 * be no friend of the backend. So it promises less than it says: the backend hears of the recipient with the message, and if
 * it then refuses, the message was not handed over, its sender hears 451, and the yes is forgotten; the next try is asked at RCPT.
 *
 * Memory: at most `capacityMax` entries of each kind; the oldest goes first. Keys are the argument of RCPT up to the closing
 * bracket; the domain's case is not folded, so a spelling costs an entry of its own, never a wrong answer.
 */
import type { Prepare } from '../base/prepare.ts';
import { unprepared } from '../base/prepare.ts';

interface Entry {
  readonly reply: Uint8Array;
  readonly untilMs: number;
}

/** How long answers are kept. */
export interface RecipientTtls {
  readonly noTtlMs: number;
  readonly yesTtlMs: number;
}

/** The names that one shard knows. */
export class Recipients {
  readonly #refused = new Map<string, Entry>();
  readonly #accepted = new Map<string, Entry>();
  readonly #capacityMax: number;
  readonly #ttls: RecipientTtls;
  readonly #prepare: Prepare;

  /** `prepare` gives a remembered reply the form that the transport likes best. */
  constructor(capacityMax: number, ttls: RecipientTtls, prepare: Prepare = unprepared) {
    this.#capacityMax = capacityMax;
    this.#ttls = ttls;
    this.#prepare = prepare;
  }

  /** The refusal that is remembered for an argument of RCPT, or null. */
  refusalFor(recipient: string, nowMs: number): Uint8Array | null {
    return replyOf(this.#refused, recipient, nowMs);
  }

  /** The yes that is remembered for an argument of RCPT, or null. */
  acceptanceFor(recipient: string, nowMs: number): Uint8Array | null {
    return replyOf(this.#accepted, recipient, nowMs);
  }

  /** Remembers what may be remembered of an answer; true when it is a refusal that speaks of the mailbox alone. */
  learn(recipient: string, code: number, reply: Uint8Array, nowMs: number): boolean {
    if (code === 250) {
      this.#keep(this.#accepted, recipient, reply, nowMs, this.#ttls.yesTtlMs);
      return false;
    }
    this.forgetYes(recipient);
    if (code !== 550 || !saysUnknownMailbox(reply)) return false;
    this.#keep(this.#refused, recipient, reply, nowMs, this.#ttls.noTtlMs);
    return true;
  }

  /** A yes that did not hold. */
  forgetYes(recipient: string): void {
    if (this.#accepted.size > 0) this.#accepted.delete(keyOf(recipient));
  }

  /** Forgets every name. */
  flush(): void {
    this.#refused.clear();
    this.#accepted.clear();
  }

  #keep(names: Map<string, Entry>, recipient: string, reply: Uint8Array, nowMs: number, ttlMs: number): void {
    if (ttlMs === 0) return;
    const key = keyOf(recipient);
    names.delete(key);
    if (names.size >= this.#capacityMax) {
      const oldest = names.keys().next();
      if (oldest.done !== true) names.delete(oldest.value);
    }
    names.set(key, { reply: this.#prepare(reply), untilMs: nowMs + ttlMs });
  }
}

function replyOf(names: Map<string, Entry>, recipient: string, nowMs: number): Uint8Array | null {
  if (names.size === 0) return null;
  const entry = names.get(keyOf(recipient));
  return entry !== undefined && nowMs < entry.untilMs ? entry.reply : null;
}

const keyOf = (recipient: string): string => recipient.slice(0, recipient.lastIndexOf('>') + 1);

const UNKNOWN_MAILBOX = [0x35, 0x2e, 0x31, 0x2e, 0x31, 0x20]; // "5.1.1 "

function saysUnknownMailbox(reply: Uint8Array): boolean {
  for (let at = 0; at < UNKNOWN_MAILBOX.length; at++) if (reply[4 + at] !== UNKNOWN_MAILBOX[at]) return false;
  return true;
}
