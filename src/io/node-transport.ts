/**
 * node-transport — the Transport contract on node:net sockets
 *
 * The front listens, the back connects; one instance does one of the two. Here are handles and sockets coming
 * in and going out; what happens on a socket between is in node-streams, with the reasons for how it reads
 * and how it closes.
 *
 * Costs, beside what node:net itself takes for a socket: one getpeername per client, a row of columns and an
 * empty queue per slot taken at birth, and nothing per idle stream.
 * Not taken: `socket._handle` and other inner parts of node, though a read without the stream machinery would
 * be cheaper; they change without notice. One number is asked of it, the descriptor of a stream that is narrowed, and
 * without it nothing is lost but the small window.
 */
import { connect, isIP } from 'node:net';
import type { Socket, SocketConstructorOpts } from 'node:net';
import { assert } from '../base/assert.ts';
import { NO_HANDLE } from '../base/handle.ts';
import type { Handle } from '../base/handle.ts';
import { Notices } from '../transport/notices.ts';
import type { TlsFault } from '../transport/tls-fault.ts';
import { Noted } from '../transport/transport.ts';
import type { Endpoint, Transport } from '../transport/transport.ts';
import { Listeners } from './listeners.ts';
import type { ListenAddress, ListenOptions } from './listeners.ts';
import { NodeStreams } from './node-streams.ts';
import { socketOptions } from './socket-options.ts';
import type { SocketOptions } from './socket-options.ts';
import { ignoreError } from './stream-socket.ts';
import { StreamWidths } from './stream-widths.ts';
import { clientSides } from './tls-client.ts';
import type { ClientSide } from './tls-client.ts';
import type { ClientTrust } from './tls-client.ts';
import { TlsContexts } from './tls-contexts.ts';
import type { TlsIdentity, TlsVersion } from './tls-contexts.ts';

export type { ListenAddress, ListenOptions } from './listeners.ts';

export interface NodeTransportOptions {
  readonly capacity: number;
  readonly inputBytesMax: number;
  /** Input of a narrowed stream; 2,048 when absent. */
  readonly narrowBytesMax?: number;
  readonly outputBytesMax: number;
  /** Sent to a client for whom there is no slot. */
  readonly fullReply?: Uint8Array;
  /**
   * Silence after which the kernel asks whether the peer still lives; absent or 0: never. Right for lanes that
   * idle; the front has a timer on every session anyway, and each client would cost four system calls more.
   */
  readonly keepAliveMs?: number;
  /** The oldest TLS that `startTls` speaks with clients; 1.2 when absent. */
  readonly tlsMinVersion?: TlsVersion;
  /** Whom `startTls` believes on connected streams, by `Endpoint.trust`; without them, none begins TLS. */
  readonly trusts?: readonly ClientTrust[];
  /** How sockets of narrowed streams are shaped; what is there (socket-options) when absent. */
  readonly socketOptions?: SocketOptions;
}

const NARROW_BYTES = 2_048;

export class NodeTransport implements Transport {
  readonly capacity: number;
  onNoted: () => void = () => undefined;
  /** Clients turned away because all slots were in use. */
  refusedFull = 0;
  private readonly fullReply: Uint8Array | undefined;
  private readonly notices: Notices;
  private readonly streams: NodeStreams;
  private readonly settings: SocketConstructorOpts & { noDelay: boolean; highWaterMark: number };
  private readonly listeners: Listeners;
  private readonly contexts: TlsContexts;
  private readonly clientSides: readonly ClientSide[];
  /** Of connected streams, by slot: whom they have to believe. */
  private readonly trustOf: Uint16Array;
  private vanished = 0;
  private listens = false;
  private connects = false;

  constructor(options: NodeTransportOptions) {
    const { capacity, inputBytesMax, outputBytesMax, keepAliveMs = 0 } = options;
    const { narrowBytesMax = NARROW_BYTES, socketOptions: shaping = socketOptions() } = options;
    this.capacity = capacity;
    this.fullReply = options.fullReply;
    this.notices = new Notices(capacity, () => this.onNoted());
    const widths = new StreamWidths(capacity, inputBytesMax, narrowBytesMax, shaping);
    this.streams = new NodeStreams(this.notices, widths, outputBytesMax);
    const keepAlive = { keepAlive: keepAliveMs > 0, keepAliveInitialDelay: keepAliveMs };
    this.settings = { allowHalfOpen: true, noDelay: true, highWaterMark: 1, ...keepAlive };
    this.contexts = new TlsContexts(options.tlsMinVersion ?? '1.2');
    this.clientSides = clientSides(options.trusts ?? []);
    this.trustOf = new Uint16Array(this.clientSides.length === 0 ? 0 : capacity);
    this.listeners = new Listeners(this.settings, (socket, listener, local, port) => {
      this.accepted(socket, listener, local, port);
    });
  }

  /** Bytes that arrived and were not consumed, over all streams. */
  get inputBytesTotal(): number {
    return this.streams.inputBytes;
  }

  /** Streams that hold a slot. */
  get streamsOpen(): number {
    return this.notices.taken;
  }

