/**
 * sink — a backend that keeps count instead of mail
 *
 * It stands where Postfix would stand behind a front end: it lists XCLIENT, believes it, stores what it is
 * given (envelope, length, SHA-256, load id) and can be told to be slow, full, old or dying. What it stored
 * is what audits compare with what the clients were told.
 *
 * The journal gets one JSON line per message before its 250, so that a run in which the front end was
 * killed can be audited: whatever a client was told 250 for must be in it.
 *
 * It listens on loopback only: it believes whoever talks to it.
 */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { BodyFacts } from './sink-body.ts';
import { Mishaps } from './sink-mishaps.ts';
import { noFaults, sinkDefaults } from './sink-options.ts';
import type { Faults, SinkOptions } from './sink-options.ts';
import { SinkSession } from './sink-session.ts';
import type { SinkHouse } from './sink-session.ts';
import type { Impersonated } from './sink-xclient.ts';

/** One stored message. */
export interface StoredMessage extends BodyFacts {
  readonly queueId: string;
  /** Which connection of the sink it came over (1 …). */
  readonly connection: number;
  /** Whom XCLIENT named. */
  readonly client: Impersonated;
  readonly helo: string;
  readonly protocol: 'SMTP' | 'ESMTP';
  readonly sender: string;
  readonly mailParameters: string;
  readonly recipients: readonly string[];
  readonly recipientParameters: readonly string[];
  /** Only with `keepBodies`. */
  readonly body?: Buffer;
}

const zeroStats = {
  connections: 0,
  connectionsOpen: 0,
  /** Looked at when a connection has come, behind the end of those that made room for it. */
  connectionsOpenMax: 0,
  commands: 0,
  greetingsRefused: 0,
  xclients: 0,
  xclientsRefused: 0,
  /** MAIL, RCPT or DATA before an XCLIENT was obeyed: must stay 0. */
  relayAttempts: 0,
  mails: 0,
  recipients: 0,
  recipientsRefused: 0,
  messages: 0,
  messagesRefused: 0,
  messageBytes: 0,
  quits: 0,
  /** Commands sent before the reply to EHLO, XCLIENT or DATA was read. */
  syncErrors: 0,
  bareNewlineCommands: 0,
  unknownCommands: 0,
};

export type SinkStats = { -readonly [Name in keyof typeof zeroStats]: number };

const LISTEN_BACKLOG = 4_096;
/** Connections are counted so long after one has come. */
const SETTLE_MS = 20;

export class Sink implements SinkHouse {
  readonly options: SinkOptions;
  /** What is broken just now; may be changed while clients are connected. */
  readonly faults: Faults;
  readonly stats: SinkStats = { ...zeroStats };
  /** Everything stored since the start, in order. */
  readonly messages: StoredMessage[] = [];
  /** The lines that would have made an open relay. */
  readonly relayLines: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly mishaps: Mishaps | null;
  #journal = -1;

  constructor(options: Partial<SinkOptions> = {}) {
    this.options = { ...sinkDefaults, ...options };
    this.faults = { ...noFaults, ...this.options.faults };
    this.mishaps = this.options.mishaps === null ? null : new Mishaps(this.options.mishaps);
    if (!/^127\.|^::1$/.test(this.options.host))
      throw new Error(`a sink listens on loopback only, not on ${this.options.host}`);
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  /** Begins to listen; gives the port. Throws what the system says when the address is taken. */
  async listen(): Promise<number> {
    if (this.options.journalFile !== '') this.#journal = openSync(this.options.journalFile, 'a');
    const { host, port } = this.options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog: LISTEN_BACKLOG }, resolve);
    });
    return this.port;
  }

  /** The port it listens on. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Drops every connection and stops listening. Safe to call twice. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    if (this.#journal >= 0) closeSync(this.#journal);
    this.#journal = -1;
  }

  store(message: StoredMessage): void {
    if (this.options.keepMessages) this.messages.push(message);
    this.stats.messages += 1;
    this.stats.messageBytes += message.bytes;
    if (this.#journal < 0) return;
    const { body: _, ...facts } = message;
    writeSync(this.#journal, `${JSON.stringify(facts)}\n`);
    if (this.options.journalFsync) fsyncSync(this.#journal);
  }

  relayAttempt(line: string): void {
    this.stats.relayAttempts += 1;
    if (this.relayLines.length < 100) this.relayLines.push(line);
  }

  #accept(socket: Socket): void {
    const { stats } = this;
    stats.connections += 1;
    stats.connectionsOpen += 1;
    // A connection that made room for this one is gone for its peer, and may be heard of here a moment later.
    setTimeout(() => {
      stats.connectionsOpenMax = Math.max(stats.connectionsOpenMax, stats.connectionsOpen);
    }, SETTLE_MS).unref();
    this.#sockets.add(socket);
    const session = new SinkSession(socket, this, stats.connections);
    socket.on('data', (chunk: Buffer) => session.take(chunk));
    socket.on('end', () => socket.end());
    // A reset is an ordinary way to leave. `close` follows all ways, but only at the end of a round of the event loop: by then
    // the peer has our FIN, and its next connection may have been counted.
    let isOpen = true;
    const over = (): void => {
      if (isOpen) stats.connectionsOpen -= 1;
      isOpen = false;
    };
    for (const way of ['finish', 'error', 'close']) socket.on(way, over);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
