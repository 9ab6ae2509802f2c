/**
 * client — one bot of the crowd: its wire, what it said, what it was told
 *
 * The driver's side of a bot. What the audit compares later with the backend's store is noted here when it is
 * said: name, sender, recipients as they were answered, and each message with its final dot.
 */
import type { Bot, Parting } from '../../loadgen/bots/bot.ts';
import { READER_START } from '../../loadgen/bots/reply-reader.ts';
import type { PeerHandle } from '../../src/transport/memory-transport.ts';
import type { SimTransport } from './sim-transport.ts';

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
  readonly client: Client;
  readonly helo: string;
  readonly sender: string;
  /** Of an honest sender: those that were answered 250, in order. Of others: all that were named so far. */
  readonly recipients: readonly string[];
  /** The code that answered it, 0 when none came. */
  answer: number;
}

const commands = /^(EHLO |HELO |MAIL FROM:|RCPT TO:) ?([^\r]*)\r\n/gim;

export class Client {
  readonly slot: number;
  readonly serial: number;
  readonly bot: Bot;
  readonly botNumber: number;
  readonly address: string;
  readonly net: SimTransport;
  readonly peer: PeerHandle;
  readonly trouble: Trouble;
  readonly startedMs: number;
  reader = READER_START;
  isConnected = false;
  /** It heard a whole reply. */
  isGreeted = false;
  /** It left, was cut or has gone; its wire may still have something to say. */
  isOver = false;
  endedAs: Parting | 'closed' | 'reset' = 'none';
  endedMs = 0;
  says = 0;
  wantsSent = false;
  waitingSinceMs = -1;
  longestWaitMs = 0;
  heard5xx = 0;
  helo = '';
  sender = '';
  recipients: string[] = [];
  #candidate = '';

  constructor(
    slot: number,
    serial: number,
    botNumber: number,
    bot: Bot,
    address: string,
    net: SimTransport,
    peer: PeerHandle,
    trouble: Trouble,
    nowMs: number,
  ) {
    this.slot = slot;
    this.serial = serial;
    this.botNumber = botNumber;
    this.bot = bot;
    this.address = address;
    this.net = net;
    this.peer = peer;
    this.trouble = trouble;
    this.startedMs = nowMs;
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
