/**
 * crowd — lets bots act over the wires of simulated shards
 *
 * The virtual-clock twin of loadgen/drivers/socket-driver: it keeps the same rules for the same bots (bots/bot),
 * hears and says through memory transports, and adds what a network may do to a client. Only wires that moved
 * and timers that are due are looked at.
 */
import { Move, Saw, Seen, Stage, stageNames } from '../../loadgen/bots/bot.ts';
import type { Bot } from '../../loadgen/bots/bot.ts';
import { BotMemory } from '../../loadgen/bots/memory.ts';
import { READER_START, endsLine, isLastLine, lineCode, readByte } from '../../loadgen/bots/reply-reader.ts';
import { FreeList } from '../../src/base/free-list.ts';
import type { Random } from '../../src/base/prng.ts';
import { Wheel } from '../../src/timing/wheel.ts';
import type { PeerHandle } from '../../src/transport/memory-transport.ts';
import { Client } from './client.ts';
import type { Offer, Trouble } from './client.ts';
import { PORT_BASE } from './house.ts';
import { must } from './failure.ts';
import type { SimTransport } from './sim-transport.ts';
import type { Trace } from './trace.ts';

const TICK_MS = 10;

export class Crowd {
  /** Every client ever, by serial number. */
  readonly clients: Client[] = [];
  /** Messages that were sent whole, by id. */
  readonly offers = new Map<string, Offer>();
  readonly #bots: readonly Bot[];
  readonly #random: Random;
  readonly #trace: Trace;
  readonly #memory: BotMemory;
  readonly #slots: FreeList;
  readonly #wheel: Wheel;
  readonly #stallEnds: Wheel;
  readonly #bySlot: (Client | undefined)[];
  readonly #byPeer = new Map<PeerHandle, Client>();
  readonly #seen = new Seen();
  readonly #move = new Move();
  #nowMs = 0;

  /** `capacity`: clients that are there at once. */
  constructor(bots: readonly Bot[], capacity: number, random: Random, trace: Trace) {
    this.#bots = bots;
    this.#random = random;
    this.#trace = trace;
    this.#memory = new BotMemory(capacity);
    this.#slots = new FreeList(capacity);
    this.#wheel = new Wheel(capacity, TICK_MS, 0);
    this.#stallEnds = new Wheel(capacity, TICK_MS, 0);
    this.#bySlot = Array.from({ length: capacity });
  }

  /** Wires of clients that are not gone yet. */
  get wiresOpen(): number {
    return this.#byPeer.size;
  }

  nextDueMs(): number {
    return Math.min(this.#wheel.nextDueMs(), this.#stallEnds.nextDueMs());
  }

  /** Sets the time of what is heard and said next. */
  atMs(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  /** A client begins to connect. */
  start(botNumber: number, address: string, net: SimTransport, trouble: Trouble): Client {
    const slot = this.#slots.take();
    must(slot >= 0, 'the crowd has room', -1, () => 'more clients at once than the world was made for');
    const serial = this.clients.length;
    const ends = { address, port: PORT_BASE + serial, localAddress: '127.0.0.1', localPort: 25, listener: 0 };
    const client = new Client(
      slot,
      serial,
      botNumber,
      this.#bots[botNumber] as Bot,
      address,
      net,
      net.dial(ends),
      trouble,
      this.#nowMs,
    );
    this.clients.push(client);
    this.#bySlot[slot] = client;
    this.#byPeer.set(client.peer, client);
    client.bot.start(this.#memory.fresh(slot, serial), this.#random);
    this.#trace.note(this.#nowMs, serial, 'dials', botNumber);
    this.#trace.tell(this.#nowMs, serial, `client ${client.bot.name} ${address}, ${trouble.kind}`);
    return client;
  }

  /** What came over one shard's wires, after an advance. */
  hear(net: SimTransport): void {
    for (const peer of net.moved) {
      const client = this.#byPeer.get(peer);
      if (client !== undefined) this.#hear(client);
    }
  }

  /** Fires timers. */
  turn(): void {
    this.#stallEnds.advance(this.#nowMs);
    for (let slot = this.#stallEnds.take(); slot >= 0; slot = this.#stallEnds.take()) {
      const client = this.#bySlot[slot] as Client;
      if (client.trouble.kind === 'vanish' && !client.isOver) this.#leave(client, 'reset');
      else if (!client.net.peerClosed(client.peer)) client.net.peerStall(client.peer, false);
    }
    this.#wheel.advance(this.#nowMs);
    for (let slot = this.#wheel.take(); slot >= 0; slot = this.#wheel.take()) {
      this.#show(this.#bySlot[slot] as Client, this.#seen.event(Saw.Timer));
    }
  }

  #hear(client: Client): void {
    const { net, peer } = client;
    if (!client.isConnected && !client.isOver) {
      client.isConnected = true;
      this.#trace.note(this.#nowMs, client.serial, 'connected', 0);
      this.#show(client, this.#seen.event(Saw.Connected));
    }
    const bytes = net.peerReceived(peer);
    if (bytes.length > 0) this.#read(client, bytes);
    if (client.wantsSent && !client.isOver && net.peerUnsent(peer) === 0) {
      client.wantsSent = false;
      this.#show(client, this.#seen.event(Saw.Sent));
    }
    if (!net.peerSawEnd(peer) && !net.peerClosed(peer)) return;
    if (!client.isOver) {
      this.#show(client, this.#seen.event(Saw.Closed));
      if (!client.isOver) this.#leave(client, net.peerSawEnd(peer) ? 'closed' : 'reset');
    }
    if (net.peerClosed(peer)) this.#forget(client);
  }

  #read(client: Client, bytes: Uint8Array): void {
    if (this.#trace.follows(client.serial)) {
      this.#trace.said(this.#nowMs, client.serial, 'S', Buffer.from(bytes).toString('latin1'));
    }
    const isNewLine = client.reader === READER_START || endsLine(client.reader);
    for (const byte of bytes) {
      if (client.isOver) return;
      client.reader = readByte(client.reader, byte);
      if (!endsLine(client.reader)) continue;
      const code = lineCode(client.reader);
      const isLast = isLastLine(client.reader);
      if (code === 0) this.#mayBreakOff(client, bytes, isNewLine);
      if (code === 421) this.#mustBeOurs(client, bytes);
      if (code !== 0 && isLast) client.isGreeted = true;
      this.#trace.note(this.#nowMs, client.serial, 'line', code);
      if (isLast) this.#replied(client, code);
      this.#show(client, this.#seen.line(code, isLast));
    }
  }

  /** The one line that need not fit the one before: a refusal behind the first half of the greeting. */
  #mayBreakOff(client: Client, bytes: Uint8Array, isNewLine: boolean): void {
    const text = (isNewLine ? '\n' : '') + Buffer.from(bytes).toString('latin1');
    const isRefusal = !client.isGreeted && /\n(?:421|521|554) [^\r\n]*\r\n$/.test(text);
    must(
      isRefusal,
      'every line that Sluice says is a legal reply',
      client.serial,
      () => `got ${JSON.stringify(text)}`,
    );
  }

