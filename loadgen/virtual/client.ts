/**
 * client — one bot of a crowd on the virtual clock: its wire, and where it stands
 *
 * The driver's side of a bot. Who wants to know more of a client extends it (test/sim/client, townsman).
 */
import type { Random } from '../../src/base/prng.ts';
import type { PeerHandle } from '../../src/transport/memory-transport.ts';
import type { Bot, Parting } from '../bots/bot.ts';
import { READER_START } from '../bots/reply-reader.ts';
import type { SimTransport } from './sim-transport.ts';

/** What a client is when it begins. */
export interface Newcomer {
  readonly slot: number;
  readonly serial: number;
  readonly bot: Bot;
  readonly botNumber: number;
  readonly address: string;
  readonly net: SimTransport;
  /** What it draws from. */
  readonly random: Random;
  readonly startedMs: number;
}

/** The port of a client is its serial number above this. */
export const PORT_BASE = 1_024;

export class Client {
  readonly slot: number;
  readonly serial: number;
  readonly bot: Bot;
  readonly botNumber: number;
  readonly address: string;
  readonly net: SimTransport;
  readonly peer: PeerHandle;
  readonly random: Random;
  readonly startedMs: number;
  reader = READER_START;
  isConnected = false;
  /** It left, was cut or has gone; its wire may still have something to say. */
  isOver = false;
  endedAs: Parting | 'closed' | 'reset' = 'none';
  endedMs = 0;
  wantsSent = false;

  /** Dials. */
  constructor(newcomer: Newcomer) {
    this.slot = newcomer.slot;
    this.serial = newcomer.serial;
    this.bot = newcomer.bot;
    this.botNumber = newcomer.botNumber;
    this.address = newcomer.address;
    this.net = newcomer.net;
    this.random = newcomer.random;
    this.startedMs = newcomer.startedMs;
    this.peer = newcomer.net.dial({
      address: newcomer.address,
      port: PORT_BASE + newcomer.serial,
      localAddress: '127.0.0.1',
      localPort: 25,
      listener: 0,
    });
  }
}
