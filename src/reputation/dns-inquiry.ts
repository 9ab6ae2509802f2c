/**
 * dns-inquiry — one client that is being looked up, and who wants to know
 *
 * All sessions of a client (IPv4 address or IPv6 /64) that come while it is looked up share one inquiry: each list
 * is asked once. It ends when every list has answered or was given up.
 */
import type { Handle } from '../base/handle.ts';
import type { Known } from './dns-cache.ts';
import type { Words } from './dns-names.ts';
import { clientKeyOf, isIpv4Client } from './dns-names.ts';

/** A session that is to be told, by its handle and by what its shard needs to know it again. */
export interface Asker {
  readonly handle: Handle;
  readonly serial: number;
  readonly seat: number;
}

export class Inquiry {
  readonly key: number | string;
  readonly words: Words;
  readonly isIpv4: boolean;
  /** The client is of good standing: a list that has it is suspicious itself. */
  readonly isGood: boolean;
  readonly askers: Asker[] = [];
  /** What each zone says of it, by the zone's number; null for no evidence. */
  readonly listings: (Known | null)[];
  /** Answers that are still awaited. */
  open = 0;
  /** Something is known that was not told yet. */
  isNews = false;
  /** Something was told: whoever was told must hear of a change. */
  wasTold = false;

  /** Copies the address in words[at … at + 3]. */
  constructor(words: Words, at: number, isGood: boolean, zones: number) {
    this.words = [words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!];
    this.key = clientKeyOf(words, at);
    this.isIpv4 = isIpv4Client(words, at);
    this.isGood = isGood;
    this.listings = Array.from<Known | null>({ length: zones }).fill(null);
  }
}
