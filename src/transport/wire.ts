/**
 * wire — one connection of the memory transport, with both of its ends
 *
 * What each side has sent and the other has not yet got, and who said goodbye how. A wire moves nothing by
 * itself; memory-transport calls `move` once per advance and tells the engine what came of it. A test holds a
 * wire as its PeerHandle and asks the transport about it; the fields here are for the transport.
 *
 * The engine's bytes wait in `output`; the first `accepted` of them are with the network (the kernel's
 * buffers, in a real life), the others are "unwritten". A peer that stalls accepts no more.
 *
 * TLS is played, not spoken: after `startTls` the peer has to say that it has done its part of the handshake. Any
 * byte that is under way before it has said so is no handshake, and breaks it.
 */
import { assert } from '../base/assert.ts';
import { ByteQueue } from './byte-queue.ts';
import type { TlsFault } from './tls-fault.ts';
import { Noted } from './transport.ts';

/** The life of a wire. */
export const WirePhase = {
  /** Dialled or connecting; the other side learns of it at the next advance. */
  Dialling: 0,
  /** A connect that nobody answers. */
  Silent: 1,
  /** Answered after a silence; the engine hears of it at the next advance. */
  Answered: 2,
  Open: 3,
  Closed: 4,
} as const;
export type WirePhase = (typeof WirePhase)[keyof typeof WirePhase];

/** Where a wire stands between plaintext and TLS. */
export const WireTls = { Plain: 0, Handshaking: 1, PeerReady: 2, Secure: 3, Broken: 4 } as const;
export type WireTls = (typeof WireTls)[keyof typeof WireTls];

/** Both ends' addresses; of an accepted stream, as the engine sees them. */
export interface WireEnds {
  /** The peer's address and port. */
  readonly address: string;
  readonly port: number;
  /** The engine's own. */
  readonly localAddress: string;
  readonly localPort: number;
  /** Which listener accepts; -1 when the engine connects. */
  readonly listener: number;
}

/** What the network and the engine's side hold at most. */
export interface WireLimits {
  readonly inputBytesMax: number;
  /** The same for a narrowed wire. */
  readonly narrowBytesMax: number;
  readonly outputBytesMax: number;
  /** Input arrives in pieces of at most so many bytes. */
  readonly splitBytes: number;
  /** Bytes that the network holds for the peer, and that the peer's side holds for the test. */
  readonly windowBytes: number;
}

export class Wire {
  readonly ends: WireEnds;
  private readonly limits: WireLimits;
  /** The engine's slot; -1 before it has one and after the release. */
  slot = -1;
  phase: WirePhase = WirePhase.Dialling;
  /** Waits to be moved at the next advance. */
  moving = false;

  /** Sent by the peer, not yet at the engine. */
  readonly uplink = new ByteQueue();
  /** At the engine, not yet consumed. */
  readonly input = new ByteQueue();
  /** Written by the engine, not yet at the peer. */
  readonly output = new ByteQueue();
  /** At the peer, not yet taken by the test. */
  readonly arrived = new ByteQueue();
  /** Bytes at the front of `output` that the network has taken. */
  private accepted = 0;

  /** The peer may be only a little ahead. */
  isNarrow = false;
  /** The peer does not read. */
  stalled = false;
  /** The peer has finished sending; the engine knows. */
  finished = false;
  finishNoted = false;
  /** The peer has reset the connection. */
  wasReset = false;

  tls: WireTls = WireTls.Plain;
  /** Protocol and cipher, as the peer's side has it. */
  tlsText = '';
  /** Why the engine's side broke the handshake off. */
  tlsFault: TlsFault | null = null;

  /** The engine asked for `end`; its last byte reached the peer. */
  ended = false;
  sawEnd = false;
  /** The engine asked for `abort`. */
  aborted = false;
  /** The engine is to hear when nothing waits any more. */
  wantsDrained = false;

  constructor(ends: WireEnds, limits: WireLimits) {
    this.ends = ends;
    this.limits = limits;
  }

  /** Bytes written that the network has not taken. */
  get unwritten(): number {
    return this.output.length - this.accepted;
  }

