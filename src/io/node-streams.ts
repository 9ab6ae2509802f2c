/**
 * node-streams — the sockets of one node transport: their columns, and what the event loop says of them
 *
 * By slot, never by handle: node-transport stands in front and checks handles. What a socket reports is put
 * into the columns and noted, nothing else. A stream has no timer here.
 *
 * Reading. Above its limit (stream-widths) a socket is paused. A paused node socket would go on and fill its own
 * buffer (64 kB); so it is made with a buffer of one byte (`highWaterMark`), and the last byte of the chunk
 * that was too much is put back into it: the socket stops reading that moment, and `resume` finds the byte.
 * A stream therefore holds at most inputBytesMax and one read (64 kB). While paused it does not see the
 * peer's FIN or RST; a write sees the latter. The small buffer has a second use: a write that has to wait
 * always asks for 'drain'. A narrow stream stops earlier (stream-widths).
 *
 * Closing. `end` sends what waits, then FIN, and reads on and throws away, because closing a socket with
 * unread input makes the kernel send RST, which can destroy the last reply on its way. It is over when the peer
 * closes too; the engine's timer aborts a peer that does not. Only where the peer has finished already, or has
 * said that it will send no more, is the socket closed at once: that saves the shutdown, a read and a wake-up. `abort` sends RST, so that the kernel
 * forgets unsent bytes too instead of keeping them for a peer that does not read. Whatever goes wrong
 * with a socket, 'close' follows, and Closed is all that the engine needs to know.
 *
 * TLS. A second socket is put around the first and takes its place in the column; the first stays underneath for
 * `abort`. It is put there only when all words in plaintext are with the kernel; until then nothing is read, since what
 * comes next belongs to the handshake. A TLS stream always says goodbye in order, or clients report a cut.
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { assert } from '../base/assert.ts';
import { ByteQueue } from '../transport/byte-queue.ts';
import type { Notices } from '../transport/notices.ts';
import type { TlsFault } from '../transport/tls-fault.ts';
import { Noted } from '../transport/transport.ts';
import { StreamEnds } from './stream-ends.ts';
import { finish, reset, seat, wrap } from './stream-socket.ts';
import type { StreamEvents, StreamSocket } from './stream-socket.ts';
import { StreamTls } from './stream-tls.ts';
import type { StreamWidths } from './stream-widths.ts';
import { tlsText } from './tls-contexts.ts';
import type { TlsSide } from './tls-contexts.ts';

// What a stream has been through, as bits.
const PAUSED = 1;
const PEER_ENDED = 2;
/** A write was refused, or `end` was asked for: the engine is to hear when nothing waits. */
const WANTS_DRAINED = 4;
const ENDING = 8;
/** FIN was asked for and has not left: the socket cannot be reset meanwhile. */
const SHUTTING = 16;
const ABORTED = 32;
/** Closed after `end` without a FIN of its own: the engine is still to hear that nothing waits. */
const FLUSHED = 64;
/** TLS was asked for and is not up. */
const HANDSHAKING = 128;
const SECURE = 256;

/** The engine has turned away from the stream's input. */
const DEAF = ENDING | ABORTED;

export class NodeStreams implements StreamEvents {
  readonly ends: StreamEnds;
  /** Bytes that arrived and were not consumed, over all streams. */
  inputBytes = 0;
  private readonly notices: Notices;
  private readonly outputBytesMax: number;
  private readonly widths: StreamWidths;
  private readonly sockets: (StreamSocket | undefined)[];
  private readonly inputs: ByteQueue[];
  private readonly flags: Uint16Array;
  private readonly tls: StreamTls;

  constructor(notices: Notices, widths: StreamWidths, outputBytesMax: number) {
    const { capacity } = notices;
    this.notices = notices;
    this.widths = widths;
    this.outputBytesMax = outputBytesMax;
    this.ends = new StreamEnds(capacity);
    this.sockets = Array.from({ length: capacity });
    this.inputs = Array.from({ length: capacity }, () => new ByteQueue());
    this.flags = new Uint16Array(capacity);
    this.tls = new StreamTls(capacity);
  }

