/**
 * memory-network — the wires of the memory transport, the peers at their far ends, and the passing of time
 *
 * A test or a simulated bot dials, sends, stalls, finishes and resets here; `advance` lets everything that either
 * side did before arrive at the other. The engine's end of the same wires is memory-transport, which
 * extends this class and explains the rules.
 *
 * Cost: an advance touches the wires with something to move and no others, in the order in which they were
 * touched, so equal calls give equal runs. An object and four small queues per wire: a test double may.
 */
import { assert } from '../base/assert.ts';
import { NO_BYTES } from './byte-queue.ts';
import { Notices } from './notices.ts';
import type { TlsFault } from './tls-fault.ts';
import { Noted } from './transport.ts';
import type { Endpoint } from './transport.ts';
import { Wire, WirePhase, WireTls } from './wire.ts';
import type { WireEnds, WireLimits } from './wire.ts';

/** A test's end of a wire; to be handed to the `peer…` methods, not looked into. */
export type PeerHandle = Wire;

/** What a dialled endpoint does: takes the call, refuses it, or never answers. */
export type DialAnswer = 'accept' | 'refuse' | 'silent';

export interface MemoryTransportOptions {
  readonly capacity: number;
  readonly inputBytesMax: number;
  /** Input of a narrowed stream; 2,048 when absent. */
  readonly narrowBytesMax?: number;
  readonly outputBytesMax: number;
  /** Input arrives in pieces of at most so many bytes per advance; absent: as much as fits. */
  readonly splitBytes?: number;
  /** Bytes that the network takes from the engine before the peer has read them; 65,536 when absent. */
  readonly windowBytes?: number;
  /** Sent to a client for whom there is no slot. */
  readonly fullReply?: Uint8Array;
  /** Makes this a connecting transport; called during `advance`, with the dialled side's end of the wire. */
  readonly onDial?: (endpoint: Endpoint, peer: PeerHandle) => DialAnswer;
}

/** Bytes of a peer that may wait for the engine; a bot that sends more looks at `peerUnsent` first. */
const UPLINK_BYTES_MAX = 64 * 1024 * 1024;

const NARROW_BYTES = 2_048;

export class MemoryNetwork {
  readonly capacity: number;
  onNoted: () => void = () => undefined;
  /** Clients turned away because all slots were in use. */
  refusedFull = 0;
  /** Bytes that arrived and were not consumed, over all streams. */
  inputBytesTotal = 0;
  protected readonly limits: WireLimits;
  protected readonly notices: Notices;
  protected readonly wires: (Wire | undefined)[];
  protected readonly onDial: ((endpoint: Endpoint, peer: PeerHandle) => DialAnswer) | undefined;
  private readonly fullReply: Uint8Array;
  private touched: Wire[] = [];
  private tick = 0;

  constructor(options: MemoryTransportOptions) {
    this.capacity = options.capacity;
    this.limits = {
      inputBytesMax: options.inputBytesMax,
      narrowBytesMax: Math.min(options.narrowBytesMax ?? NARROW_BYTES, options.inputBytesMax),
      outputBytesMax: options.outputBytesMax,
      splitBytes: options.splitBytes ?? Number.MAX_SAFE_INTEGER,
      windowBytes: options.windowBytes ?? 65_536,
    };
    assert(this.limits.splitBytes > 0 && this.limits.windowBytes > 0, 'nothing would ever arrive');
    this.onDial = options.onDial;
    this.fullReply = options.fullReply ?? NO_BYTES;
    this.notices = new Notices(options.capacity, () => this.onNoted());
    this.wires = Array.from({ length: options.capacity });
  }

  /** Streams that hold a slot. */
  get streamsOpen(): number {
    return this.notices.taken;
  }

  /** Whether the next advance has anything to move; a virtual clock may jump when it has not. */
  get busy(): boolean {
    return this.touched.length > 0;
  }

  /** A client calls; the engine hears of it at the next advance. What is sent at once arrives with it. */
  dial(ends: WireEnds): PeerHandle {
    assert(this.onDial === undefined, 'this transport connects, it does not accept');
    const wire = new Wire(ends, this.limits);
    this.touch(wire);
    return wire;
  }

  /** The peer sends bytes, which must not be changed afterwards. To a closed stream: they are lost. */
  peerSend(peer: PeerHandle, bytes: Uint8Array): void {
    assert(!peer.finished, 'a peer that has finished does not send');
    if (peer.phase === WirePhase.Closed) return;
    assert(peer.uplink.length + bytes.length <= UPLINK_BYTES_MAX, 'a peer sent more than the wire can hold');
    peer.uplink.append(bytes);
    this.touch(peer);
  }

  /** Bytes that the peer sent and the engine's side has not yet taken. */
  peerUnsent(peer: PeerHandle): number {
    return peer.uplink.length;
  }

