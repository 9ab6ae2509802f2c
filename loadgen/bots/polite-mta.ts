/**
 * polite-mta — an honest sender: waits for every last line, and as long as the standard says
 *
 * It reads the whole multi-line greeting before it speaks, sends one command at a time, waits 5 minutes for
 * a reply, 2 for DATA's, 10 for the final one, quits properly, and retries nothing by itself. One that
 * leaves `gaveUp`, or a message of its that nobody stored, is a fault of the server.
 *
 * Sources: RFC 5321 sections 3.1, 4.3.1 and 4.5.3.2.
 */
import type { Random } from '../../src/base/prng.ts';
import { Saw, Stage } from './bot.ts';
import type { Bot, BotRow, Move, Seen } from './bot.ts';
import { rfc5321Timers } from './patience.ts';
import type { SmtpTimers } from './patience.ts';
import { DATA, QUIT, ehloOfServer, mailCommand, noteAnswer, rcptCommand, sayMessage } from './post.ts';
import type { Post } from './post.ts';

const BLOCK_BYTES = 65_536;

export class PoliteMta implements Bot {
  readonly name: string = 'polite';
  readonly honest = true;
  readonly #post: Post;
  readonly #timers: SmtpTimers;

  constructor(post: Post, timers: SmtpTimers = rfc5321Timers) {
    this.#post = post;
    this.#timers = timers;
  }

  start(me: BotRow, random: Random): void {
    me.messagesLeft = 1 + random.below(this.#post.messagesMax);
  }

  react(me: BotRow, seen: Seen, nowMs: number, random: Random, move: Move): void {
    switch (seen.what) {
      case Saw.Connected:
        me.connectedMs = nowMs;
        me.stage = Stage.Greeting;
        return move.wake(nowMs + this.#timers.greetMs);
      case Saw.Line:
        if (seen.code === 0) return move.hangUp('misled');
        if (seen.isLast) this.#obey(me, seen.code, nowMs, random, move);
        return;
      case Saw.Sent:
        if (me.stage !== Stage.Body) return;
        me.stage = Stage.Dot;
        return move.wake(nowMs + this.#timers.dotMs);
      case Saw.Timer:
        return move.hangUp('gaveUp');
      case Saw.Closed:
    }
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
        return move.wake(nowMs + this.#timers.dataMs);
      case Stage.Data:
        return code === 354 ? this.#body(me, nowMs, move) : this.#quit(me, nowMs, move);
      case Stage.Body:
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
    move.wake(nowMs + this.#timers.commandMs);
  }

  #mail(me: BotRow, nowMs: number, random: Random, move: Move): void {
    me.messagesLeft -= 1;
    this.#command(me, Stage.Mail, mailCommand(me, this.#post, random), nowMs, move);
  }

  #rcpt(me: BotRow, nowMs: number, random: Random, move: Move): void {
    this.#command(me, Stage.Rcpt, rcptCommand(me, this.#post, random), nowMs, move);
  }

  #body(me: BotRow, nowMs: number, move: Move): void {
    me.stage = Stage.Body;
    sayMessage(me, this.#post, move);
    move.tellWhenSent = true;
    const blocks = Math.ceil((me.bodyBytes + 1) / BLOCK_BYTES);
    move.wake(nowMs + blocks * this.#timers.blockMs);
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
