/**
 * tap — a wire between a sending program and the server, which remembers what was really sent
 *
 * `smtp-source` cannot choose its own address and does not say what it sent. So it talks to this tap over a Unix
 * socket, and the tap carries each connection on from one of many loopback addresses, untouched. On the way it keeps
 * for each message the hash of its content, the address it came from, and the code of the server's answer to the
 * final dot: the truth that the queue is compared with. It also keeps how long the server let the client
 * wait. For clients that do not pipeline.
 */
import { createHash } from 'node:crypto';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mkdtemp, rm } from 'node:fs/promises';

export interface TappedMessage {
  /** Of the content with LF line ends and dots unstuffed: as a queue keeps it. */
  readonly sha256: string;
  readonly source: string;
  /** The answer to the final dot; 0 when the connection ended instead. */
  readonly code: number;
}

export interface Waits {
  greetingMs: number;
  commandMs: number;
  finalMs: number;
  /** All that one connection waited for replies, from connect to its end. */
  sessionMs: number;
}

export interface Tap {
  /** Give this to smtp-source as its target. */
  readonly target: string;
  readonly messages: readonly TappedMessage[];
  /** The longest waits of any client. */
  readonly longest: Readonly<Waits>;
  /** How often each reply code came. */
  readonly codes: ReadonlyMap<number, number>;
  close(): Promise<void>;
}

/** The hash by which messages are compared. */
export function sha256Of(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Loopback addresses 127.250.x.y, away from those that the zombies use. */
export function honestSources(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `127.250.${Math.floor(at / 200)}.${(at % 200) + 1}`);
}

/** Carries connections from a Unix socket on to `port`, from each of `sources` in turn. */
export async function startTap(port: number, sources: readonly string[]): Promise<Tap> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-tap-'));
  const path = join(directory, 'socket');
  const tape: Tape = {
    messages: [],
    codes: new Map(),
    longest: { greetingMs: 0, commandMs: 0, finalMs: 0, sessionMs: 0 },
  };
  const open = new Set<Socket>();
  let taken = 0;
  const server: Server = createServer((near) => {
    const source = sources[taken % sources.length] as string;
    taken += 1;
    const far = connect({ port, host: '127.0.0.1', localAddress: source });
    const listener = new Listener(tape, source);
    for (const socket of [near, far]) open.add(socket.on('error', () => socket.destroy()));
    near.on('data', (bytes: Buffer) => {
      listener.sent(bytes);
      far.write(bytes);
    });
    far.on('data', (bytes: Buffer) => {
      listener.heard(bytes);
      near.write(bytes);
    });
    near.on('end', () => far.end());
    far.on('end', () => near.end());
    near.on('close', () => open.delete(near) && far.destroySoon());
    far.on('close', () => {
      open.delete(far);
      listener.ended();
      near.destroySoon();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path, backlog: 4096 }, resolve);
  });
  return {
    target: `unix:${path}`,
    ...tape,
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

interface Tape {
  readonly messages: TappedMessage[];
  readonly codes: Map<number, number>;
  readonly longest: Waits;
}

/** What one connection is doing, as far as both directions show it. */
class Listener {
  private readonly tape: Tape;
  private readonly source: string;
  private phase: 'greeting' | 'commands' | 'content' | 'final' = 'greeting';
  private content = '';
  private reply = '';
  private sinceMs = performance.now();
  private sessionMs = 0;

  constructor(tape: Tape, source: string) {
    this.tape = tape;
    this.source = source;
  }

  sent(bytes: Buffer): void {
    this.sinceMs = performance.now();
    if (this.phase !== 'content') return;
    this.content += bytes.toString('latin1');
    if (this.content === '.\r\n' || this.content.endsWith('\r\n.\r\n')) this.phase = 'final';
  }

  heard(bytes: Buffer): void {
    this.reply += bytes.toString('latin1');
    for (;;) {
      const whole = /^(?:\d{3}-[^\n]*\n)*(\d{3}) [^\n]*\n/.exec(this.reply);
      if (!whole) return;
      this.reply = this.reply.slice(whole[0].length);
      this.replied(Number(whole[1]));
    }
  }

  ended(): void {
    if (this.phase === 'content' || this.phase === 'final') this.keep(0);
    this.tape.longest.sessionMs = Math.max(this.tape.longest.sessionMs, this.sessionMs);
  }

  private replied(code: number): void {
    const waitMs = performance.now() - this.sinceMs;
    const kind = this.phase === 'greeting' ? 'greetingMs' : this.phase === 'final' ? 'finalMs' : 'commandMs';
    this.tape.longest[kind] = Math.max(this.tape.longest[kind], waitMs);
    this.sessionMs += waitMs;
    this.tape.codes.set(code, (this.tape.codes.get(code) ?? 0) + 1);
    if (this.phase === 'final') this.keep(code);
    this.phase = code === 354 ? 'content' : 'commands';
  }

  private keep(code: number): void {
    const lines = this.content
      .replace(/\.\r\n$/, '')
      .replaceAll('\r\n', '\n')
      .replace(/^\./gm, '');
    this.tape.messages.push({ sha256: sha256Of(Buffer.from(lines, 'latin1')), source: this.source, code });
    this.content = '';
  }
}
