/**
 * crowd — lets bots act over the wires of simulated shards
 *
 * The virtual-clock twin of loadgen/drivers/socket-driver: it keeps the same rules for the same bots (bots/bot), and
 * hears and says through memory transports. Only wires that moved and timers that are due are looked at.
 *
 * What is to be known or spoilt of it, who extends it adds: the tests write everything down and make trouble for
 * clients (test/sim/crowd), a simulated town counts (townsfolk).
 */
import { assert } from '../../src/base/assert.ts';
import { FreeList } from '../../src/base/free-list.ts';
import { Wheel } from '../../src/timing/wheel.ts';
import type { PeerHandle } from '../../src/transport/memory-transport.ts';
import { Move, Saw, Seen } from '../bots/bot.ts';
import { BotMemory } from '../bots/memory.ts';
import { READER_START, endsLine, isLastLine, lineCode, readByte } from '../bots/reply-reader.ts';
import type { Client } from './client.ts';
import type { SimTransport } from './sim-transport.ts';

/** Time goes in ticks of this length. */
export const TICK_MS = 10;

export abstract class Crowd<Someone extends Client> {
  protected readonly memory: BotMemory;
  protected nowMs = 0;
  readonly #slots: FreeList;
  readonly #wheel: Wheel;
  readonly #bySlot: (Someone | undefined)[];
  readonly #byPeer = new Map<PeerHandle, Someone>();
  readonly #seen = new Seen();
  readonly #move = new Move();

  /** `capacity`: clients that are there at once. */
  constructor(capacity: number) {
    this.memory = new BotMemory(capacity);
    this.#slots = new FreeList(capacity);
    this.#wheel = new Wheel(capacity, TICK_MS, 0);
    this.#bySlot = Array.from({ length: capacity });
  }

  /** Wires of clients that are not gone yet. */
  get wiresOpen(): number {
    return this.#byPeer.size;
  }

  nextDueMs(): number {
    return this.#wheel.nextDueMs();
  }

  /** Sets the time of what is heard and said next. */
  atMs(nowMs: number): void {
    this.nowMs = nowMs;
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
    this.#wheel.advance(this.nowMs);
    for (let slot = this.#wheel.take(); slot >= 0; slot = this.#wheel.take()) {
      this.#show(this.#bySlot[slot]!, this.#seen.event(Saw.Timer));
    }
  }

  /** The slot of a new client. */
  protected newSlot(): number {
    const slot = this.#slots.take();
    assert(slot >= 0, 'a crowd has room for everybody who comes');
    return slot;
  }

  /** A client begins. */
  protected admit(client: Someone): void {
    this.#bySlot[client.slot] = client;
    this.#byPeer.set(client.peer, client);
    client.bot.start(this.memory.fresh(client.slot, client.serial), client.random);
  }

  protected clientAt(slot: number): Someone {
    return this.#bySlot[slot]!;
  }

  /** The client is connected. */
  protected onConnected(_client: Someone): void {}

  /** Bytes have come; they are read next. */
  protected onBytes(_client: Someone, _bytes: Uint8Array): void {}

  /** A line has come; the bot sees it next. `code` is 0 for what is no SMTP. */
  protected onLine(_client: Someone, _code: number, _isLast: boolean): void {}

  /** The message `id` was answered. */
  protected onAnswer(_client: Someone, _id: string, _code: number): void {}

  /** The client is over; its wire is not closed yet. */
  protected onLeave(_client: Someone): void {}

  /** The wire is gone. */
  protected onGone(_client: Someone): void {}

  /** The client says `bytes`, which are those of `move`. */
  protected say(client: Someone, bytes: Uint8Array, move: Move): void {
    client.net.peerSend(client.peer, bytes);
    client.wantsSent = move.tellWhenSent;
  }

  /** The client is over, by its own choice or not. */
  protected leave(client: Someone, as: Client['endedAs']): void {
    client.isOver = true;
    client.endedAs = as;
    client.endedMs = this.nowMs;
    this.#wheel.cancel(client.slot);
    this.onLeave(client);
    const { net, peer } = client;
    if (net.peerClosed(peer)) return;
    // A process that exits with something unread resets; one that has read everything closes.
    if (as === 'reset' || client.random.below(2) === 0) net.peerReset(peer);
    else if (!peer.finished) net.peerFinish(peer);
  }

  #hear(client: Someone): void {
    const { net, peer } = client;
    if (!client.isConnected && !client.isOver) {
      client.isConnected = true;
      this.onConnected(client);
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
      if (!client.isOver) this.leave(client, net.peerSawEnd(peer) ? 'closed' : 'reset');
    }
    if (net.peerClosed(peer)) this.#forget(client);
  }

  #read(client: Someone, bytes: Uint8Array): void {
    this.onBytes(client, bytes);
    for (const byte of bytes) {
      if (client.isOver) return;
      client.reader = readByte(client.reader, byte);
      if (!endsLine(client.reader)) continue;
      const code = lineCode(client.reader);
      const isLast = isLastLine(client.reader);
      this.onLine(client, code, isLast);
      this.#show(client, this.#seen.line(code, isLast));
    }
  }

  /** Shows a bot one thing and does what it wants. */
  #show(client: Someone, seen: Seen): void {
    if (client.isOver) return;
    const move = this.#move;
    move.clear();
    client.bot.react(this.memory.row(client.slot), seen, this.nowMs, client.random, move);
    if (move.answer !== 0) this.onAnswer(client, move.answeredId, move.answer);
    if (move.wakeMs >= 0) this.#wheel.arm(client.slot, move.wakeMs);
    const { parting, halfCloses } = move;
    if (move.bytes !== null && !client.peer.finished) this.say(client, move.bytes, move);
    if (client.isOver) return;
    if (parting !== 'none') this.leave(client, parting);
    else if (halfCloses && !client.peer.finished) client.net.peerFinish(client.peer);
  }

  #forget(client: Someone): void {
    this.onGone(client);
    this.#byPeer.delete(client.peer);
    this.#bySlot[client.slot] = undefined;
    this.#wheel.cancel(client.slot);
    this.#slots.give(client.slot);
  }
}

/** Whether the next byte begins a line of a reply. */
export function beginsLine(client: Client): boolean {
  return client.reader === READER_START || endsLine(client.reader);
}
