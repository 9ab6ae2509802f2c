/**
 * stream-ends — both ends' addresses of the streams of one node transport
 *
 * The kernel forgets the addresses of a socket that is gone, and node with it, but a handle keeps them until its
 * release. So they are asked for once, when the stream opens, and kept in columns. Our own address is asked
 * for only where the listener is bound to all addresses; otherwise it is the listener's. Each question is
 * a system call of about half a microsecond, and the front asks one or two of them per client.
 */
import type { Socket } from 'node:net';
import { assert } from '../base/assert.ts';

export class StreamEnds {
  private readonly remoteAddresses: string[];
  private readonly remotePorts: Uint16Array;
  private readonly localAddresses: string[];
  private readonly localPorts: Uint16Array;
  private readonly listeners: Int16Array;

  constructor(capacity: number) {
    this.remoteAddresses = Array.from({ length: capacity }, () => '');
    this.remotePorts = new Uint16Array(capacity);
    this.localAddresses = Array.from({ length: capacity }, () => '');
    this.localPorts = new Uint16Array(capacity);
    this.listeners = new Int16Array(capacity);
  }

  /**
   * Keeps the ends of a client's socket. `local` is the listener's own address, '' when it has to be asked for.
   * False when the client is gone already and nobody knows any more who it was.
   */
  keepAccepted(slot: number, socket: Socket, listener: number, local: string, port: number): boolean {
    const remote = socket.remoteAddress;
    const own = local === '' ? socket.localAddress : local;
    if (remote === undefined || own === undefined) return false;
    this.remoteAddresses[slot] = plainAddress(remote);
    this.remotePorts[slot] = socket.remotePort ?? 0;
    this.localAddresses[slot] = plainAddress(own);
    this.localPorts[slot] = port;
    this.listeners[slot] = listener;
    return true;
  }

  /** Keeps where a connection goes; our own end is known only when it is there. */
  keepConnecting(slot: number, host: string, port: number): void {
    this.remoteAddresses[slot] = host;
    this.remotePorts[slot] = port;
    this.listeners[slot] = -1;
  }

  /** Keeps our own end of a connection that is there. */
  keepConnected(slot: number, socket: Socket): void {
    this.localAddresses[slot] = plainAddress(socket.localAddress ?? '');
    this.localPorts[slot] = socket.localPort ?? 0;
  }

  forget(slot: number): void {
    this.remoteAddresses[slot] = '';
    this.remotePorts[slot] = 0;
    this.localAddresses[slot] = '';
    this.localPorts[slot] = 0;
  }

  remoteAddressOf(slot: number): string {
    return textOf(this.remoteAddresses, slot);
  }

  remotePortOf(slot: number): number {
    return this.remotePorts[slot]!;
  }

  localAddressOf(slot: number): string {
    return textOf(this.localAddresses, slot);
  }

  localPortOf(slot: number): number {
    return this.localPorts[slot]!;
  }

  listenerOf(slot: number): number {
    return this.listeners[slot]!;
  }
}

function textOf(column: readonly string[], slot: number): string {
  const text = column[slot];
  assert(text !== undefined, 'no such slot');
  return text;
}

/** An address as the contract wants it: IPv4-mapped as IPv4, and without a zone. */
export function plainAddress(text: string): string {
  if (text.startsWith('::ffff:') && text.includes('.')) return text.slice(7);
  const zone = text.indexOf('%');
  return zone < 0 ? text : text.slice(0, zone);
}
