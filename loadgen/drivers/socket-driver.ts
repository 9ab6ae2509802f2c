/**
 * socket-driver — lets bots act over real sockets, many thousands in one process
 *
 * Each client connects from an address of its own in 127.0.0.0/8, so that the server sees a crowd. What a
 * client costs here is one socket, one row in a few columns and one timer in a shared wheel; all sockets read
 * into one buffer, and replies are told apart byte by byte without keeping their text.
 *
 * The driver obeys bots and keeps count; when clients come is decided by whoever calls `start`, what they do
 * by the bots. `turn` is to be called every few milliseconds: it fires the timers.
 *
 * Not taken: a worker per core. One process drives more zombies than a file-descriptor limit of 20,000 lets
 * it open, and the server under test needs the other cores.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { FreeList } from '../../src/base/free-list.ts';
import { Wheel } from '../../src/timing/wheel.ts';
import { Move, Saw, Seen, Stage } from '../bots/bot.ts';
import type { Bot, BotRow } from '../bots/bot.ts';
import { ClientRandom, clientSeed } from '../bots/client-random.ts';
import { BotMemory } from '../bots/memory.ts';
import { READER_START, endsLine, isLastLine, lineCode, readByte } from '../bots/reply-reader.ts';
import { Ledger } from '../ledger.ts';
import { refuseStrangers } from '../plan.ts';
import type { Target } from '../plan.ts';
import { Tally, record } from '../tally.ts';
import type { Ending } from '../tally.ts';

const TICK_MS = 10;
const READ_BYTES = 65_536;
const UNSET = -1;

/** How one client ended. */
export interface ClientEnd {
  readonly bot: Bot;
  readonly serial: number;
  readonly ending: Ending;
  readonly ageMs: number;
  /** A message of its was told 250. */
  readonly hasDelivered: boolean;
}

export class SocketDriver {
  readonly ledger = new Ledger();
  /** One for each bot, in the order in which the bots were given. */
  readonly tallies: readonly Tally[];
  /** Errors of connections by the system's code. */
  readonly errors = new Map<string, number>();
  /** Called when a client has ended; what it is given may be kept. */
  onEnded: (end: ClientEnd) => void = () => {};
  readonly #target: Target;
  readonly #bots: readonly Bot[];
  readonly #seed: number;
  readonly #random = new ClientRandom();
  readonly #randomStates: Int32Array;
  readonly #nowMs: () => number;
  readonly #slots: FreeList;
  readonly #wheel: Wheel;
  readonly #memory: BotMemory;
  readonly #sockets: (Socket | null)[];
  readonly #kinds: Uint8Array;
  readonly #readers: Int32Array;
  readonly #startedMs: Float64Array;
  readonly #waitingSinceMs: Float64Array;
  readonly #longestWaitMs: Float64Array;
  readonly #isGreeted: Uint8Array;
  readonly #hasDelivered: Uint8Array;
  readonly #openByKind: Int32Array;
  readonly #input = Buffer.allocUnsafe(READ_BYTES);
  readonly #seen = new Seen();
  readonly #move = new Move();

  /** `capacity` clients at once against a loopback target (anything else throws). `nowMs` never goes back. */
  constructor(target: Target, bots: readonly Bot[], capacity: number, seed: number, nowMs: () => number) {
    refuseStrangers(target.host);
    this.#target = target;
    this.#bots = bots;
    this.#seed = seed;
    this.#randomStates = new Int32Array(capacity);
    this.#nowMs = () => Math.floor(nowMs());
    this.tallies = bots.map((bot) => new Tally(bot.name, bot.honest));
    this.#slots = new FreeList(capacity);
    this.#wheel = new Wheel(capacity, TICK_MS, this.#nowMs());
    this.#memory = new BotMemory(capacity);
    this.#sockets = Array.from({ length: capacity }, () => null);
    this.#kinds = new Uint8Array(capacity);
    this.#readers = new Int32Array(capacity);
    this.#startedMs = new Float64Array(capacity);
    this.#waitingSinceMs = new Float64Array(capacity);
    this.#longestWaitMs = new Float64Array(capacity);
    this.#isGreeted = new Uint8Array(capacity);
    this.#hasDelivered = new Uint8Array(capacity);
    this.#openByKind = new Int32Array(bots.length);
  }

