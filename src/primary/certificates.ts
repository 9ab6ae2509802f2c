/**
 * certificates — the pairs of certificate and key that listeners show, and their renewal at SIGHUP
 *
 * The primary reads the files and hands their text to the shards, so the key may be readable for root alone and a shard
 * that is started again needs no file. At SIGHUP both are read anew: a pair that can be used replaces the one before
 * in new handshakes; one that cannot is told with its reason and changes nothing.
 *
 * The keys of session tickets are drawn here, for each listener its own, and anew with each renewal: what was
 * sealed under the old certificate is not resumed under the new one.
 */
import { randomBytes } from 'node:crypto';
import type { Config } from '../config/config.ts';
import { readKeyPair } from '../config/key-pairs.ts';
import type { TlsIdentity } from '../io/tls-contexts.ts';

const TICKET_KEY_BYTES = 48;

/** What each listener shows, by its number; null for one without TLS. */
export type Identities = readonly (TlsIdentity | null)[];

export class Certificates {
  readonly #listeners: Config['listener'];
  readonly #say: (line: string) => void;
  /** What is shown now. */
  identities: Identities;

  /** Reads what the configuration names; `say` tells an operator what is wrong with it. */
  constructor(config: Config, say: (line: string) => void) {
    this.#listeners = config.listener;
    this.#say = say;
    this.identities = config.listener.map(() => null);
    this.identities = this.#read();
  }

  /** Whether every listener that shall have a certificate has one. */
  get complete(): boolean {
    return this.#listeners.every(({ tls }, at) => tls.certificate === '' || this.identities[at] !== null);
  }

  /** Reads all of them anew and gives them to `hand`; says what became of each. */
  renew(hand: (identities: Identities) => void): void {
    if (this.#listeners.every(({ tls }) => tls.certificate === '')) return;
    const before = this.identities;
    this.identities = this.#read();
    for (const [at, { address, tls }] of this.#listeners.entries()) {
      if (tls.certificate !== '' && this.identities[at] !== before[at])
        this.#say(`listener ${address}: certificate and key were read anew`);
    }
    hand(this.identities);
  }

  #read(): Identities {
    return this.#listeners.map(({ address, tls }, at) => {
      if (tls.certificate === '') return null;
      const pair = readKeyPair(tls);
      const old = this.identities[at] ?? null;
      if ('says' in pair) {
        const kept = old === null ? '' : '; the one before stays in use';
        this.#say(`listener ${address}: ${pair.part}: ${pair.says}${kept}`);
        return old;
      }
      if (pair.untilMs < Date.now()) {
        const day = new Date(pair.untilMs).toISOString().slice(0, 10);
        this.#say(`listener ${address}: the certificate expired on ${day}`);
      }
      return { certificate: pair.certificate, key: pair.key, ticketKeys: randomBytes(TICKET_KEY_BYTES) };
    });
  }
}
