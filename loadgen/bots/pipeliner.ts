/**
 * pipeliner — a zombie that waits for the greeting, then says everything in one go
 *
 * HELO, MAIL, RCPT, DATA, the message and QUIT leave in one write, whatever the server offers; then it
 * listens until the server closes or its patience is over.
 *
 * Source: W. Venema at LISA 2010: about 1 % of spambots pipeline before it is offered.
 */
import type { Random } from '../../src/base/prng.ts';
import { Stage } from './bot.ts';
import type { BotRow, Move, Seen } from './bot.ts';
import { DATA, QUIT, heloOfZombie, mailCommand, noteAnswer, rcptCommand, sayMessage } from './post.ts';
import { Spammer } from './spammer.ts';

export class Pipeliner extends Spammer {
  protected override heard(me: BotRow, seen: Seen, nowMs: number, random: Random, move: Move): void {
    if (seen.code === 0) return move.hangUp('misled');
    if (!seen.isLast) return;
    if (me.stage === Stage.Greeting) {
      if (seen.code >= 400) return this.refused(me, nowMs, move);
      return this.#sayAll(me, random, move);
    }
    // Everything is said. The reply after the 354 is the message's; before a 354 nothing was taken as a message.
    if (seen.code === 354) {
      me.stage = Stage.Dot;
    } else if (me.stage === Stage.Dot) {
      me.stage = Stage.Quit;
      noteAnswer(me, this.post, seen.code, move);
    } else if (seen.code === 221) {
      move.hangUp(me.stage === Stage.Quit ? 'finished' : 'refused');
    }
  }

  #sayAll(me: BotRow, random: Random, move: Move): void {
    me.stage = Stage.Helo;
    const parts = [heloOfZombie(me), mailCommand(me, this.post, random)];
    while (me.rcptsLeft > 0) parts.push(rcptCommand(me, this.post, random));
    sayMessage(me, this.post, move);
    parts.push(DATA, move.bytes as Uint8Array, QUIT);
    const all = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    move.say(all);
  }
}