  /** Clients that are there now, those still connecting included. */
  get open(): number {
    return this.#slots.taken;
  }

  /** Clients of one bot that are there now. */
  openOf(bot: number): number {
    return this.#openByKind[bot] as number;
  }

  /**
   * Begins a client that plays bot number `bot` from `address`; false when `capacity` clients are there
   * already. Its serial number, unique in the run, names its messages and fixes its draws.
   */
  start(bot: number, address: string, serial: number): boolean {
    const slot = this.#slots.take();
    if (slot < 0) return false;
    const nowMs = this.#nowMs();
    this.#kinds[slot] = bot;
    this.#readers[slot] = READER_START;
    this.#startedMs[slot] = nowMs;
    this.#waitingSinceMs[slot] = nowMs;
    this.#longestWaitMs[slot] = 0;
    this.#isGreeted[slot] = 0;
    this.#hasDelivered[slot] = 0;
    this.#openByKind[bot] = this.openOf(bot) + 1;
    this.#tallyOf(slot).started += 1;
    this.#random.state = clientSeed(this.#seed, serial);
    this.#botOf(slot).start(this.#memory.fresh(slot, serial), this.#random);
    this.#randomStates[slot] = this.#random.state;
    this.#connect(slot, address);
    return true;
  }

  /** Fires the timers that are due. */
  turn(): void {
    this.#wheel.advance(this.#nowMs());
    for (let slot = this.#wheel.take(); slot >= 0; slot = this.#wheel.take()) {
      this.#show(slot, this.#seen.event(Saw.Timer));
    }
  }

