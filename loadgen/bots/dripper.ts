/**
 * dripper — a slow loris: one byte a second, never quite idle
 *
 * Waits for the greeting, then sends its commands one byte at a time and goes on with a body that never
 * ends. It hears nothing. Limits on time per read never catch it; a limit on time per line does.
 *
 * Sources: postscreen(8), which limits the time for a whole command and not for each read; about 1 % of spambots
 * hang (W. Venema, LISA 2010).
 */
import type { Random } from '../../src/base/prng.ts';
import { Stage } from './bot.ts';
import type { BotRow, Move, Seen } from './bot.ts';
import { ascii } from './message.ts';
import type { PatienceBand } from './patience.ts';
import type { Post } from './post.ts';
import { Spammer } from './spammer.ts';

const DRIP_INTERVAL_MS = 1_000;

export class Dripper extends Spammer {
  readonly #script: Uint8Array;
  readonly #loopFrom: number;

  constructor(name: string, post: Post, patience: readonly PatienceBand[]) {
    super(name, post, patience);
    const commands = `HELO drip.load.example\r\nMAIL FROM:<drip@load.example>\r\nRCPT TO:<user1@${post.rcptDomain}>\r\nDATA\r\n`;
    this.#script = ascii(`${commands}drip drip drip\r\n`);
    this.#loopFrom = commands.length;
  }

  protected override heard(me: BotRow, seen: Seen, nowMs: number, _random: Random, move: Move): void {
    if (me.stage !== Stage.Greeting || !seen.isLast) return;
    me.stage = Stage.Helo;
    move.wake(Math.min(me.deadlineMs, nowMs + DRIP_INTERVAL_MS));
  }

  protected override woke(me: BotRow, nowMs: number, random: Random, move: Move): void {
    if (nowMs >= me.deadlineMs) return super.woke(me, nowMs, random, move);
    move.say(this.#script.subarray(me.progress, me.progress + 1));
    me.progress += 1;
    if (me.progress === this.#script.length) me.progress = this.#loopFrom;
    if (me.progress >= this.#loopFrom) me.stage = Stage.Body;
    move.wake(Math.min(me.deadlineMs, nowMs + DRIP_INTERVAL_MS));
  }
}
