/**
 * perfect — a zombie that speaks as a real mail server does, QUIT included
 *
 * Nothing in its dialogue gives it away: it is the polite sender's, with mail that nobody asked for. All that is left
 * to tell it by is how long it stays and where it comes from.
 */
import type { Random } from '../../src/base/prng.ts';
import { drawPatienceMs, rfc5321Timers } from './patience.ts';
import type { PatienceBand } from './patience.ts';
import { PoliteMta } from './polite-mta.ts';
import type { Post } from './post.ts';

export class Perfect extends PoliteMta {
  override readonly honest = false;
  readonly #patience: readonly PatienceBand[];

  /** `patience`: from the connection until it leaves, whatever it was waiting for. */
  constructor(name: string, post: Post, patience: readonly PatienceBand[]) {
    super(post, rfc5321Timers, name);
    this.#patience = patience;
  }

  protected override totalMs(random: Random): number {
    return drawPatienceMs(this.#patience, random);
  }
}
