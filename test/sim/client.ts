/**
 * client — one bot of the crowd: what befalls it, what it said, what it was told
 *
 * What the audit compares later with the backend's store is noted here when it is said: name, sender, recipients as they
 * were answered, and each message with its final dot.
 */
import { Client } from '../../loadgen/virtual/client.ts';
import type { Newcomer } from '../../loadgen/virtual/client.ts';

/** What befalls a client by its `at`-th write. */
export interface Trouble {
  readonly kind: 'none' | 'reset' | 'vanish' | 'halfClose' | 'stall';
  readonly at: number;
  readonly stallMs: number;
}

/** A message that was sent with its final dot. */
export interface Offer {
  readonly id: string;
  readonly bytes: number;
  readonly client: TriedClient;
  readonly helo: string;
  readonly sender: string;
  /** Of an honest sender: those that were answered 250, in order. Of others: all that were named so far. */
  readonly recipients: readonly string[];
  /** The code that answered it, 0 when none came. */
  answer: number;
}

const commands = /^(EHLO |HELO |MAIL FROM:|RCPT TO:) ?([^\r]*)\r\n/gim;

export class TriedClient extends Client {
  readonly trouble: Trouble;
  /** It heard a whole reply. */
  isGreeted = false;
  says = 0;
  waitingSinceMs = -1;
  longestWaitMs = 0;
  heard5xx = 0;
  helo = '';
  sender = '';
  recipients: string[] = [];
  #candidate = '';

  constructor(newcomer: Newcomer, trouble: Trouble) {
    super(newcomer);
    this.trouble = trouble;
  }

  /** Remembers the commands among what is said, however they are written. */
  remember(text: string): void {
    for (const [, verb = '', argument = ''] of text.matchAll(commands)) {
      if (/^mail/i.test(verb)) {
        this.sender = argument;
        if (this.bot.honest) this.recipients = [];
      } else if (!/^rcpt/i.test(verb)) this.helo = argument;
      else if (this.bot.honest) this.#candidate = argument;
      else this.recipients.push(argument);
    }
  }

  /** A whole reply came. */
  replied(code: number): void {
    if (this.#candidate !== '' && code < 300) this.recipients.push(this.#candidate);
    this.#candidate = '';
    if (code >= 500) this.heard5xx = code;
  }
}
