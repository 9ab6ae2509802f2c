/**
 * dns-port — DNS lists as a shard sees them: asked and answered over the thread's port
 *
 * What a turn wants to know leaves in one message behind it, and what comes back is noted for the next turn. The
 * primary's desk (primary/dns-desk) does the rest; when it never answers, sessions go on without evidence.
 *
 * A handle alone does not tell a session from one that has its slot 1,024 sessions later, and an answer may be ten
 * seconds late: each question has a serial number, and an answer to another than the slot's last one is dropped.
 */
import { NO_HANDLE, slotOf } from '../base/handle.ts';
import type { Handle } from '../base/handle.ts';
import type { DnsAnswer, DnsLists } from '../reputation/dns-lists.ts';
import type { DnsAsks, DnsFound } from './messages.ts';

/** Answers that wait for a turn; a shard that does not take turns for so long has other troubles. */
const FOUND_MAX = 100_000;

const NOTHING: DnsAnswer = { weight: 0, zones: [], reason: '', isLast: true };

export class DnsPort implements DnsLists {
  readonly enabled: boolean;
  answer: DnsAnswer = NOTHING;
  /** Called when something was noted. */
  onNoted: () => void = () => undefined;
  readonly #start: string;
  readonly #serials: Uint32Array;
  #serial = 0;
  #handles: Handle[] = [];
  #asked: number[] = [];
  #words: number[] = [];
  #good: number[] = [];
  #found: DnsFound[] = [];
  #taken = 0;

  /** `start` names this start of this shard; `capacity` is the number of its slots. */
  constructor(enabled: boolean, start: string, capacity: number) {
    this.enabled = enabled;
    this.#start = start;
    this.#serials = new Uint32Array(enabled ? capacity : 0);
  }

  ask(handle: Handle, words: Uint32Array, at: number, isGood: boolean): void {
    this.#serial = (this.#serial + 1) >>> 0;
    this.#serials[slotOf(handle)] = this.#serial;
    this.#handles.push(handle);
    this.#asked.push(this.#serial);
    for (let place = 0; place < 4; place++) this.#words.push(words[at + place]!);
    this.#good.push(isGood ? 1 : 0);
  }

  /** What was asked since the last call, null when nothing was. */
  takeAsks(): DnsAsks | null {
    if (this.#handles.length === 0) return null;
    const asks = {
      start: this.#start,
      handles: this.#handles,
      serials: this.#asked,
      words: this.#words,
      good: this.#good,
    };
    this.#handles = [];
    this.#asked = [];
    this.#words = [];
    this.#good = [];
    return asks;
  }

  /** Notes what the desk has found out for this start of the shard. */
  take(start: string, found: readonly DnsFound[]): void {
    if (start !== this.#start) return;
    for (const one of found) if (this.#found.length < FOUND_MAX) this.#found.push(one);
    this.onNoted();
  }

  next(): Handle {
    while (this.#taken < this.#found.length) {
      const { handle, serial, answer } = this.#found[this.#taken++]!;
      if (this.#serials[slotOf(handle)] !== serial) continue;
      this.answer = answer;
      return handle;
    }
    this.#found.length = 0;
    this.#taken = 0;
    return NO_HANDLE;
  }
}
