/**
 * crowd — the crowd of the tests: it writes down what is said, makes trouble for clients, and checks what they hear
 */
import { Stage, stageNames } from '../../loadgen/bots/bot.ts';
import type { Bot, Move } from '../../loadgen/bots/bot.ts';
import { Crowd, TICK_MS, beginsLine } from '../../loadgen/virtual/crowd.ts';
import type { SimTransport } from '../../loadgen/virtual/sim-transport.ts';
import type { Random } from '../../src/base/prng.ts';
import { Wheel } from '../../src/timing/wheel.ts';
import { TriedClient } from './client.ts';
import type { Offer, Trouble } from './client.ts';
import { must } from './failure.ts';
import type { Trace } from './trace.ts';

export class TriedCrowd extends Crowd<TriedClient> {
  /** Every client ever, by serial number. */
  readonly clients: TriedClient[] = [];
  /** Messages that were sent whole, by id. */
  readonly offers = new Map<string, Offer>();
  readonly #bots: readonly Bot[];
  readonly #random: Random;
  readonly #trace: Trace;
  readonly #stallEnds: Wheel;
  #bytes: Uint8Array = new Uint8Array(0);
  #isNewLine = false;

  /** `capacity`: clients that are there at once. */
  constructor(bots: readonly Bot[], capacity: number, random: Random, trace: Trace) {
    super(capacity);
    this.#bots = bots;
    this.#random = random;
    this.#trace = trace;
    this.#stallEnds = new Wheel(capacity, TICK_MS, 0);
  }

  override nextDueMs(): number {
    return Math.min(super.nextDueMs(), this.#stallEnds.nextDueMs());
  }

  /** A client begins to connect. */
  start(botNumber: number, address: string, net: SimTransport, trouble: Trouble): TriedClient {
    const serial = this.clients.length;
    const client = new TriedClient(
      {
        slot: this.newSlot(),
        serial,
        botNumber,
        bot: this.#bots[botNumber] as Bot,
        address,
        net,
        random: this.#random,
        startedMs: this.nowMs,
      },
      trouble,
    );
    this.clients.push(client);
    this.admit(client);
    this.#trace.note(this.nowMs, serial, 'dials', botNumber);
    this.#trace.tell(this.nowMs, serial, `client ${client.bot.name} ${address}, ${trouble.kind}`);
    return client;
  }

  override turn(): void {
    this.#stallEnds.advance(this.nowMs);
    for (let slot = this.#stallEnds.take(); slot >= 0; slot = this.#stallEnds.take()) {
      const client = this.clientAt(slot);
      if (client.trouble.kind === 'vanish' && !client.isOver) this.leave(client, 'reset');
      else if (!client.net.peerClosed(client.peer)) client.net.peerStall(client.peer, false);
    }
    super.turn();
  }

  protected override onConnected(client: TriedClient): void {
    this.#trace.note(this.nowMs, client.serial, 'connected', 0);
  }

  protected override onBytes(client: TriedClient, bytes: Uint8Array): void {
    if (this.#trace.follows(client.serial)) {
      this.#trace.said(this.nowMs, client.serial, 'S', Buffer.from(bytes).toString('latin1'));
    }
    this.#bytes = bytes;
    this.#isNewLine = beginsLine(client);
  }

  protected override onLine(client: TriedClient, code: number, isLast: boolean): void {
    if (code === 0) this.#mayBreakOff(client);
    if (code === 421) this.#mustBeOurs(client);
    if (code !== 0 && isLast) client.isGreeted = true;
    this.#trace.note(this.nowMs, client.serial, 'line', code);
    if (!isLast) return;
    client.replied(code);
    if (client.waitingSinceMs < 0) return;
    client.longestWaitMs = Math.max(client.longestWaitMs, this.nowMs - client.waitingSinceMs);
    client.waitingSinceMs = -1;
  }

  /** The one line that need not fit the one before: a refusal behind the first half of the greeting. */
  #mayBreakOff(client: TriedClient): void {
    const text = (this.#isNewLine ? '\n' : '') + Buffer.from(this.#bytes).toString('latin1');
    const isRefusal = !client.isGreeted && /\n(?:421|521|554) [^\r\n]*\r\n$/.test(text);
    must(
      isRefusal,
      'every line that Sluice says is a legal reply',
      client.serial,
      () => `got ${JSON.stringify(text)}`,
    );
  }

  /** A backend that goes down says nothing about the client: its 421 stays between it and Sluice. */
  #mustBeOurs(client: TriedClient): void {
    const text = Buffer.from(this.#bytes).toString('latin1');
    must(!text.includes('Going down'), "a client never hears the backend's 421", client.serial, () =>
      JSON.stringify(text),
    );
  }

  protected override onAnswer(client: TriedClient, id: string, code: number): void {
    this.#trace.note(this.nowMs, client.serial, 'answer', code);
    const offer = this.offers.get(id);
    if (offer !== undefined) offer.answer = code;
  }

  protected override say(client: TriedClient, bytes: Uint8Array, move: Move): void {
    const { net, peer, trouble } = client;
    client.says += 1;
    client.waitingSinceMs = this.nowMs;
    this.#trace.note(this.nowMs, client.serial, 'says', bytes.length);
    const text = Buffer.from(bytes).toString('latin1');
    this.#trace.said(this.nowMs, client.serial, 'C', text);
    client.remember(text);
    const isTroubled = client.says === trouble.at;
    if (isTroubled && trouble.kind === 'reset') {
      net.peerSend(peer, bytes.subarray(0, bytes.length >> 1));
      return this.leave(client, 'reset');
    }
    super.say(client, bytes, move);
    if (move.offeredId !== '') {
      const { helo, sender, recipients } = client;
      this.offers.set(move.offeredId, {
        id: move.offeredId,
        bytes: move.offeredBytes,
        client,
        helo,
        sender,
        recipients: [...recipients],
        answer: 0,
      });
    }
    if (isTroubled && trouble.kind === 'halfClose') net.peerFinish(peer);
    if (isTroubled && trouble.kind === 'vanish')
      this.#stallEnds.arm(client.slot, this.nowMs + trouble.stallMs);
    if (isTroubled && trouble.kind === 'stall') this.#stall(client, trouble.stallMs);
  }

  #stall(client: TriedClient, stallMs: number): void {
    this.#trace.note(this.nowMs, client.serial, 'fault', stallMs);
    client.net.peerStall(client.peer, true);
    this.#stallEnds.arm(client.slot, this.nowMs + stallMs);
  }

  protected override onLeave(client: TriedClient): void {
    const as = client.endedAs;
    this.#trace.note(this.nowMs, client.serial, 'leaves', as.length);
    const { stage } = this.memory.row(client.slot);
    this.#trace.tell(this.nowMs, client.serial, `client leaves: ${as}, at ${stageNames[stage]}`);
    // Honest kinds with timers of their own are judged where they are let in (broken-honest).
    const mustGive = client.bot.name === 'polite' && client.trouble.kind === 'none' && as === 'gaveUp';
    must(
      !mustGive || stage === Stage.Dot,
      'no honest sender waits beyond its timers',
      client.serial,
      () => `it gave up at ${stageNames[stage]}`,
    );
  }

  protected override onGone(client: TriedClient): void {
    this.#stallEnds.cancel(client.slot);
  }
}