  /** Gives a socket to a slot; a connecting one is Opened when it is there. */
  adopt(slot: number, socket: Socket): void {
    this.flags[slot] = 0;
    this.widths.forget(slot);
    this.sockets[slot] = seat(socket, this, slot);
  }

  forget(slot: number): void {
    this.dropInput(slot);
    this.ends.forget(slot);
    this.sockets[slot] = undefined;
    this.tls.forget(slot);
  }

  peek(slot: number): Uint8Array {
    return this.inputs[slot]!.view();
  }

  consume(slot: number, count: number): void {
    const flags = this.flags[slot]!;
    if ((flags & DEAF) !== 0) return;
    const input = this.inputs[slot]!;
    input.drop(count);
    this.inputBytes -= count;
    if ((flags & PAUSED) !== 0) this.readOn(slot);
  }

  narrow(slot: number, isNarrow: boolean): void {
    if (this.isDeaf(slot)) return;
    this.widths.put(slot, this.sockets[slot]!, isNarrow);
    this.readOn(slot);
  }

  /** Whether `end` or `abort` was asked for. */
  isDeaf(slot: number): boolean {
    return (this.flags[slot]! & DEAF) !== 0;
  }

  write(slot: number, bytes: Uint8Array): boolean {
    const socket = this.sockets[slot]!;
    if (socket.destroyed) return true;
    const waiting = socket.writableLength;
    if (waiting > 0 && waiting + bytes.length > this.outputBytesMax) {
      this.flags[slot] = this.flags[slot]! | WANTS_DRAINED;
      return false;
    }
    socket.write(bytes);
    return true;
  }

  /** Whether TLS was asked for and is not up: nothing can be said. */
  isHandshaking(slot: number): boolean {
    return (this.flags[slot]! & HANDSHAKING) !== 0;
  }

  startTls(slot: number, side: TlsSide): void {
    const socket = this.sockets[slot]!;
    const flags = this.flags[slot]!;
    assert((flags & (DEAF | HANDSHAKING | SECURE)) === 0, 'TLS begins once, on a stream that lives');
    assert(this.inputs[slot]!.length === 0, 'plaintext waited when TLS began');
    if (socket.destroyed) return;
    this.flags[slot] = flags | HANDSHAKING;
    if ((flags & PEER_ENDED) !== 0) {
      socket.destroy();
    } else if (socket.writableLength === 0) {
      this.sockets[slot] = wrap(socket, side);
    } else {
      socket.pause();
      this.tls.wait(slot, side);
    }
  }

  tlsOf(slot: number): string {
    return this.tls.textOf(slot);
  }

  tlsFaultOf(slot: number): TlsFault | null {
    return this.tls.faultOf(slot);
  }

  isTlsResumed(slot: number): boolean {
    const socket = this.sockets[slot];
    return socket instanceof TLSSocket && socket.isSessionReused();
  }

  unwritten(slot: number): number {
    const socket = this.sockets[slot]!;
    return socket.destroyed ? 0 : socket.writableLength;
  }

  end(slot: number, peerIsDone: boolean): void {
    const socket = this.sockets[slot]!;
    if (this.isDeaf(slot)) return;
    const before = this.flags[slot]!;
    assert(socket.destroyed || (before & HANDSHAKING) === 0, 'a stream was ended during its handshake');
    // A socket that stopped reading has bytes of the peer waiting, whatever the peer said.
    const flags = peerIsDone && (before & PAUSED) === 0 ? before | PEER_ENDED : before;
    this.flags[slot] = flags | ENDING;
    this.dropInput(slot);
    if (socket.destroyed) return;
    this.flags[slot] = flags | ENDING | WANTS_DRAINED;
    if ((flags & PAUSED) !== 0) this.resume(slot);
    if (socket.writableLength === 0) this.finish(slot);
  }

  abort(slot: number): void {
    const flags = this.flags[slot]!;
    const socket = this.sockets[slot]!;
    if ((flags & ABORTED) !== 0) return;
    this.flags[slot] = (flags & ~WANTS_DRAINED) | ABORTED;
    this.dropInput(slot);
    if (socket.destroyed) return;
    if (socket.connecting || (flags & SHUTTING) !== 0) socket.destroy();
    else reset(socket);
  }

