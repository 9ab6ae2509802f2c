/**
 * spammer — what most zombies have in common: a short script and little patience
 *
 * A turn-by-turn dialogue that takes any reply below 400 as its cue, leaves without QUIT when refused, and
 * leaves when its patience is over, whatever it was waiting for. As it stands it is the `hasty` zombie; the
 * others differ in one or two of the hooks (begins, heard, refused, woke).
 *
 * Sources: patience.ts for how long; about a quarter of a percent of honest sessions end without QUIT (MailChannels
 * blog), while bots hardly ever say it.
 */
import type { Random } from '../../src/base/prng.ts';
import { Saw, Stage } from './bot.ts';
import type { Bot, BotRow, Move, Seen } from './bot.ts';
import { drawPatienceMs } from './patience.ts';
import type { PatienceBand } from './patience.ts';
import { DATA, heloOfZombie, mailCommand, noteAnswer, rcptCommand, sayMessage } from './post.ts';
import type { Post } from './post.ts';

export class Spammer implements Bot {
  readonly name: string;
  readonly honest = false;
  protected readonly post: Post;
  readonly #patience: readonly PatienceBand[];

  constructor(name: string, post: Post, patience: readonly PatienceBand[]) {
    this.name = name;
    this.post = post;
    this.#patience = patience;
  }

  start(me: BotRow, random: Random): void {
    me.messagesLeft = 1 + random.below(this.post.messagesMax);
  }

  react(me: BotRow, seen: Seen, nowMs: number, random: Random, move: Move): void {
    switch (seen.what) {
      case Saw.Connected:
        me.connectedMs = nowMs;
        me.deadlineMs = nowMs + drawPatienceMs(this.#patience, random);
        me.stage = Stage.Greeting;
        move.wake(me.deadlineMs);
        return this.begins(me, nowMs, random, move);
      case Saw.Line:
        return this.heard(me, seen, nowMs, random, move);
      case Saw.Timer:
        return this.woke(me, nowMs, random, move);
      case Saw.Sent:
      case Saw.Closed:
    }
  }

  /** The connection is there. The usual zombie waits for the greeting. */
  protected begins(_me: BotRow, _nowMs: number, _random: Random, _move: Move): void {}

  /** A line came. The usual zombie waits for the last one and goes on. */
  protected heard(me: BotRow, seen: Seen, nowMs: number, random: Random, move: Move): void {
    if (seen.code === 0) move.hangUp('misled');
    else if (seen.isLast) this.proceed(me, seen.code, nowMs, random, move);
  }

  /** The timer fired. The usual zombie has only one reason for it. */
  protected woke(me: BotRow, nowMs: number, _random: Random, move: Move): void {
    if (nowMs >= me.deadlineMs) move.hangUp('gaveUp');
  }

  /** It was told no. The usual zombie has other addresses to try elsewhere. */
  protected refused(_me: BotRow, _nowMs: number, move: Move): void {
    move.hangUp('refused');
  }

  /** The next step of the script after a whole reply. */
  protected proceed(me: BotRow, code: number, nowMs: number, random: Random, move: Move): void {
    if (me.stage === Stage.Rcpt) return this.#afterRcpt(me, code, nowMs, random, move);
    if (me.stage === Stage.Dot) return this.#afterDot(me, code, nowMs, random, move);
    if (code >= 400) return this.refused(me, nowMs, move);
    switch (me.stage) {
      case Stage.Greeting:
        me.stage = Stage.Helo;
        return move.say(heloOfZombie(me));
      case Stage.Helo:
        return this.#mail(me, random, move);
      case Stage.Mail:
        me.stage = Stage.Rcpt;
        return move.say(rcptCommand(me, this.post, random));
      case Stage.Data:
        me.stage = Stage.Dot;
        return sayMessage(me, this.post, move);
      case Stage.Connecting:
      case Stage.Body:
      case Stage.Quit:
    }
  }

  #mail(me: BotRow, random: Random, move: Move): void {
    me.stage = Stage.Mail;
    me.messagesLeft -= 1;
    move.say(mailCommand(me, this.post, random));
  }

  #afterRcpt(me: BotRow, code: number, nowMs: number, random: Random, move: Move): void {
    if (code < 400) me.rcptsOk += 1;
    if (code === 421) return this.refused(me, nowMs, move);
    if (me.rcptsLeft > 0) return move.say(rcptCommand(me, this.post, random));
    if (me.rcptsOk === 0) return this.refused(me, nowMs, move);
    me.stage = Stage.Data;
    move.say(DATA);
  }

  #afterDot(me: BotRow, code: number, nowMs: number, random: Random, move: Move): void {
    // One that speaks a reply ahead hears DATA's 354 only now.
    if (code === 354) return;
    noteAnswer(me, this.post, code, move);
    if (code >= 400) return this.refused(me, nowMs, move);
    if (me.messagesLeft > 0) return this.#mail(me, random, move);
    move.hangUp('finished');
  }
}