  /** A backend that goes down says nothing about the client: its 421 stays between it and Sluice. */
  #mustBeOurs(client: Client, bytes: Uint8Array): void {
    const text = Buffer.from(bytes).toString('latin1');
    must(!text.includes('Going down'), "a client never hears the backend's 421", client.serial, () =>
      JSON.stringify(text),
    );
  }

  #replied(client: Client, code: number): void {
    client.replied(code);
    if (client.waitingSinceMs < 0) return;
    client.longestWaitMs = Math.max(client.longestWaitMs, this.#nowMs - client.waitingSinceMs);
    client.waitingSinceMs = -1;
  }

  /** Shows a bot one thing and does what it wants. */
  #show(client: Client, seen: Seen): void {
    if (client.isOver) return;
    const move = this.#move;
    move.clear();
    client.bot.react(this.#memory.row(client.slot), seen, this.#nowMs, this.#random, move);
    if (move.answer !== 0) this.#answered(client, move.answeredId, move.answer);
    if (move.wakeMs >= 0) this.#wheel.arm(client.slot, move.wakeMs);
    const { parting, halfCloses } = move;
    if (move.bytes !== null) this.#say(client, move.bytes, move);
    if (client.isOver) return;
    if (parting !== 'none') this.#leave(client, parting);
    else if (halfCloses && !client.peer.finished) client.net.peerFinish(client.peer);
  }

  #answered(client: Client, id: string, code: number): void {
    this.#trace.note(this.#nowMs, client.serial, 'answer', code);
    const offer = this.offers.get(id);
    if (offer !== undefined) offer.answer = code;
  }

  #say(client: Client, bytes: Uint8Array, move: Move): void {
    const { net, peer, trouble } = client;
    if (peer.finished) return;
    client.says += 1;
    client.waitingSinceMs = this.#nowMs;
    this.#trace.note(this.#nowMs, client.serial, 'says', bytes.length);
    const text = Buffer.from(bytes).toString('latin1');
    this.#trace.said(this.#nowMs, client.serial, 'C', text);
    client.remember(text);
    const isTroubled = client.says === trouble.at;
    if (isTroubled && trouble.kind === 'reset') {
      net.peerSend(peer, bytes.subarray(0, bytes.length >> 1));
      return this.#leave(client, 'reset');
    }
    net.peerSend(peer, bytes);
    client.wantsSent = move.tellWhenSent;
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
      this.#stallEnds.arm(client.slot, this.#nowMs + trouble.stallMs);
    if (isTroubled && trouble.kind === 'stall') this.#stall(client, trouble.stallMs);
  }

  #stall(client: Client, stallMs: number): void {
    this.#trace.note(this.#nowMs, client.serial, 'fault', stallMs);
    client.net.peerStall(client.peer, true);
    this.#stallEnds.arm(client.slot, this.#nowMs + stallMs);
  }

  #leave(client: Client, as: Client['endedAs']): void {
    client.isOver = true;
    client.endedAs = as;
    client.endedMs = this.#nowMs;
    this.#wheel.cancel(client.slot);
    this.#trace.note(this.#nowMs, client.serial, 'leaves', as.length);
    const { stage } = this.#memory.row(client.slot);
    this.#trace.tell(this.#nowMs, client.serial, `client leaves: ${as}, at ${stageNames[stage]}`);
    // Honest kinds with timers of their own are judged where they are let in (broken-honest).
    const mustGive = client.bot.name === 'polite' && client.trouble.kind === 'none' && as === 'gaveUp';
    must(
      !mustGive || stage === Stage.Dot,
      'no honest sender waits beyond its timers',
      client.serial,
      () => `it gave up at ${stageNames[stage]}`,
    );
    const { net, peer } = client;
    if (net.peerClosed(peer)) return;
    // A process that exits with something unread resets; one that has read everything closes.
    if (as === 'reset' || this.#random.below(2) === 0) net.peerReset(peer);
    else if (!peer.finished) net.peerFinish(peer);
  }

  /** The wire is gone. */
  #forget(client: Client): void {
    this.#byPeer.delete(client.peer);
    this.#bySlot[client.slot] = undefined;
    this.#wheel.cancel(client.slot);
    this.#stallEnds.cancel(client.slot);
    this.#slots.give(client.slot);
  }
}
