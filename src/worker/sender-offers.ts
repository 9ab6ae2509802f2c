/**
 * sender-offers — what a shard found out about good senders, on its way to the primary
 *
 * Collected during a turn and sent behind it as one message, so that a burst of mail costs one. The same domain from the
 * same network is told once in TOLD_MS; the primary, which hears all shards, is stricter (primary/pool-desk).
 * At most OFFERS_MAX go with one turn: what is left out comes again with the sender's next message.
 */
import { formatAddress } from '../base/address.ts';
import { Lately } from '../base/lately.ts';
import { networkKey, newKey } from '../reputation/keys.ts';
import type { SenderPools } from '../reputation/sender-pools.ts';
import type { Clock } from '../timing/clock.ts';
import type { SenderOffer } from './messages.ts';

const OFFERS_MAX = 256;
const TOLD_MAX = 10_000;
const TOLD_MS = 600_000;
/** No host name is longer; what is, is none. */
const HELO_CHARACTERS_MAX = 253;

const key = newKey();

export class SenderOffers implements SenderPools {
  readonly enabled: boolean;
  readonly #clock: Clock;
  readonly #told = new Lately(TOLD_MAX, TOLD_MS);
  #offers: SenderOffer[] = [];

  constructor(enabled: boolean, clock: Clock) {
    this.enabled = enabled;
    this.#clock = clock;
  }

  offer(words: Uint32Array, at: number, domain: string, helo: string): void {
    if (this.#offers.length >= OFFERS_MAX) return;
    networkKey(words, at, key);
    if (!this.#told.note(`${key[0]} ${key[1]} ${domain}`, this.#clock.nowMs())) return;
    this.#offers.push({
      address: formatAddress(words, at),
      domain,
      helo: helo.length > HELO_CHARACTERS_MAX ? '' : helo,
    });
  }

  /** What was collected since the last call; null when that is nothing. */
  takeAll(): readonly SenderOffer[] | null {
    if (this.#offers.length === 0) return null;
    const offers = this.#offers;
    this.#offers = [];
    return offers;
  }
}
