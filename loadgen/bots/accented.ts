/**
 * accented — any bot with another way of writing its commands
 *
 * What the bot inside says is changed before it is sent, command by command; when it speaks, waits and leaves stays its own.
 * Bodies are left alone: only lines that begin with a verb are changed, and only up to DATA.
 *
 * Source: Stringhini et al., USENIX Security 2012: programs are told apart by the case, the blanks and the arguments of verbs.
 */
import type { Random } from '../../src/base/prng.ts';
import type { Bot, BotRow, Move, Seen } from './bot.ts';
import { ascii } from './message.ts';

/** Changes one command, which comes with its CR LF. */
export type Accent = (command: string) => string;

/** "helo pc-7.dyn.load.example", "mail from:<…>". */
export const smallLetters: Accent = (command) =>
  command.replace(/^(?:HELO|EHLO|DATA|QUIT|MAIL FROM:|RCPT TO:)/, (words) => words.toLowerCase());

/** "HELO friend", "MAIL FROM: <…>". */
export const clumsy: Accent = (command) =>
  command.replace(/^(HELO|EHLO) .*/, 'HELO friend').replace(/^(MAIL FROM|RCPT TO):/, '$1: ');

const decoder = new TextDecoder();
const COMMAND = /^(?:HELO|EHLO|MAIL|RCPT|DATA|QUIT)\b/;

export class Accented implements Bot {
  readonly name: string;
  readonly honest: boolean;
  readonly #inside: Bot;
  readonly #accent: Accent;

  constructor(inside: Bot, accent: Accent) {
    this.name = inside.name;
    this.honest = inside.honest;
    this.#inside = inside;
    this.#accent = accent;
  }

  start(me: BotRow, random: Random): void {
    this.#inside.start(me, random);
  }

  react(me: BotRow, seen: Seen, nowMs: number, random: Random, move: Move): void {
    this.#inside.react(me, seen, nowMs, random, move);
    if (move.bytes === null || move.offeredId !== '') return;
    const said = decoder.decode(move.bytes);
    if (COMMAND.test(said)) move.bytes = ascii(this.#accent(said));
  }
}
