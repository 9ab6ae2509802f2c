/**
 * virtual-dns — a DNS list on the virtual clock that knows a part of the zombies
 *
 * Every question is answered, after 20 to 200 ms that follow from the address: in each run and under each plan the list
 * is as slow about the same client. Who is not on it is told so. What lists do wrong is not played here; that they then
 * harm nobody is tested elsewhere (test/system/dns-lists).
 */
import { formatAddress } from '../../src/base/address.ts';
import { NO_HANDLE, slotOf } from '../../src/base/handle.ts';
import type { Handle } from '../../src/base/handle.ts';
import { IntRing } from '../../src/base/ring.ts';
import type { DnsAnswer, DnsLists } from '../../src/reputation/dns-lists.ts';
import type { Zone } from '../../src/reputation/dns-zones.ts';
import { Wheel } from '../../src/timing/wheel.ts';
import { TICK_MS } from './crowd.ts';

const SOONEST_MS = 20;
const LATEST_MS = 200;

const CLEAN: DnsAnswer = { weight: 0, zones: [], reason: '', isLast: true };

export class VirtualDns implements DnsLists {
  readonly enabled = true;
  answer: DnsAnswer = CLEAN;
  onNoted: () => void = () => undefined;
  readonly #listed: DnsAnswer;
  readonly #isListed: (address: string) => boolean;
  readonly #wheel: Wheel;
  readonly #handles: Int32Array;
  readonly #onList: Uint8Array;
  /** Handles of sessions whose answer has come. */
  readonly #noted: IntRing;
  #nowMs = 0;

  /** `capacity`: slots of the shard that asks. A listing in `zone` adds what its heaviest block says. */
  constructor(capacity: number, zone: Zone, isListed: (address: string) => boolean) {
    const weight = Math.max(...zone.blocks.map((block) => block.weight));
    this.#listed = { weight, zones: [zone.shown], reason: '', isLast: true };
    this.#isListed = isListed;
    this.#wheel = new Wheel(capacity, TICK_MS, 0);
    this.#handles = new Int32Array(capacity);
    this.#onList = new Uint8Array(capacity);
    this.#noted = new IntRing(capacity);
  }

  ask(handle: Handle, words: Uint32Array, at: number): void {
    const slot = slotOf(handle);
    const address = formatAddress(words, at);
    this.#handles[slot] = handle;
    this.#onList[slot] = this.#isListed(address) ? 1 : 0;
    const scattered = (Math.imul(words[at + 3]!, 0x9e3779b1) >>> 8) % (LATEST_MS - SOONEST_MS + 1);
    this.#wheel.arm(slot, this.#nowMs + SOONEST_MS + scattered);
  }

  next(): Handle {
    const handle = this.#noted.shift() as Handle;
    if (handle === NO_HANDLE) return NO_HANDLE;
    this.answer = this.#onList[slotOf(handle)] === 1 ? this.#listed : CLEAN;
    return handle;
  }

  nextDueMs(): number {
    return this.#wheel.nextDueMs();
  }

  /** Notes what is due. */
  turn(nowMs: number): void {
    this.#nowMs = nowMs;
    this.#wheel.advance(nowMs);
    for (let slot = this.#wheel.take(); slot >= 0; slot = this.#wheel.take()) {
      this.#noted.push(this.#handles[slot]!);
      this.onNoted();
    }
  }
}
