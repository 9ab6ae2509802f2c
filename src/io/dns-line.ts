/**
 * dns-line — one UDP port that speaks with one name server
 *
 * The socket is connected: the system lets nobody else's datagrams in, and tells when nobody listens there. Each
 * question has a random id that no other question on this port has. A port that fails is closed and opened anew with
 * the next question, at most once a second. Nothing in here throws out of an event.
 */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { performance } from 'node:perf_hooks';
import type { Endpoint } from '../transport/transport.ts';
import { wireIdOf } from './dns-wire.ts';

const REOPEN_MS = 1_000;
const IDS = 65_536;
const INPUT_BYTES = 1_048_576;
/** Half of all ids: a free one is found at the second draw, as a rule. */
const QUESTIONS_MAX = IDS / 2;

/** What happens on a line. `Pending` is what its owner wants back with an answer. */
export interface LineEvents<Pending> {
  answered(pending: Pending, bytes: Buffer, line: DnsLine<Pending>, wireId: number): void;
  /** These questions will not be answered on this line. */
  broke(pending: readonly Pending[], why: string, line: DnsLine<Pending>): void;
}

export class DnsLine<Pending> {
  readonly server: Endpoint;
  readonly #events: LineEvents<Pending>;
  readonly #pending = new Map<number, Pending>();
  #socket: Socket | null = null;
  #isConnected = false;
  #openedMs = -Infinity;

  constructor(server: Endpoint, events: LineEvents<Pending>) {
    this.server = server;
    this.#events = events;
  }

  /** Opens the port; comes back when it can be used, or cannot. */
  async open(): Promise<void> {
    const opened = this.#open();
    if (opened !== null) await opened;
  }

  /** Sends a question made by `bytesOf`; its id, or -1 when the port cannot be used. */
  send(pending: Pending, bytesOf: (wireId: number) => Buffer): number {
    if (!this.#isConnected) void this.#open();
    const socket = this.#socket;
    if (socket === null || !this.#isConnected || this.#pending.size >= QUESTIONS_MAX) return -1;
    let wireId = randomInt(IDS);
    while (this.#pending.has(wireId)) wireId = randomInt(IDS);
    this.#pending.set(wireId, pending);
    try {
      socket.send(bytesOf(wireId), (error) => {
        if (error !== null && socket === this.#socket) this.#breaks(error);
      });
    } catch (error) {
      this.#pending.delete(wireId);
      this.#close(socket);
      return error instanceof Error ? -1 : -1;
    }
    return wireId;
  }

  /** The answer to this question is not wanted any more. */
  forget(wireId: number): void {
    this.#pending.delete(wireId);
  }

  /** Closes the port for good. */
  close(): void {
    this.#openedMs = Infinity;
    if (this.#socket !== null) this.#close(this.#socket);
  }

  #open(): Promise<void> | null {
    const nowMs = performance.now();
    if (this.#socket !== null || nowMs - this.#openedMs < REOPEN_MS) return null;
    this.#openedMs = nowMs;
    const { host, port } = this.server;
    const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4' });
    this.#socket = socket;
    socket.on('message', (bytes) => this.#hear(bytes));
    socket.on('error', (error) => {
      if (socket === this.#socket) this.#breaks(error);
    });
    return new Promise((resolve) => {
      socket.once('close', resolve);
      socket.connect(port, host, (error?: Error) => {
        if (error === undefined || error === null)
          this.#isConnected = socket === this.#socket && widened(socket);
        else if (socket === this.#socket) this.#breaks(error);
        resolve();
      });
    });
  }

  #hear(bytes: Buffer): void {
    const wireId = wireIdOf(bytes);
    const pending = this.#pending.get(wireId);
    if (pending !== undefined) this.#events.answered(pending, bytes, this, wireId);
  }

  /** The system says that nobody is there, or the port itself is of no use. */
  #breaks(error: Error): void {
    const { code } = error as NodeJS.ErrnoException;
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    // A refusal is about one datagram: the port is as good as before.
    if (code !== 'ECONNREFUSED' && this.#socket !== null) this.#close(this.#socket);
    this.#events.broke(lost, `its name server cannot be reached (${code ?? error.message})`, this);
  }

  #close(socket: Socket): void {
    this.#socket = null;
    this.#isConnected = false;
    try {
      socket.close();
    } catch {
      // It was closed already.
    }
  }
}

/** Makes room for answers that come while the thread is busy; the system gives what it allows. */
function widened(socket: Socket): true {
  try {
    socket.setRecvBufferSize(INPUT_BYTES);
  } catch {
    // It stays as it is.
  }
  return true;
}