  /**
   * The peer does its part of the handshake that `startTls` began; what it sends from now on is inside TLS. `text` is what
   * `tlsOf` says.
   */
  peerHandshake(peer: PeerHandle, text: string): void {
    if (peer.phase === WirePhase.Closed) return;
    peer.handshake(text);
    this.touch(peer);
  }

  /** The peer of a stream that connected does its part of the handshake, and is not found good. */
  peerBadPapers(peer: PeerHandle, fault: TlsFault): void {
    if (peer.phase === WirePhase.Closed) return;
    peer.showBadPapers(fault);
    this.touch(peer);
  }

  /** The bytes that arrived at the peer since the last call. */
  peerReceived(peer: PeerHandle): Uint8Array {
    if (peer.arrived.length === 0) return NO_BYTES;
    const bytes = peer.arrived.view();
    peer.arrived.clear();
    if (peer.output.length > 0) this.touch(peer);
    return bytes;
  }

  /** The peer has sent its last byte (FIN). */
  peerFinish(peer: PeerHandle): void {
    peer.finished = true;
    this.touch(peer);
  }

  /** The peer breaks the connection off (RST); what it sent and has not arrived is lost. */
  peerReset(peer: PeerHandle): void {
    peer.wasReset = true;
    peer.uplink.clear();
    this.touch(peer);
  }

  /** Whether the peer stops reading from now on; what is written then waits, and counts as unwritten. */
  peerStall(peer: PeerHandle, on: boolean): void {
    peer.stalled = on;
    if (!on) this.touch(peer);
  }

  /** Answers a connect that was met with silence. To refuse one, reset it. */
  peerAccept(peer: PeerHandle): void {
    assert(peer.phase === WirePhase.Silent, 'only a silent peer can still accept');
    peer.phase = WirePhase.Answered;
    this.touch(peer);
  }

  /** Whether the engine's last byte (FIN) has reached the peer. */
  peerSawEnd(peer: PeerHandle): boolean {
    return peer.sawEnd;
  }

  /** Whether the stream is gone; without `peerSawEnd` it was reset or refused. */
  peerClosed(peer: PeerHandle): boolean {
    return peer.phase === WirePhase.Closed;
  }

  /** Time passes: everything sent before arrives now. `tick` never goes back. */
  advance(tick: number): void {
    assert(tick >= this.tick, 'time went back');
    this.tick = tick;
    const touched = this.touched;
    this.touched = [];
    for (let at = 0; at < touched.length; at += 1) {
      touched[at]!.moving = false;
      this.move(touched[at]!);
    }
  }

  protected touch(wire: Wire): void {
    if (wire.moving || wire.phase === WirePhase.Closed) return;
    wire.moving = true;
    this.touched.push(wire);
  }

  private move(wire: Wire): void {
    if (wire.phase === WirePhase.Dialling && !this.open(wire)) return;
    if (wire.aborted || wire.wasReset) return this.close(wire);
    if (wire.phase === WirePhase.Answered) return this.answered(wire);
    if (wire.phase !== WirePhase.Open) return;
    const before = wire.input.length;
    const events = wire.move();
    this.inputBytesTotal += wire.input.length - before;
    if (events !== 0) this.notices.note(wire.slot, events);
    if (wire.over || wire.tls === WireTls.Broken) this.close(wire);
    else if (wire.restless) this.touch(wire);
  }

  /** The first move of a wire: true when it goes on at once. */
  private open(wire: Wire): boolean {
    if (wire.aborted) return true;
    return wire.ends.listener < 0 ? this.dialled(wire) : this.accept(wire);
  }

  private accept(wire: Wire): boolean {
    const slot = this.notices.open();
    if (slot < 0) {
      this.refusedFull += 1;
      wire.arrived.append(this.fullReply);
      wire.sawEnd = true;
      wire.cut();
      return false;
    }
    wire.slot = slot;
    wire.phase = WirePhase.Open;
    this.wires[slot] = wire;
    this.notices.note(slot, Noted.Opened);
    return true;
  }

  private dialled(wire: Wire): boolean {
    assert(this.onDial !== undefined, 'nobody answers here');
    const answer = this.onDial({ host: wire.ends.address, port: wire.ends.port }, wire);
    if (answer === 'accept') this.answered(wire);
    else if (answer === 'refuse') this.close(wire);
    else wire.phase = WirePhase.Silent;
    return false;
  }

  private answered(wire: Wire): void {
    wire.phase = WirePhase.Open;
    wire.fillWindow();
    this.notices.note(wire.slot, Noted.Opened);
    this.touch(wire);
  }

  /** The end of a wire for the network; the engine's side keeps its slot until it releases it. */
  private close(wire: Wire): void {
    if (wire.phase === WirePhase.Closed) return;
    wire.cut();
    this.notices.note(wire.slot, Noted.Closed);
  }
}
