/**
 * backend — the mail server behind the simulated shards
 *
 * Takes the calls of all shards' lanes, lets each conversation have its turn when something came for it or its time
 * has come, and keeps what was stored. Event-driven: a resting connection costs nothing.
 */
import type { Random } from '../../src/base/prng.ts';
import type { DialAnswer, PeerHandle } from '../../src/transport/memory-transport.ts';
import { Wheel } from '../../src/timing/wheel.ts';
import { Conversation } from './conversation.ts';
import type { House, Stored } from './house.ts';
import { must } from './failure.ts';
import { Fates } from './fates.ts';
import type { Fate, Step } from './fates.ts';
import type { SimTransport } from '../../loadgen/virtual/sim-transport.ts';
import type { Plan } from './seed-plan.ts';
import type { Trace } from './trace.ts';

const CONVERSATIONS_MAX = 200_000;
const TICK_MS = 10;

export class Backend implements House {
  readonly repeatsXclient: boolean;
  readonly takesAll: boolean;
  readonly pipelining: boolean;
  readonly splits: boolean;
  readonly finalTimeoutMs: number;
  readonly stored: Stored[] = [];
  /** Ids of messages that were answered 550. */
  readonly refusedIds = new Set<string>();
  /** Connections ever made. */
  dials = 0;
  readonly #fates: Fates;
  readonly #trace: Trace;
  readonly #lanesMax: number;
  readonly #wheel = new Wheel(CONVERSATIONS_MAX, TICK_MS, 0);
  readonly #open = new Map<PeerHandle, Conversation>();
  readonly #byNumber = new Map<number, Conversation>();
  #nowMs = 0;

  constructor(plan: Plan, random: Random, trace: Trace) {
    this.repeatsXclient = plan.backend.repeatsXclient;
    this.takesAll = plan.backend.takesAll ?? false;
    this.pipelining = plan.backend.pipelining;
    this.splits = plan.faults.has('splitReads');
    this.finalTimeoutMs = plan.config.backend.finalTimeoutMs;
    this.#lanesMax = plan.lanesMax;
    this.#fates = new Fates(random, plan.faults);
    this.#trace = trace;
  }

  /** From now on nothing goes wrong. */
  calm(): void {
    this.#fates.calm();
  }

  get connectionsOpen(): number {
    return this.#open.size;
  }

  /** When `turn` has something to do by time alone. */
  nextDueMs(): number {
    return this.#wheel.nextDueMs();
  }

  /** Somebody calls; for the transport's `onDial`. */
  dialled(net: SimTransport, peer: PeerHandle): DialAnswer {
    const answer = this.#fates.dial();
    this.dials += 1;
    this.#trace.note(this.#nowMs, -1, 'dials', this.dials);
    if (answer !== 'accept') return answer;
    const conversation = new Conversation(this.dials, net, peer, this, this.#nowMs);
    this.#open.set(peer, conversation);
    this.#byNumber.set(this.dials, conversation);
    must(
      this.#open.size <= this.#lanesMax,
      'no more connections than lanesMax',
      -1,
      () => `the shards have ${this.#open.size} of ${this.#lanesMax}`,
    );
    return 'accept';
  }

  /** Sets the time of what is dialled and said next. */
  atMs(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  /** What has come over one shard's wires, after an advance. */
  hear(net: SimTransport): void {
    for (const peer of net.moved) {
      const conversation = this.#open.get(peer);
      if (conversation === undefined) continue;
      conversation.hear(this.#nowMs);
      if (!net.peerClosed(peer)) continue;
      conversation.closed(this.#nowMs);
      this.#forget(conversation);
    }
  }

  /** What is due. */
  turn(): void {
    this.#wheel.advance(this.#nowMs);
    for (let number = this.#wheel.take(); number >= 0; number = this.#wheel.take()) {
      this.#byNumber.get(number)?.wake(this.#nowMs);
    }
  }

  fateAt(step: Step): Fate {
    return this.#fates.at(step);
  }

  restMs(): number {
    return this.#fates.restMs();
  }

  wakeAt(number: number, ms: number): void {
    this.#wheel.arm(number, ms);
  }

  store(stored: Stored): void {
    this.stored.push(stored);
    this.#trace.note(this.#nowMs, stored.port, 'stored', stored.text.length);
  }

  refused(id: string): void {
    this.refusedIds.add(id);
  }

  heard(ms: number, serial: number, who: 'B>' | 'B<', text: string): void {
    this.#trace.said(ms, serial, who, text);
  }

  #forget(conversation: Conversation): void {
    this.#open.delete(conversation.peer);
    this.#byNumber.delete(conversation.number);
    this.#wheel.cancel(conversation.number);
  }
}
