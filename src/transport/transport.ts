/**
 * transport — what the engine may ask of the network, and what the network owes the engine
 *
 * One transport carries many byte streams of one direction: the front accepts clients, the back connects
 * to the backend. The engine sees handles, bytes and a short list of things that were noted; it never sees
 * a socket. Two implementations pass one contract suite: memory (virtual clock, tests, simulation) and
 * node (io/node-transport).
 *
 * The contract, in prose:
 * - An event is *noted* when it happens and *obeyed* on the engine's own turn. No method of a transport
 *   calls back into the engine before it returns. The one callback is `onNoted`, which says "there is
 *   something to do, take a turn soon" and nothing else.
 * - A stream with something noted is handed out by `next()` once; its events are merged into one bit set
 *   until `take()` clears it. So the queue of events can never be longer than the number of streams.
 * - Input is lent: `peek()` returns all bytes that arrived and were not consumed; the view is valid until the
 *   next call of `consume`, `release`, or the end of the turn. What is left unconsumed stays, and counts
 *   against `inputBytesMax`: above it the transport stops reading from the peer by itself and begins again
 *   when the engine has consumed.
 * - `write()` takes all or nothing. Bytes that were taken must not be changed by the caller afterwards.
 *   It refuses (false) when more than `outputBytesMax` would wait for a peer that does not read; `Drained`
 *   is noted when nothing waits any more. Inside TLS what was taken counts as waiting until the turn is over.
 * - `startTls()` makes an accepted stream a TLS server's and a connected one a TLS client's: the peer gets what was
 *   written so far, everything behind that is the handshake. Nothing of the peer may wait unconsumed at that moment: it would be plaintext taken for
 *   protected words (CVE-2011-0411), so bytes that are still under way then are read as part of the handshake, and break it.
 *   `Secured` is noted when the handshake is done; from then on the stream is as before, and its bytes are those inside
 *   TLS. Until then it may be aborted and released and nothing else; there is nothing to peek. A handshake that
 *   fails, a peer that finishes in it included, is Closed. So is one with a server that is to be verified and is not
 *   found good: it gets no byte of ours inside TLS, and `tlsFaultOf` says why.
 * - `narrow()` is a request: from now on the peer of an accepted stream may be only a little ahead of what the engine has
 *   consumed; or again as far as `inputBytesMax` and the network allow. No behaviour depends on it. What is under way
 *   already still comes, nothing is lost, and as much as a command line always fits. Asking twice is asking once.
 * - `Ended` is noted when the peer has sent its last byte (FIN); bytes that came before it are still there
 *   to be peeked. Writing stays possible.
 * - `Closed` is noted once, last of all, when the stream is gone for whatever reason, the engine's own
 *   `end` and `abort` included. The handle and its addresses stay valid until the engine calls `release`;
 *   only then is the slot given out again.
 *
 * Costs: no allocation per event beyond what the platform itself allocates.
 * Not taken: promises and streams (an object per event), a callback per kind of event (re-entrancy: an
 * engine that is called back from inside its own write judges clients by its own half-finished state).
 */
import type { Handle } from '../base/handle.ts';
import type { TlsFault } from './tls-fault.ts';

/** What can be noted of a stream, as bits of one small integer. */
export const Noted = {
  /** Accepted from a client, or connected to the backend. Noted once, first of all. */
  Opened: 1,
  /** New bytes are there to be peeked. */
  Readable: 2,
  /** Nothing waits to be written any more, after a `write` was refused or `end` was asked for. */
  Drained: 4,
  /** The peer has finished sending. */
  Ended: 8,
  /** The stream is gone. A connect that failed is Closed without ever having been Opened. */
  Closed: 16,
  /** The handshake that `startTls` began is done. */
  Secured: 32,
} as const;

/** Where to connect to; resolved before the engine sees it. */
export interface Endpoint {
  /** A literal IPv4 or IPv6 address. */
  readonly host: string;
  readonly port: number;
  /** Which of those that the transport believes in TLS it has to be (0 …); 0 when absent. */
  readonly trust?: number;
}

export interface Transport {
  /** Streams this transport can hold at once. Slots of its handles are below it. */
  readonly capacity: number;

  /** Bytes that arrived and were not consumed, over all streams. */
  readonly inputBytesTotal: number;

  /** Called (from outside a turn) when the first thing is noted since the last turn began. */
  onNoted: () => void;

  /** The next stream with something noted, NO_HANDLE when there is none. Rotates: nobody starves. */
  next(): Handle;

  /** What was noted of a stream since it was last taken: `Noted` bits. Clears them. */
  take(handle: Handle): number;

  /** Unconsumed bytes; an empty view when there are none. Lent, see above. */
  peek(handle: Handle): Uint8Array;

  /** Marks the first `count` bytes of the last peek as used up. */
  consume(handle: Handle, count: number): void;

  /** Gives bytes to the peer: true when taken whole, false when too much is waiting already. */
  write(handle: Handle, bytes: Uint8Array): boolean;

  /**
   * The same bytes in the form that this transport writes at the least cost; for what is said again and again. The
   * answer shares memory with `bytes`.
   */
  prepare(bytes: Uint8Array): Uint8Array;

  /** Bytes taken by `write` that the peer's side has not yet accepted. */
  unwritten(handle: Handle): number;

  /** Begins TLS behind the bytes written so far: as the server of a client, as a client of the backend. Once. See above. */
  startTls(handle: Handle): void;

  /**
   * Protocol and cipher ("TLSv1.3 TLS_AES_256_GCM_SHA384"); '' before Secured. Like the addresses it stays until the
   * release.
   */
  tlsOf(handle: Handle): string;

  /** Why the handshake of a connected stream failed; null when it did not, or nothing is known but its end. */
  tlsFaultOf(handle: Handle): TlsFault | null;

  /** Whether the client resumed an earlier TLS session, which costs a fraction of a new one; asked after Secured. */
  isTlsResumed(handle: Handle): boolean;

  /** Asks that the peer be only a little ahead of `consume`, or (false) as far as usual. Accepted streams only. See above. */
  narrow(handle: Handle, isNarrow: boolean): void;

  /**
   * Sends what was written, then closes; the peer may still send, which is thrown away. `peerIsDone` says that the
   * peer has nothing more to send (it said QUIT): a transport may then close without waiting for the peer's end.
   */
  end(handle: Handle, peerIsDone?: boolean): void;

  /** Closes at once; what was not sent is lost. */
  abort(handle: Handle): void;

  /** Gives the slot back. Allowed only after Closed was taken. */
  release(handle: Handle): void;

  /** Begins a connection; NO_HANDLE when all slots are in use. Accepting transports refuse (throw). */
  connect(endpoint: Endpoint): Handle;

  /** The peer's address as text ("192.0.2.7", "2001:db8::7"; never IPv4-mapped) and its port. */
  remoteAddress(handle: Handle): string;
  remotePort(handle: Handle): number;

  /** Our own side's address and port. */
  localAddress(handle: Handle): string;
  localPort(handle: Handle): number;

  /** Which listener of the configuration (0 …) accepted the stream; -1 for connected ones. */
  listenerOf(handle: Handle): number;
}
