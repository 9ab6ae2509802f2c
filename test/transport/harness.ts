/**
 * harness — what the contract suite needs of a transport under test, and a small engine to obey the events
 *
 * A rig is one transport plus the means to make peers for it and to let time pass. Both kinds of rig are driven in
 * the same words: `until` waits for something to become true, `quiet` lets everything settle that is going to
 * happen. The engine takes its turn when the transport says so, keeps a log, and does nothing else.
 */
import { NO_HANDLE } from '../../src/base/handle.ts';
import type { Handle } from '../../src/base/handle.ts';
import type { TlsFaultKind } from '../../src/transport/tls-fault.ts';
import { Noted } from '../../src/transport/transport.ts';
import type { Endpoint, Transport } from '../../src/transport/transport.ts';

/** The far end of a stream. */
export interface Peer {
  readonly port: number;
  /** Bytes that the peer sent; it may send before the stream is open. */
  send(bytes: Uint8Array): void;
  /** Everything that arrived at the peer so far. */
  received(): Uint8Array;
  finish(): void;
  reset(): void;
  /** Stops reading, or goes on. */
  stall(on: boolean): void;
  sawEnd(): boolean;
  closed(): boolean;
  /** Does its part of the handshake that the engine has begun; what it sends from now on is inside TLS. */
  handshake(): void;
  /** The same, for one that the engine connected to, with papers or words that the engine does not take. */
  failHandshake(kind: TlsFaultKind): void;
}

/** What both transports count beside the contract. */
export interface Gauges {
  readonly inputBytesTotal: number;
  readonly streamsOpen: number;
  readonly refusedFull: number;
}

export interface RigOptions {
  readonly capacity?: number;
  readonly inputBytesMax?: number;
  readonly outputBytesMax?: number;
  readonly fullReply?: Uint8Array;
}

/** The limits that a rig has when the test does not care. */
export const usual = { capacity: 8, inputBytesMax: 4096, outputBytesMax: 8192 } as const;

export interface Rig {
  readonly transport: Transport & Gauges;
  readonly engine: Engine;
  /** Waits until the condition holds. */
  until(condition: () => boolean): Promise<void>;
  /** Waits until nothing more happens by itself. */
  quiet(): Promise<void>;
  close(): Promise<void>;
}

export interface FrontRig extends Rig {
  readonly secures: boolean;
  dial(): Peer;
  readonly localAddress: string;
  readonly localPort: number;
  readonly listener: number;
}

export interface BackRig extends Rig {
  readonly answering: Endpoint;
  readonly refusing: Endpoint;
  /** The far ends of the streams that `answering` accepted, oldest first. */
  readonly accepted: Peer[];
}

export interface Harness {
  readonly name: string;
  /** Streams are put into TLS before a test gets them. */
  readonly secures: boolean;
  front(options?: RigOptions): Promise<FrontRig>;
  back(options?: RigOptions): Promise<BackRig>;
}

/** Takes turns, and remembers in which order things were noted. */
export class Engine {
  /** How often the transport asked for a turn. */
  wakes = 0;
  /** Asked for a turn and did not get it yet. */
  woken = false;
  /** Whether turns are taken; a test that wants to look at `next` itself says no. */
  obeys = true;
  /** The streams in the order of their Opened. */
  readonly opened: Handle[] = [];
  private readonly transport: Transport;
  private readonly logs = new Map<Handle, number[]>();

  constructor(transport: Transport, soon: () => void) {
    this.transport = transport;
    transport.onNoted = () => {
      this.wakes += 1;
      this.woken = true;
      soon();
    };
  }

  turn(): void {
    if (!this.obeys) return;
    this.woken = false;
    for (let handle = this.transport.next(); handle !== NO_HANDLE; handle = this.transport.next()) {
      const events = this.transport.take(handle);
      if ((events & Noted.Opened) !== 0) this.opened.push(handle);
      const log = this.logs.get(handle);
      if (log === undefined || (events & Noted.Opened) !== 0) this.logs.set(handle, [events]);
      else log.push(events);
    }
  }

  /** The bit sets that were taken for a stream. */
  log(handle: Handle): readonly number[] {
    return this.logs.get(handle) ?? [];
  }

  /** All that was ever noted of a stream. */
  seen(handle: Handle): number {
    let events = 0;
    for (const each of this.log(handle)) events |= each;
    return events;
  }

  forget(handle: Handle): void {
    this.logs.delete(handle);
  }
}

/** Text as bytes and back, one byte a character. */
export const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
export const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** `count` bytes of a pattern without short periods, so that a lost or doubled piece shows. */
export function pattern(count: number, from = 0): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count; at += 1) bytes[at] = patternAt(from + at);
  return bytes;
}

export function patternAt(at: number): number {
  return (at ^ ((at >> 8) * 7) ^ ((at >> 16) * 13)) & 255;
}

/** Whether the bytes are the pattern from its start. */
export function followsPattern(bytes: Uint8Array, from = 0): boolean {
  for (let at = 0; at < bytes.length; at += 1) if (bytes[at] !== patternAt(from + at)) return false;
  return true;
}
