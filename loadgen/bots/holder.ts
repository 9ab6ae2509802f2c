/**
 * holder — Storm's zombie: refused at RCPT, it says nothing and keeps the connection
 *
 * After any refusal it sits silent for five minutes, longer than most servers wait, and so keeps one server
 * process busy for each of them. Before that it is as patient as it needs to be to hear the refusal.
 *
 * Source: W. Venema at LISA 2010: refused with 550 at 13:01:37, timed out at 13:06:37; a hundred server processes are kept busy this way.
 */
import { between } from './patience.ts';
import type { BotRow, Move } from './bot.ts';
import type { Post } from './post.ts';
import { Spammer } from './spammer.ts';

export const STORM_HOLDS_MS = 300_000;

export class Holder extends Spammer {
  readonly #holdsMs: number;

  constructor(name: string, post: Post, holdsMs: number) {
    super(name, post, between(holdsMs, holdsMs * 2));
    this.#holdsMs = holdsMs;
  }

  protected override refused(me: BotRow, nowMs: number, move: Move): void {
    if (me.progress > 0) return;
    me.progress = 1;
    me.deadlineMs = nowMs + this.#holdsMs;
    move.wake(me.deadlineMs);
  }
}
