/**
 * polite-mta — an honest sender: waits for every last line, and as long as the standard says
 *
 * It reads the whole multi-line greeting before it speaks, sends one command at a time, waits 5 minutes for
 * a reply, 2 for DATA's, 10 for the final one, quits properly, and retries nothing by itself. One that
 * leaves `gaveUp`, or a message of its that nobody stored, is a fault of the server.
 *
 * A body leaves in blocks, the next as soon as the last was taken, each with a timer of its own. Given other timers
 * (patience.ts) it is one of the honest senders that do not keep the standard.
 *
 * Sources: RFC 5321 sections 3.1, 4.3.1 and 4.5.3.2.
 */
import type { Random } from '../../src/base/prng.ts';
import { Saw, Stage } from './bot.ts';
import type { Bot, BotRow, Move, Seen } from './bot.ts';
import { rfc5321Timers } from './patience.ts';
import type { SmtpTimers } from './patience.ts';
import { DATA, QUIT, ehloOfServer, mailCommand, noteAnswer, rcptCommand, sayBlock } from './post.ts';
import type { Post } from './post.ts';

/** In `mood`, where the next block of the body begins: the final dot was said. */
const ALL_SAID = -1;

export class PoliteMta implements Bot {
  readonly name: string;
  readonly honest: boolean = true;
  readonly #post: Post;
  readonly #timers: SmtpTimers;

  constructor(post: Post, timers: SmtpTimers = rfc5321Timers, name = 'polite') {
    this.#post = post;
    this.#timers = timers;
    this.name = name;
  }

  start(me: BotRow, random: Random): void {
    me.messagesLeft = 1 + random.below(this.#post.messagesMax);
  }

  react(me: BotRow, seen: Seen, nowMs: number, random: Random, move: Move): void {
    switch (seen.what) {
      case Saw.Connected:
        this.#begin(me, nowMs, random);
        return this.#wake(me, nowMs + this.#timers.greetMs, move);
      case Saw.Line:
        if (seen.code === 0) return move.hangUp('misled');
        if (seen.isLast) this.#obey(me, seen.code, nowMs, random, move);
        return;
      case Saw.Sent:
        if (me.stage !== Stage.Body) return;
        if (me.mood !== ALL_SAID) return this.#block(me, nowMs, move);
        me.stage = Stage.Dot;
        return this.#wake(me, nowMs + this.#timers.dotMs, move);
      case Saw.Timer:
        return move.hangUp('gaveUp');
      case Saw.Closed:
    }
  }

  /** How long it stays in all, 0 for as long as its timers let it. */
  protected totalMs(_random: Random): number {
    return this.#timers.totalMs;
  }

  #begin(me: BotRow, nowMs: number, random: Random): void {
    const totalMs = this.totalMs(random);
    me.connectedMs = nowMs;
    me.deadlineMs = totalMs === 0 ? 0 : nowMs + totalMs;
    me.stage = Stage.Greeting;
  }

  #wake(me: BotRow, atMs: number, move: Move): void {
    move.wake(me.deadlineMs === 0 ? atMs : Math.min(atMs, me.deadlineMs));
  }

  #obey(me: BotRow, code: number, nowMs: number, random: Random, move: Move): void {
    // 421 may answer anything: the server is about to close (RFC 5321 section 3.8).
    const isGood = code < 400;
    switch (me.stage) {
      case Stage.Greeting:
        return isGood
          ? this.#command(me, Stage.Helo, ehloOfServer(me), nowMs, move)
          : this.#quit(me, nowMs, move);
      case Stage.Helo:
        return isGood ? this.#mail(me, nowMs, random, move) : this.#quit(me, nowMs, move);
      case Stage.Mail:
        return isGood ? this.#rcpt(me, nowMs, random, move) : this.#quit(me, nowMs, move);
      case Stage.Rcpt:
        if (isGood) me.rcptsOk += 1;
        if (code === 421) return this.#quit(me, nowMs, move);
        if (me.rcptsLeft > 0) return this.#rcpt(me, nowMs, random, move);
        if (me.rcptsOk === 0) return this.#quit(me, nowMs, move);
        this.#command(me, Stage.Data, DATA, nowMs, move);
        return this.#wake(me, nowMs + this.#timers.dataMs, move);
      case Stage.Data:
        if (code !== 354) return this.#quit(me, nowMs, move);
        me.stage = Stage.Body;
        me.mood = 0;
        return this.#block(me, nowMs, move);
      case Stage.Body:
        // An answer in the middle of a body: what is said next would be taken for more of it.
        if (me.mood !== ALL_SAID) return move.hangUp('refused');
        return this.#answered(me, code, nowMs, random, move);
      case Stage.Dot:
        return this.#answered(me, code, nowMs, random, move);
      case Stage.Quit:
        return move.hangUp(me.progress > 0 ? 'refused' : 'finished');
      case Stage.Connecting:
    }
  }

  #command(me: BotRow, stage: Stage, bytes: Uint8Array, nowMs: number, move: Move): void {
    me.stage = stage;
    move.say(bytes);
    this.#wake(me, nowMs + this.#timers.commandMs, move);
  }

  #mail(me: BotRow, nowMs: number, random: Random, move: Move): void {
    me.messagesLeft -= 1;
    this.#command(me, Stage.Mail, mailCommand(me, this.#post, random), nowMs, move);
  }

  #rcpt(me: BotRow, nowMs: number, random: Random, move: Move): void {
    this.#command(me, Stage.Rcpt, rcptCommand(me, this.#post, random), nowMs, move);
  }

  #block(me: BotRow, nowMs: number, move: Move): void {
    me.mood = sayBlock(me, this.#post, me.mood, this.#timers.blockBytes, move);
    move.tellWhenSent = true;
    this.#wake(me, nowMs + this.#timers.blockMs, move);
  }

  #answered(me: BotRow, code: number, nowMs: number, random: Random, move: Move): void {
    noteAnswer(me, this.#post, code, move);
    if (code >= 400) return this.#quit(me, nowMs, move);
    if (me.messagesLeft > 0) return this.#mail(me, nowMs, random, move);
    this.#command(me, Stage.Quit, QUIT, nowMs, move);
  }

  /** Quits without having finished: what follows is counted as a refusal. */
  #quit(me: BotRow, nowMs: number, move: Move): void {
    me.progress = 1;
    this.#command(me, Stage.Quit, QUIT, nowMs, move);
  }
}
