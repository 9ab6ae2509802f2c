/**
 * impatient — a zombie known by the second at which it leaves
 *
 * It speaks properly and stays, refused or not, until its time since connecting is over; only a delivered
 * message lets it leave earlier. Rustock leaves at 21 seconds, Climbot at 100: the spikes in a histogram of
 * ages at disconnect by which the families were told apart.
 *
 * Source: MailChannels' blog, March 2009, with the Composite Block List to tell the families apart.
 */
import type { BotRow, Move } from './bot.ts';
import type { PatienceBand } from './patience.ts';
import { exactly } from './patience.ts';
import type { Post } from './post.ts';
import { Spammer } from './spammer.ts';

export const RUSTOCK_LEAVES_MS = 21_000;
export const CLIMBOT_LEAVES_MS = 100_000;

export class Impatient extends Spammer {
  /** `leaves`: milliseconds from the connection, or bands of them. */
  constructor(name: string, post: Post, leaves: number | readonly PatienceBand[]) {
    super(name, post, typeof leaves === 'number' ? exactly(leaves) : leaves);
  }

  protected override refused(_me: BotRow, _nowMs: number, _move: Move): void {
    // Stays: its patience is counted from the connection, not from what it hears.
  }
}
