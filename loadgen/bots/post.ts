/**
 * post — what a client has to say: its name, its envelope, its message
 *
 * Everything follows from the client's serial number, its row and its own draws, so a run can be told again
 * from its seed. Local parts that begin with "unknown" exist nowhere: the sink refuses them with 550 5.1.1.
 */
import type { Random } from '../../src/base/prng.ts';
import type { BotRow, Move } from './bot.ts';
import { ascii, messageIdOf, messageText, stuffed } from './message.ts';

/** What a kind of client writes to whom. */
export interface Post {
  /** A word for this run, the first part of every message id: letters and digits. */
  readonly run: string;
  readonly rcptDomain: string;
  /** Recipients of one message: from `rcptsMin` to `rcptsMax`. */
  readonly rcptsMin: number;
  readonly rcptsMax: number;
  /** How many of a hundred recipients exist nowhere. */
  readonly unknownPercent: number;
  readonly bodyBytesMin: number;
  readonly bodyBytesMax: number;
  /** Messages in one session: 1 to this many. */
  readonly messagesMax: number;
}

/** One small message to one or two people who exist. */
export const smallPost: Post = {
  run: 'load',
  rcptDomain: 'example.com',
  rcptsMin: 1,
  rcptsMax: 2,
  unknownPercent: 0,
  bodyBytesMin: 800,
  bodyBytesMax: 4_000,
  messagesMax: 1,
};

export const QUIT = ascii('QUIT\r\n');
export const DATA = ascii('DATA\r\n');

/** EHLO of a server with a proper name. */
export function ehloOfServer(me: BotRow): Uint8Array {
  return ascii(`EHLO mail${me.serial % 1_000}.load.example\r\n`);
}

/** HELO or EHLO (as the serial number falls) of a home computer that sends mail by itself. */
export function heloOfZombie(me: BotRow): Uint8Array {
  return ascii(`${me.serial % 2 === 0 ? 'HELO' : 'EHLO'} pc-${me.serial}.dyn.load.example\r\n`);
}

/** MAIL, after having drawn the next message's size and number of recipients into the row. */
export function mailCommand(me: BotRow, post: Post, random: Random): Uint8Array {
  me.messageNo += 1;
  me.rcptsLeft = post.rcptsMin + random.below(post.rcptsMax - post.rcptsMin + 1);
  me.rcptsOk = 0;
  me.bodyBytes = post.bodyBytesMin + random.below(post.bodyBytesMax - post.bodyBytesMin + 1);
  return ascii(`MAIL FROM:<sender${me.serial}@load.example>\r\n`);
}

/** RCPT for the next recipient; counts it off. */
export function rcptCommand(me: BotRow, post: Post, random: Random): Uint8Array {
  me.rcptsLeft -= 1;
  const isUnknown = random.below(100) < post.unknownPercent;
  const name = `${isUnknown ? 'unknown' : 'user'}${random.below(5_000)}`;
  return ascii(`RCPT TO:<${name}@${post.rcptDomain}>\r\n`);
}

/** Puts the whole message with its final dot into the move, and notes it as offered. */
export function sayMessage(me: BotRow, post: Post, move: Move): void {
  const id = messageIdOf(post.run, me.serial, me.messageNo);
  move.say(wireOf(id, me.bodyBytes));
  move.offers(id, me.bodyBytes);
}

/**
 * Puts the next piece of the message into the move, at most `blockBytes` from byte `from` on. Gives where the next
 * piece begins, and -1 when this was the last, with which the message is noted as offered.
 */
export function sayBlock(me: BotRow, post: Post, from: number, blockBytes: number, move: Move): number {
  const id = messageIdOf(post.run, me.serial, me.messageNo);
  const wire = wireOf(id, me.bodyBytes);
  const to = from + blockBytes;
  move.say(wire.subarray(from, to));
  if (to < wire.length) return to;
  move.offers(id, me.bodyBytes);
  return -1;
}

/** The message of the latest call: a long one is asked for once for each of its pieces. */
let latest: { id: string; bytes: number; wire: Uint8Array } = { id: '', bytes: -1, wire: new Uint8Array(0) };

function wireOf(id: string, bytes: number): Uint8Array {
  if (latest.id !== id || latest.bytes !== bytes)
    latest = { id, bytes, wire: stuffed(messageText(id, bytes)) };
  return latest.wire;
}

/** Notes how the message under way was answered. */
export function noteAnswer(me: BotRow, post: Post, code: number, move: Move): void {
  move.told(messageIdOf(post.run, me.serial, me.messageNo), code);
}