  /** Takes bytes of the engine, or refuses because too many wait. */
  write(bytes: Uint8Array): boolean {
    const waiting = this.output.length - this.accepted;
    if (waiting > 0 && waiting + bytes.length > this.limits.outputBytesMax) {
      this.wantsDrained = true;
      return false;
    }
    this.output.append(bytes);
    this.fillWindow();
    return true;
  }

  /** Moves what can move in one advance, both ways; returns what the engine is to be told (`Noted` bits). */
  move(): number {
    const isSecured = this.tls === WireTls.PeerReady;
    if (isSecured) this.tls = WireTls.Secure;
    if (this.isHandshaking) this.breakHandshake();
    let events = this.isHandshaking || this.tls === WireTls.Broken ? 0 : this.moveInput();
    if (isSecured) events |= Noted.Secured;
    this.moveOutput();
    if (this.wantsDrained && this.output.length === this.accepted) {
      this.wantsDrained = false;
      events |= Noted.Drained;
    }
    if (this.ended && this.output.length === 0) this.sawEnd = true;
    return events;
  }

  /** Whether the handshake has begun and is not done. */
  get isHandshaking(): boolean {
    return this.tls === WireTls.Handshaking || this.tls === WireTls.PeerReady;
  }

  /** The engine asks for TLS. */
  startTls(): void {
    assert(this.tls === WireTls.Plain, 'TLS begins once');
    assert(this.input.length === 0, 'plaintext waited when TLS began');
    this.tls = this.finishNoted ? WireTls.Broken : WireTls.Handshaking;
  }

  /** The peer has done its part. */
  handshake(text: string): void {
    assert(this.tls === WireTls.Handshaking, 'a peer begins its handshake when the other side has begun it');
    this.tlsText = text;
    this.tls = this.uplink.length > 0 || this.finished ? WireTls.Broken : WireTls.PeerReady;
  }

  /** The peer does its part with papers that the engine's side does not take. */
  showBadPapers(fault: TlsFault): void {
    assert(
      this.tls === WireTls.Handshaking && this.ends.listener < 0,
      'papers are shown to whoever connects',
    );
    this.tls = WireTls.Broken;
    this.tlsFault = fault;
  }

  /** Whether there is more to move by time alone. */
  get restless(): boolean {
    if (this.uplink.length > 0 && this.inputRoom > 0) return true;
    return this.output.length > 0 && !this.stalled && this.arrived.length < this.limits.windowBytes;
  }

  /** Bytes of the peer that can come to the engine now. A wire that has just been narrowed may hold more than it should. */
  private get inputRoom(): number {
    const { inputBytesMax, narrowBytesMax } = this.limits;
    return Math.max(0, (this.isNarrow ? narrowBytesMax : inputBytesMax) - this.input.length);
  }

  /** Whether both sides have said their last byte and heard the other's. */
  get over(): boolean {
    return this.sawEnd && this.finishNoted;
  }

  /** Loses what is under way. What has arrived stays. */
  cut(): void {
    this.phase = WirePhase.Closed;
    this.uplink.clear();
    this.output.clear();
    this.accepted = 0;
  }

  /** The network takes what fits into its window. */
  fillWindow(): void {
    if (this.phase !== WirePhase.Open || this.stalled) return;
    this.accepted = Math.min(this.output.length, this.limits.windowBytes);
  }

  /** What comes before the peer is ready was sent in plaintext. */
  private breakHandshake(): void {
    if (this.uplink.length > 0 || this.finished) this.tls = WireTls.Broken;
  }

  private moveInput(): number {
    let events = 0;
    if (this.ended) this.uplink.clear();
    const count = Math.min(this.uplink.length, this.inputRoom, this.limits.splitBytes);
    if (count > 0) {
      this.input.append(this.uplink.view().slice(0, count));
      this.uplink.drop(count);
      events = Noted.Readable;
    }
    if (this.finished && !this.finishNoted && this.uplink.length === 0) {
      this.finishNoted = true;
      events |= Noted.Ended;
    }
    return events;
  }

  private moveOutput(): void {
    if (this.stalled) return;
    const count = Math.min(this.output.length, this.limits.windowBytes - this.arrived.length);
    if (count > 0) {
      this.arrived.append(this.output.view().slice(0, count));
      this.output.drop(count);
    }
    this.fillWindow();
  }
}
