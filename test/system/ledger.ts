/**
 * ledger — a client that writes down what it was told, attempt by attempt
 *
 * Each attempt to send a message has a number, which travels in the message. A client that was told 4xx, 5xx or nothing
 * tries again with a new number, as a real queue would. So for each attempt three things can be compared: how
 * far it went, what was told, how often it is in the backend's queue.
 *
 * The one case in which a message may be stored although its client was not told so is the window of RFC 1047: the final dot was
 * sent, and the answer never came; to the client, which then hears nothing, or to Sluice, which then says 451 in words of its own for that
 * (or within Postfix, when its cleanup is killed, which has words for it too).
 * The ledger counts it and allows it, once an attempt; nothing else.
 */
import { createHash } from 'node:crypto';

import { LOAD_ID_HEADER } from '../../loadgen/sink-body.ts';
import { replyTable } from '../../src/smtp/replies.ts';
import type { Random } from '../../src/base/prng.ts';
import { Client, onTheWire } from './client.ts';

export interface Attempt {
  readonly number: number;
  readonly message: number;
  readonly content: Buffer;
  /** The final dot was sent (perhaps not received). */
  isDotSent: boolean;
  /** The answer to the final dot, or the refusal before it; 0: none came. */
  code: number;
  /** Told 451 because an answer behind did not come: the backend's, or that of Postfix's own cleanup. */
  isUncertain: boolean;
}

/** A stored message: of which attempt (-1: of none), and the hash of what it is with CR LF. */
export interface Copy {
  readonly attempt: number;
  readonly sha256: string;
}

/** What is said when it is not known whether the message is stored: by Sluice; by Postfix, whose cleanup did not answer. */
const uncertain: readonly string[] = [replyTable.backendLost.text, '451 4.3.0 Error: queue file write error'];

export class Ledger {
  readonly attempts: Attempt[] = [];
  /** Messages that were told 250. */
  readonly done = new Set<number>();
  /** Called at each piece sent and each reply heard: the moments at which a test may pull the plug. */
  onMoment: () => void = () => {};
  private readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  /** One attempt; comes back when the answer or the end of the connection has come. Never throws. */
  async attempt(message: number, port: number, source: string): Promise<boolean> {
    const number = this.attempts.length;
    const lines = 1 + this.random.below(this.random.below(4) === 0 ? 4000 : 100);
    const body = `line of message ${message}, in no hurry at all\n`.repeat(lines);
    const content = Buffer.from(`${LOAD_ID_HEADER}${number}\nX-Message: ${message}\n\n${body}`);
    const attempt: Attempt = { number, message, content, isDotSent: false, code: 0, isUncertain: false };
    this.attempts.push(attempt);
    const client = new Client(port, source);
    try {
      attempt.code = await this.converse(client, attempt);
    } finally {
      client.close();
    }
    if (attempt.code === 250) this.done.add(message);
    return attempt.code === 250;
  }

  private async converse(client: Client, attempt: Attempt): Promise<number> {
    const hear = async (): Promise<number> => {
      const reply = await client.reply();
      attempt.isUncertain = uncertain.includes(reply?.lines.join() ?? '');
      this.onMoment();
      return reply?.code ?? 0;
    };
    let code = await hear();
    const commands = [
      'EHLO ledger.example.org',
      'MAIL FROM:<l@honest.test>',
      'RCPT TO:<anna@example.test>',
      'DATA',
    ];
    for (const command of commands) {
      if (code < 200 || code >= 300) return code;
      client.send(`${command}\r\n`);
      this.onMoment();
      code = await hear();
    }
    if (code !== 354) return code;
    const wire = onTheWire(attempt.content);
    const pieceBytes = 1 + Math.floor(wire.length / (1 + this.random.below(6)));
    for (let at = 0; at < wire.length; at += pieceBytes) {
      attempt.isDotSent = at + pieceBytes >= wire.length;
      client.send(wire.subarray(at, at + pieceBytes));
      // Lets the socket write before the next moment, so that a plug pulled there finds half a message.
      await new Promise((resolve) => setImmediate(resolve));
      this.onMoment();
    }
    return hear();
  }
}

/** The copy that a stored message is, its lines ended by LF. */
export function copyOf(content: Buffer): Copy {
  const id = new RegExp(`^${LOAD_ID_HEADER}(\\d+)\n`).exec(content.toString('latin1', 0, 100))?.[1];
  return { attempt: Number(id ?? -1), sha256: hashOf(content) };
}

function hashOf(content: Buffer): string {
  const octets = Buffer.from(content.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
  return createHash('sha256').update(octets).digest('hex');
}

/** What is wrong between a ledger and the store behind; empty when nothing is. */
export function disagreements(ledger: Ledger, stored: readonly Copy[]): string[] {
  const wrong: string[] = [];
  const times = new Map<number, number>();
  for (const { attempt: number, sha256 } of stored) {
    times.set(number, (times.get(number) ?? 0) + 1);
    const attempt = ledger.attempts[number];
    if (attempt === undefined || hashOf(attempt.content) !== sha256)
      wrong.push(`attempt ${number}: stored with other content`);
  }
  for (const attempt of ledger.attempts) {
    const count = times.get(attempt.number) ?? 0;
    const [least, most] = attempt.code === 250 ? [1, 1] : [0, isOpen(attempt) ? 1 : 0];
    if (count >= least && count <= most) continue;
    const dot = attempt.isDotSent ? 'after the final dot' : 'before the final dot';
    wrong.push(`attempt ${attempt.number}: told ${attempt.code || 'nothing'} ${dot}, stored ${count} times`);
  }
  return wrong;
}

/** True when it may be stored although its client was not told so. */
export function isOpen(attempt: Attempt): boolean {
  return attempt.isDotSent && (attempt.code === 0 || attempt.isUncertain);
}

/** Attempts in the window of RFC 1047: stored, and the client was never told. */
export function untold(ledger: Ledger, stored: readonly Copy[]): number {
  return stored.length - ledger.attempts.filter((attempt) => attempt.code === 250).length;
}
