/**
 * fates — what befalls a simulated backend at each step
 *
 * Drawn from the backend's own generator, by the faults that the seed has switched on. With none on, every
 * answer comes within three ticks and every connection lives for as long as Sluice wants.
 */
import type { Random } from '../../src/base/prng.ts';
import type { Faults } from './swarm.ts';

/** Where a conversation stands when its fate is drawn. */
export type Step = 'greeting' | 'hello' | 'xclient' | 'mail' | 'rcpt' | 'data' | 'body' | 'dot' | 'rset';

/** What happens instead of, or besides, the usual answer. */
export type Deed =
  | 'usual'
  | 'close'
  | 'reset'
  | 'replyThenClose'
  | 'replyThenReset'
  | 'silent'
  | 'garbage'
  | 'halfReply'
  | 'extra'
  | 'say421'
  | 'say451'
  | 'say550'
  | 'storeThenClose'
  | 'storeThenReset'
  | 'storeThenSilent';

export interface Fate {
  readonly deed: Deed;
  readonly delayMs: number;
}

const closings: readonly Deed[] = ['close', 'reset', 'replyThenClose', 'replyThenReset'];
const closingsAtDot: readonly Deed[] = [...closings, 'storeThenClose', 'storeThenReset'];

export class Fates {
  readonly #random: Random;
  #faults: Faults;

  constructor(random: Random, faults: Faults) {
    this.#random = random;
    this.#faults = faults;
  }

  /** From now on nothing befalls the backend. */
  calm(): void {
    this.#faults = new Set();
  }

  /** How a connect is met. */
  dial(): 'accept' | 'refuse' | 'silent' {
    if (!this.#happens('refusingBackend', 20)) return 'accept';
    return this.#random.below(4) === 0 ? 'silent' : 'refuse';
  }

  /** How long a connection that rests stays open, 0 for as long as it is wanted. */
  restMs(): number {
    return this.#happens('closingBackend', 20) ? 10 + this.#random.below(3_000) : 0;
  }

  /** What happens at a step. */
  at(step: Step): Fate {
    const isSlow = this.#happens('slowBackend', 10);
    return {
      deed: this.#deed(step),
      delayMs: isSlow ? 200 + this.#random.below(20_000) : 10 * this.#random.below(3),
    };
  }

  #deed(step: Step): Deed {
    if (this.#happens('closingBackend', 5)) return this.#oneOf(step === 'dot' ? closingsAtDot : closings);
    if (this.#happens('silentBackend', 3))
      return step === 'dot' && this.#random.below(2) === 0 ? 'storeThenSilent' : 'silent';
    if (this.#happens('garbageBackend', 4)) return this.#garbage(step);
    if (step === 'greeting' && this.#happens('refusingBackend', 15)) return this.#oneOf(['say421', 'say550']);
    if (step === 'xclient' && this.#happens('refusingBackend', 8)) return 'say550';
    if (isTransactional(step) && this.#happens('temporaryBackend', 8)) return this.#refusal(step);
    return 'usual';
  }

  #garbage(step: Step): Deed {
    // A surplus reply behind 354 that comes in a piece of its own cannot be told from the answer to the message.
    const canTell = step !== 'data' || !this.#faults.has('splitReads');
    return this.#oneOf(canTell ? ['garbage', 'halfReply', 'extra'] : ['garbage', 'halfReply']);
  }

  #refusal(step: Step): Deed {
    if (step === 'body') return this.#oneOf(['say421', 'say451']);
    return this.#oneOf(step === 'dot' ? ['say451', 'say421', 'say550'] : ['say451', 'say421']);
  }

  #happens(fault: Parameters<Faults['has']>[0], percent: number): boolean {
    return this.#faults.has(fault) && this.#random.below(100) < percent;
  }

  #oneOf(deeds: readonly Deed[]): Deed {
    return deeds[this.#random.below(deeds.length)] as Deed;
  }
}

function isTransactional(step: Step): boolean {
  return step === 'mail' || step === 'rcpt' || step === 'data' || step === 'body' || step === 'dot';
}
