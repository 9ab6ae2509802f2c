/**
 * harvester — tries names at RCPT to learn which exist, and never sends a message
 *
 * Turn by turn through a list of guesses, most of them wrong; quits without a word when the list is over.
 *
 * Source: Stringhini et al., USENIX Security 2012: zombies take the answer that a user does not exist as
 * feedback and drop the address from their lists.
 */
import type { Random } from '../../src/base/prng.ts';
import { Stage } from './bot.ts';
import type { BotRow, Move } from './bot.ts';
import { rcptCommand } from './post.ts';
import { Spammer } from './spammer.ts';

export class Harvester extends Spammer {
  protected override proceed(me: BotRow, code: number, nowMs: number, random: Random, move: Move): void {
    if (me.stage !== Stage.Rcpt) return super.proceed(me, code, nowMs, random, move);
    if (code === 421) return this.refused(me, nowMs, move);
    if (me.rcptsLeft === 0) return move.hangUp('finished');
    move.say(rcptCommand(me, this.post, random));
  }
}