  /** After `end`, when nothing waits: sends FIN, or closes where the peer has finished as well. */
  private finish(slot: number): void {
    const flags = this.flags[slot]!;
    const socket = this.sockets[slot]!;
    if ((flags & (PEER_ENDED | SECURE)) === PEER_ENDED) {
      this.flags[slot] = flags | FLUSHED;
      socket.destroy();
      return;
    }
    this.flags[slot] = flags | SHUTTING;
    finish(socket);
  }

  /** Reads again where there is room again. */
  private readOn(slot: number): void {
    if ((this.flags[slot]! & PAUSED) === 0) return;
    if (this.inputs[slot]!.length < this.widths.inputBytesMaxOf(slot)) this.resume(slot);
  }

  private resume(slot: number): void {
    this.flags[slot] = this.flags[slot]! & ~PAUSED;
    this.sockets[slot]!.resume();
  }

  private dropInput(slot: number): void {
    const input = this.inputs[slot]!;
    this.inputBytes -= input.length;
    input.clear();
  }

  // ── what the event loop says ───────────────────────────────────────────────────────────────────────────

  connected(slot: number): void {
    this.ends.keepConnected(slot, this.sockets[slot]!);
    this.notices.note(slot, Noted.Opened);
  }

  received(slot: number, chunk: Uint8Array): void {
    if ((this.flags[slot]! & DEAF) !== 0) return;
    const input = this.inputs[slot]!;
    let count = chunk.length;
    if (input.length + count > this.widths.inputBytesMaxOf(slot)) {
      count -= 1;
      this.flags[slot] = this.flags[slot]! | PAUSED;
      this.sockets[slot]!.pause();
      this.sockets[slot]!.unshift(chunk.subarray(count));
      if (count === 0) return;
      chunk = chunk.subarray(0, count);
    }
    input.append(chunk);
    this.inputBytes += count;
    this.notices.note(slot, Noted.Readable);
  }

  /** The handshake is done. */
  secured(slot: number, socket: TLSSocket): void {
    if (this.isDeaf(slot)) return;
    this.flags[slot] = (this.flags[slot]! & ~HANDSHAKING) | SECURE;
    this.tls.agreed(slot, tlsText(socket));
    this.notices.note(slot, Noted.Secured);
  }

  tlsFailed(slot: number, fault: TlsFault): void {
    if (this.isHandshaking(slot)) this.tls.failed(slot, fault);
  }

  peerEnded(slot: number): void {
    if (this.isHandshaking(slot)) {
      this.sockets[slot]!.destroy();
      return;
    }
    this.flags[slot] = this.flags[slot]! | PEER_ENDED;
    this.notices.note(slot, Noted.Ended);
  }

  /** Nothing waits any more: all of it is with the kernel. */
  drained(slot: number): void {
    const flags = this.flags[slot]!;
    if ((flags & DEAF) === ENDING) return this.finish(slot);
    if ((flags & WANTS_DRAINED) !== 0) {
      this.flags[slot] = flags & ~WANTS_DRAINED;
      this.notices.note(slot, Noted.Drained);
    }
    if ((flags & HANDSHAKING) === 0) return;
    const side = this.tls.takeWaiting(slot);
    if (side !== undefined) this.sockets[slot] = wrap(this.sockets[slot]!, side);
  }

  /** FIN has left. */
  finished(slot: number): void {
    this.flags[slot] = this.flags[slot]! & ~(SHUTTING | WANTS_DRAINED);
    this.notices.note(slot, Noted.Drained);
  }

  closed(slot: number): void {
    const flushed = (this.flags[slot]! & FLUSHED) !== 0;
    if (this.isHandshaking(slot)) {
      this.flags[slot] = this.flags[slot]! & ~HANDSHAKING;
      this.tls.takeWaiting(slot);
    }
    this.notices.note(slot, flushed ? Noted.Drained | Noted.Closed : Noted.Closed);
  }
}
