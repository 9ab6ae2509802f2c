/**
 * hanger — a zombie that stops in the middle: it says nothing more and does not leave
 *
 * It takes its turns up to a stage that it has drawn (silent from the start, or after a HELO, MAIL or RCPT that was
 * answered), and is then silent for longer than a server waits for a command.
 *
 * Source: W. Venema at LISA 2010: about 1 % of spambots hang until the server's read timeout.
 */
import type { Random } from '../../src/base/prng.ts';
import { Stage } from './bot.ts';
import type { BotRow, Move } from './bot.ts';
import { Spammer } from './spammer.ts';

/** The stages at which it may stop: what it heard last is the reply to this. */
const STOPS = [Stage.Greeting, Stage.Helo, Stage.Mail, Stage.Rcpt] as const;

export class Hanger extends Spammer {
  protected override begins(me: BotRow, _nowMs: number, random: Random, _move: Move): void {
    me.mood = STOPS[random.below(STOPS.length)] as Stage;
  }

  protected override proceed(me: BotRow, code: number, nowMs: number, random: Random, move: Move): void {
    if (me.stage < me.mood) super.proceed(me, code, nowMs, random, move);
  }

  protected override refused(_me: BotRow, _nowMs: number, _move: Move): void {
    // Hangs, whatever it is told.
  }
}