  /** Accepts that failed, and clients that were gone before they could be looked at. */
  get acceptsFailed(): number {
    return this.listeners.failed + this.vanished;
  }

  /** Begins to accept clients; rejects when the address cannot be listened on. May be called several times. */
  listen(options: ListenOptions): Promise<ListenAddress> {
    assert(!this.connects, 'a transport that connects cannot listen');
    this.listens = true;
    return this.listeners.open(options);
  }

  /** Stops accepting; streams live on. */
  stopListening(): Promise<void> {
    this.listeners.close();
    return Promise.resolve();
  }

  /**
   * What listeners show in handshakes from now on, by their numbers; null for one that has no TLS. Throws, and changes
   * nothing, when one cannot be used.
   */
  useIdentities(identities: readonly (TlsIdentity | null)[]): void {
    this.contexts.use(identities);
  }

  connect(endpoint: Endpoint): Handle {
    assert(!this.listens, 'a transport that accepts cannot connect');
    assert(isIP(endpoint.host) !== 0, 'an endpoint is a literal address');
    this.connects = true;
    const slot = this.notices.open();
    if (slot < 0) return NO_HANDLE;
    const { host, port, trust = 0 } = endpoint;
    this.trustOf[slot] = trust;
    this.streams.ends.keepConnecting(slot, host, port);
    this.streams.adopt(slot, connect({ host, port, ...this.settings }));
    return this.notices.handleAt(slot);
  }

  next(): Handle {
    return this.notices.next();
  }

  take(handle: Handle): number {
    return this.notices.take(handle);
  }

  peek(handle: Handle): Uint8Array {
    return this.streams.peek(this.notices.slotFor(handle));
  }

  consume(handle: Handle, count: number): void {
    this.streams.consume(this.notices.slotFor(handle), count);
  }

  /** A Buffer: a socket would make one of each Uint8Array, each time. */
  prepare(bytes: Uint8Array): Uint8Array {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  write(handle: Handle, bytes: Uint8Array): boolean {
    const slot = this.notices.slotFor(handle);
    assert(!this.streams.isDeaf(slot), 'a stream was written to after its end');
    assert(!this.streams.isHandshaking(slot), 'a stream was written to during its handshake');
    return this.streams.write(slot, bytes);
  }

  startTls(handle: Handle): void {
    const slot = this.notices.slotFor(handle);
    const listener = this.streams.ends.listenerOf(slot);
    const side = listener < 0 ? this.clientSides[this.trustOf[slot]!] : this.contexts.sideOf(listener);
    assert(side !== undefined, 'a connected stream began TLS and knows nobody to believe');
    this.streams.startTls(slot, side);
  }

  tlsOf(handle: Handle): string {
    return this.streams.tlsOf(this.notices.slotFor(handle));
  }

  tlsFaultOf(handle: Handle): TlsFault | null {
    return this.streams.tlsFaultOf(this.notices.slotFor(handle));
  }

  isTlsResumed(handle: Handle): boolean {
    return this.streams.isTlsResumed(this.notices.slotFor(handle));
  }

  narrow(handle: Handle, isNarrow: boolean): void {
    const slot = this.notices.slotFor(handle);
    assert(this.streams.ends.listenerOf(slot) >= 0, 'only a stream of a client is narrowed');
    this.streams.narrow(slot, isNarrow);
  }

  unwritten(handle: Handle): number {
    return this.streams.unwritten(this.notices.slotFor(handle));
  }

  end(handle: Handle, peerIsDone = false): void {
    this.streams.end(this.notices.slotFor(handle), peerIsDone);
  }

  abort(handle: Handle): void {
    this.streams.abort(this.notices.slotFor(handle));
  }

  release(handle: Handle): void {
    this.streams.forget(this.notices.release(handle));
  }

  remoteAddress(handle: Handle): string {
    return this.streams.ends.remoteAddressOf(this.notices.slotFor(handle));
  }

  remotePort(handle: Handle): number {
    return this.streams.ends.remotePortOf(this.notices.slotFor(handle));
  }

  localAddress(handle: Handle): string {
    return this.streams.ends.localAddressOf(this.notices.slotFor(handle));
  }

  localPort(handle: Handle): number {
    return this.streams.ends.localPortOf(this.notices.slotFor(handle));
  }

  listenerOf(handle: Handle): number {
    return this.streams.ends.listenerOf(this.notices.slotFor(handle));
  }

  private accepted(socket: Socket, listener: number, local: string, port: number): void {
    const slot = this.notices.open();
    if (slot < 0) {
      this.refusedFull += 1;
      this.turnAway(socket, this.fullReply);
    } else if (this.streams.ends.keepAccepted(slot, socket, listener, local, port)) {
      this.streams.adopt(slot, socket);
      this.notices.note(slot, Noted.Opened);
    } else {
      this.vanished += 1;
      this.notices.cancel(slot);
      this.turnAway(socket, undefined);
    }
  }

  /** Closes a socket that becomes no stream. It does not wait for the peer: nobody would watch over it. */
  private turnAway(socket: Socket, reply: Uint8Array | undefined): void {
    socket.on('error', ignoreError);
    if (reply !== undefined) socket.write(reply);
    socket.destroy();
  }
}
