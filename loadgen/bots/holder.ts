/**
 * holder — Storm's zombie: refused at RCPT, it says nothing and keeps the connection
 *
 * After any refusal it sits silent for five minutes, longer than most servers wait, and so keeps one server
 * process busy for each of them. How long it waits for a slow reply before that was not published: five to ten minutes, so that it
 * hears the refusal, unless it is given another patience.
 *
 * Source: W. Venema at LISA 2010: refused with 550 at 13:01:37, timed out at 13:06:37; a hundred server processes are kept busy this way.
 */
import { between } from './patience.ts';
import type { PatienceBand } from './patience.ts';
import type { BotRow, Move } from './bot.ts';
import type { Post } from './post.ts';
import { Spammer } from './spammer.ts';

export const STORM_HOLDS_MS = 300_000;

export class Holder extends Spammer {
  readonly #holdsMs: number;

  constructor(
    name: string,
    post: Post,
    holdsMs: number,
    patience: readonly PatienceBand[] = between(holdsMs, holdsMs * 2),
  ) {
    super(name, post, patience);
    this.#holdsMs = holdsMs;
  }

  protected override refused(me: BotRow, nowMs: number, move: Move): void {
    if (me.progress > 0) return;
    me.progress = 1;
    me.deadlineMs = nowMs + this.#holdsMs;
    move.wake(me.deadlineMs);
  }
}