  /** Ends every client (or every dishonest one) that is still there; they count as cut. */
  cut(who: 'zombies' | 'all'): void {
    for (let slot = 0; slot < this.#sockets.length; slot += 1) {
      if (this.#sockets[slot] !== null && (who === 'all' || !this.#botOf(slot).honest))
        this.#end(slot, 'cut');
    }
  }

  #connect(slot: number, address: string): void {
    const { host, port } = this.#target;
    const socket: Socket = connect({
      host,
      port,
      localAddress: address,
      noDelay: true,
      allowHalfOpen: true,
      onread: {
        buffer: this.#input,
        callback: (bytes) => {
          if (this.#sockets[slot] === socket) this.#read(slot, socket, bytes);
          return true;
        },
      },
    });
    this.#sockets[slot] = socket;
    socket.once('connect', () => {
      if (this.#sockets[slot] !== socket) return;
      this.#tallyOf(slot).connected += 1;
      this.#show(slot, this.#seen.event(Saw.Connected));
    });
    socket.once('end', () => {
      if (this.#sockets[slot] === socket) this.#lost(slot, 'closedByServer');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? 'unknown';
      this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
      if (this.#sockets[slot] !== socket) return;
      if (this.#memory.row(slot).stage === Stage.Connecting) this.#end(slot, 'connectFailed');
      else this.#lost(slot, 'resetByServer');
    });
  }

  #read(slot: number, socket: Socket, bytes: number): void {
    let state = this.#readers[slot] as number;
    for (let at = 0; at < bytes; at += 1) {
      state = readByte(state, this.#input[at] as number);
      if (!endsLine(state)) continue;
      this.#readers[slot] = state;
      this.#line(slot, lineCode(state), isLastLine(state));
      if (this.#sockets[slot] !== socket) return;
    }
    this.#readers[slot] = state;
  }

  #line(slot: number, code: number, isLast: boolean): void {
    if (isLast) this.#measure(slot, code);
    this.#show(slot, this.#seen.line(code, isLast));
  }

  #measure(slot: number, code: number): void {
    const nowMs = this.#nowMs();
    const tally = this.#tallyOf(slot);
    const { stage } = this.#memory.row(slot);
    if (this.#isGreeted[slot] === 0 && code === 220) {
      this.#isGreeted[slot] = 1;
      tally.greeted += 1;
      record(tally.greetMs, nowMs - (this.#startedMs[slot] as number));
    }
    if (this.#waitingSinceMs[slot] === UNSET) return;
    const waitMs = nowMs - (this.#waitingSinceMs[slot] as number);
    this.#waitingSinceMs[slot] = UNSET;
    this.#longestWaitMs[slot] = Math.max(this.#longestWaitMs[slot] as number, waitMs);
    tally.stageWaitMsMax[stage] = Math.max(tally.stageWaitMsMax[stage] as number, waitMs);
  }

  /** Shows a bot one thing and does what it wants. */
  #show(slot: number, seen: Seen): void {
    const move = this.#move;
    move.clear();
    this.#random.state = this.#randomStates[slot] as number;
    this.#botOf(slot).react(this.#memory.row(slot), seen, this.#nowMs(), this.#random, move);
    this.#randomStates[slot] = this.#random.state;
    const tally = this.#tallyOf(slot);
    if (move.offeredId !== '') {
      tally.messagesOffered += 1;
      this.ledger.offered(move.offeredId, move.offeredBytes, tally.honest);
    }
    if (move.answer !== 0) this.#answered(slot, move.answeredId, move.answer);
    if (move.wakeMs >= 0) this.#wheel.arm(slot, move.wakeMs);
    if (move.bytes !== null) this.#say(slot, move.bytes, move.tellWhenSent);
    if (move.parting !== 'none') this.#end(slot, move.parting);
    else if (move.halfCloses) this.#sockets[slot]?.end();
  }

  #answered(slot: number, id: string, code: number): void {
    const tally = this.#tallyOf(slot);
    tally.answered(code);
    this.ledger.told(id, code);
    if (code >= 300 || this.#hasDelivered[slot] !== 0) return;
    this.#hasDelivered[slot] = 1;
    record(tally.deliverMs, this.#nowMs() - (this.#startedMs[slot] as number));
  }

  #say(slot: number, bytes: Uint8Array, tellWhenSent: boolean): void {
    const socket = this.#sockets[slot] as Socket;
    this.#waitingSinceMs[slot] = this.#nowMs();
    if (!tellWhenSent) {
      socket.write(bytes);
      return;
    }
    socket.write(bytes, (error) => {
      if (!error && this.#sockets[slot] === socket) this.#show(slot, this.#seen.event(Saw.Sent));
    });
  }

  /** The server ended it: the bot is shown that before the end. */
  #lost(slot: number, ending: Ending): void {
    this.#show(slot, this.#seen.event(Saw.Closed));
    if (this.#sockets[slot] !== null) this.#end(slot, ending);
  }

  #end(slot: number, ending: Ending): void {
    const socket = this.#sockets[slot] as Socket;
    const tally = this.#tallyOf(slot);
    const row: BotRow = this.#memory.row(slot);
    const ageMs = this.#nowMs() - (this.#startedMs[slot] as number);
    tally.ended(ending, row.stage, ageMs);
    const hasDelivered = this.#hasDelivered[slot] !== 0;
    this.onEnded({ bot: this.#botOf(slot), serial: row.serial, ending, ageMs, hasDelivered });
    record(tally.longestWaitMs, this.#longestWaitMs[slot] as number);
    const bot = this.#kinds[slot] as number;
    this.#openByKind[bot] = this.openOf(bot) - 1;
    this.#sockets[slot] = null;
    this.#wheel.cancel(slot);
    this.#slots.give(slot);
    socket.destroy();
  }

  #botOf(slot: number): Bot {
    return this.#bots[this.#kinds[slot] as number] as Bot;
  }

  #tallyOf(slot: number): Tally {
    return this.tallies[this.#kinds[slot] as number] as Tally;
  }
}
