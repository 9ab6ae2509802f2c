/**
 * stream-socket — a socket that knows its stream, and how the event loop's words reach it
 *
 * The handlers are shared by all sockets and find their stream through two properties of the socket, so a
 * stream makes no closure. One around which TLS was put hands its stream over to the TLS socket, which keeps it
 * underneath: only the lower one can be reset.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TlsFault } from '../transport/tls-fault.ts';
import type { TlsSide } from './tls-contexts.ts';

const eventsKey = Symbol('events');
const slotKey = Symbol('slot');
const plainKey = Symbol('plain');
const sideKey = Symbol('side');

/** What is heard of streams, by slot. */
export interface StreamEvents {
  connected(slot: number): void;
  received(slot: number, chunk: Uint8Array): void;
  peerEnded(slot: number): void;
  drained(slot: number): void;
  finished(slot: number): void;
  secured(slot: number, socket: TLSSocket): void;
  /** TLS went wrong; 'closed' follows. */
  tlsFailed(slot: number, fault: TlsFault): void;
  closed(slot: number): void;
}

/** A socket with a stream. */
export interface StreamSocket extends Socket {
  [eventsKey]: StreamEvents;
  [slotKey]: number;
  /** The socket under a TLS one, and our part in its handshake. */
  [plainKey]?: Socket;
  [sideKey]?: TlsSide;
}

/** Lets the stream of `slot` hear of a socket. */
export function seat(bare: Socket, events: StreamEvents, slot: number): StreamSocket {
  const socket = bare as StreamSocket;
  socket[eventsKey] = events;
  socket[slotKey] = slot;
  socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('drain', onDrain);
  socket.on('error', ignoreError);
  socket.on('close', onClose);
  if (socket.connecting) socket.on('connect', onConnect);
  return socket;
}

/** Puts TLS around a socket; its stream hears of the TLS socket alone from now on. */
export function wrap(plain: StreamSocket, side: TlsSide): StreamSocket {
  // Those of node itself stay, and the one that swallows errors.
  plain.off('data', onData).off('end', onEnd).off('drain', onDrain).off('close', onClose);
  const socket = seat(side.around(plain), plain[eventsKey], plain[slotKey]);
  socket[plainKey] = plain;
  socket[sideKey] = side;
  socket.on(side.securedEvent, onSecure);
  socket.on('error', onTlsError);
  return socket;
}

/** The file descriptor of a socket, -1 when it is gone; of one inside TLS, that of the socket underneath. */
export function descriptorOf(socket: StreamSocket): number {
  // oxlint-disable-next-line no-underscore-dangle -- node has no other way to name the descriptor
  const handle = ((socket[plainKey] ?? socket) as { _handle?: { fd?: number } | null })._handle;
  return handle?.fd ?? -1;
}

/** Closes with RST. */
export function reset(socket: StreamSocket): void {
  (socket[plainKey] ?? socket).resetAndDestroy();
}

/** Tells the stream when what was written and FIN have left. */
export function finish(socket: StreamSocket): void {
  socket.on('finish', onFinish);
  socket.end();
}

function onConnect(this: StreamSocket): void {
  this[eventsKey].connected(this[slotKey]);
}

function onData(this: StreamSocket, chunk: Uint8Array): void {
  this[eventsKey].received(this[slotKey], chunk);
}

function onEnd(this: StreamSocket): void {
  this[eventsKey].peerEnded(this[slotKey]);
}

function onDrain(this: StreamSocket): void {
  this[eventsKey].drained(this[slotKey]);
}

function onSecure(this: StreamSocket): void {
  this[eventsKey].secured(this[slotKey], this as unknown as TLSSocket);
}

function onTlsError(this: StreamSocket, error: Error): void {
  const fault = this[sideKey]!.faultOf(this as unknown as TLSSocket, error);
  if (fault !== null) this[eventsKey].tlsFailed(this[slotKey], fault);
}

function onFinish(this: StreamSocket): void {
  this[eventsKey].finished(this[slotKey]);
}

function onClose(this: StreamSocket): void {
  this[eventsKey].closed(this[slotKey]);
}

/** For 'error' of a socket: 'close' comes next and is enough. */
export function ignoreError(): void {}
