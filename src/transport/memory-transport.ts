/**
 * memory-transport — the Transport contract without a network, for tests and the virtual clock
 *
 * The engine has one end of each wire, a test or a simulated bot the other. Time passes only in `advance`:
 * what either side sent before it arrives during it, never in the same call. That rule is the point of this
 * file: a wire that answers inside `write` finds the engine half-way through its own step.
 *
 * It is as unkind as the real network on request: `splitBytes` delivers input in pieces of at most that
 * size, one piece per advance; `peerStall` makes a peer that does not read; a dialled backend may refuse or stay
 * silent for ever. It is bounded like the real one too: input up to `inputBytesMax` (of a narrowed wire
 * `narrowBytesMax`), output that waits up to `outputBytesMax` (a single write into an empty queue is always
 * taken), and `windowBytes` each for what the network holds and for what the test has not yet taken with
 * `peerReceived`.
 *
 * A transport with `onDial` connects, one without accepts. This file is the engine's side; the peers and the
 * clock are in memory-network.
 */
import { assert } from '../base/assert.ts';
import { NO_HANDLE } from '../base/handle.ts';
import type { Handle } from '../base/handle.ts';
import { MemoryNetwork } from './memory-network.ts';
import type { TlsFault } from './tls-fault.ts';
import type { Endpoint, Transport } from './transport.ts';
import { Wire, WirePhase, WireTls } from './wire.ts';

export type { DialAnswer, MemoryTransportOptions, PeerHandle } from './memory-network.ts';

const CONNECT_FROM_PORT = 49_152;

export class MemoryTransport extends MemoryNetwork implements Transport {
  next(): Handle {
    return this.notices.next();
  }

  take(handle: Handle): number {
    return this.notices.take(handle);
  }

  peek(handle: Handle): Uint8Array {
    return this.wireFor(handle).input.view();
  }

  consume(handle: Handle, count: number): void {
    const wire = this.wireFor(handle);
    if (wire.ended || wire.aborted) return;
    wire.input.drop(count);
    this.inputBytesTotal -= count;
    if (wire.uplink.length > 0) this.touch(wire);
  }

  prepare(bytes: Uint8Array): Uint8Array {
    return bytes;
  }

  write(handle: Handle, bytes: Uint8Array): boolean {
    const wire = this.wireFor(handle);
    assert(!wire.ended && !wire.aborted, 'a stream was written to after its end');
    assert(!wire.isHandshaking, 'a stream was written to during its handshake');
    if (wire.phase === WirePhase.Closed) return true;
    const taken = wire.write(bytes);
    if (taken) this.touch(wire);
    return taken;
  }

  startTls(handle: Handle): void {
    const wire = this.wireFor(handle);
    assert(!wire.ended && !wire.aborted, 'TLS begins on a live stream');
    if (wire.phase === WirePhase.Closed) return;
    wire.startTls();
    this.touch(wire);
  }

  tlsOf(handle: Handle): string {
    const wire = this.wireFor(handle);
    return wire.tls === WireTls.Secure ? wire.tlsText : '';
  }

  tlsFaultOf(handle: Handle): TlsFault | null {
    return this.wireFor(handle).tlsFault;
  }

  isTlsResumed(handle: Handle): boolean {
    assert(this.tlsOf(handle) !== '', 'only a session inside TLS can be resumed');
    return false;
  }

  narrow(handle: Handle, isNarrow: boolean): void {
    const wire = this.wireFor(handle);
    assert(wire.ends.listener >= 0, 'only a stream of a client is narrowed');
    wire.isNarrow = isNarrow;
    if (wire.uplink.length > 0) this.touch(wire);
  }

  unwritten(handle: Handle): number {
    return this.wireFor(handle).unwritten;
  }

  end(handle: Handle): void {
    const wire = this.wireFor(handle);
    if (wire.ended || wire.aborted || wire.phase === WirePhase.Closed) return;
    assert(!wire.isHandshaking, 'a stream was ended during its handshake');
    wire.ended = true;
    wire.wantsDrained = true;
    this.forgetInput(wire);
    this.touch(wire);
  }

  abort(handle: Handle): void {
    const wire = this.wireFor(handle);
    if (wire.aborted || wire.phase === WirePhase.Closed) return;
    wire.aborted = true;
    this.forgetInput(wire);
    this.touch(wire);
  }

  release(handle: Handle): void {
    const wire = this.wireFor(handle);
    this.wires[this.notices.release(handle)] = undefined;
    this.forgetInput(wire);
    wire.slot = -1;
  }

  connect(endpoint: Endpoint): Handle {
    assert(this.onDial !== undefined, 'this transport accepts, it does not connect');
    const slot = this.notices.open();
    if (slot < 0) return NO_HANDLE;
    const ends = { address: endpoint.host, port: endpoint.port, localAddress: '127.0.0.1' };
    const wire = new Wire(
      { ...ends, localPort: CONNECT_FROM_PORT + (slot & 0x3fff), listener: -1 },
      this.limits,
    );
    wire.slot = slot;
    this.wires[slot] = wire;
    this.touch(wire);
    return this.notices.handleAt(slot);
  }

  remoteAddress(handle: Handle): string {
    return this.wireFor(handle).ends.address;
  }

  remotePort(handle: Handle): number {
    return this.wireFor(handle).ends.port;
  }

  localAddress(handle: Handle): string {
    return this.wireFor(handle).ends.localAddress;
  }

  localPort(handle: Handle): number {
    return this.wireFor(handle).ends.localPort;
  }

  listenerOf(handle: Handle): number {
    return this.wireFor(handle).ends.listener;
  }

  private forgetInput(wire: Wire): void {
    this.inputBytesTotal -= wire.input.length;
    wire.input.clear();
  }

  private wireFor(handle: Handle): Wire {
    const wire = this.wires[this.notices.slotFor(handle)];
    assert(wire !== undefined, 'a slot in use has no wire');
    return wire;
  }
}
