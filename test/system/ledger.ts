/**
 * ledger — a client that writes down what it was told, attempt by attempt
 *
 * Each attempt to send a message has a number, which travels in the message. A client that was told 4xx, 5xx or nothing
 * tries again with a new number, as a real queue would. So for each attempt three things can be compared: how
 * far it went, what was told, how often it is in the backend's queue.
 *
 * The one case in which a client may be told nothing and the message be stored all the same is the window of RFC
 * 1047: the final dot was sent, the answer never came. The ledger counts it and allows it; nothing else.
 */
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
}

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
    const content = Buffer.from(`X-Attempt: ${number}\nX-Message: ${message}\n\n${body}`);
    const attempt: Attempt = { number, message, content, isDotSent: false, code: 0 };
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

/** What is wrong between a ledger and the queue behind; empty when nothing is. */
export function disagreements(ledger: Ledger, stored: readonly Buffer[]): string[] {
  const wrong: string[] = [];
  const times = new Map<number, number>();
  for (const content of stored) {
    const number = Number(/^X-Attempt: (\d+)\n/.exec(content.toString('latin1', 0, 100))?.[1] ?? -1);
    times.set(number, (times.get(number) ?? 0) + 1);
    if (!ledger.attempts[number]?.content.equals(content))
      wrong.push(`attempt ${number}: stored with other content`);
  }
  for (const attempt of ledger.attempts) {
    const count = times.get(attempt.number) ?? 0;
    const [least, most] =
      attempt.code === 250 ? [1, 1] : [0, attempt.code === 0 && attempt.isDotSent ? 1 : 0];
    if (count >= least && count <= most) continue;
    const dot = attempt.isDotSent ? 'after the final dot' : 'before the final dot';
    wrong.push(`attempt ${attempt.number}: told ${attempt.code || 'nothing'} ${dot}, stored ${count} times`);
  }
  return wrong;
}

/** Attempts in the window of RFC 1047: stored, and the client was never told. */
export function untold(ledger: Ledger, stored: readonly Buffer[]): number {
  return stored.length - ledger.attempts.filter((attempt) => attempt.code === 250).length;
}
