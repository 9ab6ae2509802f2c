/**
 * pregreeter — a zombie that cannot wait for its turn
 *
 * Half of them speak within two seconds of connecting, before any greeting; the other half speak after the
 * first line of a greeting, taking "220-" for the whole of it. From then on each reply is taken as the cue
 * for the next command, so they stay one command ahead for the rest of the session.
 *
 * Source: W. Venema at LISA 2010: over 60 % and over 70 % of bots at two sites speak
 * before the greeting; "220-" in front of a pause is what finds them.
 */
import type { Random } from '../../src/base/prng.ts';
import { Stage } from './bot.ts';
import type { BotRow, Move, Seen } from './bot.ts';
import { heloOfZombie } from './post.ts';
import { Spammer } from './spammer.ts';

const EARLY_MS_MAX = 2_000;
const AFTER_FIRST_LINE = 0;
const AT_ONCE = 1;

export class Pregreeter extends Spammer {
  protected override begins(me: BotRow, nowMs: number, random: Random, move: Move): void {
    me.mood = random.below(2);
    if (me.mood === AT_ONCE) move.wake(Math.min(me.deadlineMs, nowMs + random.below(EARLY_MS_MAX)));
  }

  protected override woke(me: BotRow, nowMs: number, random: Random, move: Move): void {
    if (nowMs >= me.deadlineMs || me.stage !== Stage.Greeting) return super.woke(me, nowMs, random, move);
    this.#speak(me, move);
  }

  protected override heard(me: BotRow, seen: Seen, nowMs: number, random: Random, move: Move): void {
    if (me.stage === Stage.Greeting && me.mood === AFTER_FIRST_LINE && seen.code < 400 && seen.code !== 0) {
      return this.#speak(me, move);
    }
    super.heard(me, seen, nowMs, random, move);
  }

  #speak(me: BotRow, move: Move): void {
    me.stage = Stage.Helo;
    move.say(heloOfZombie(me));
    move.wake(me.deadlineMs);
  }
}
