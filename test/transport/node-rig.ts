/**
 * node-rig — the node transport under the contract suite: real sockets on the loopback
 *
 * Both ends live in this process, so a test that waits goes around the event loop until it sees what it
 * waits for, and sleeps nowhere. That nothing more happens can only be seen by going around a few times.
 */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate as aroundTheLoop } from 'node:timers/promises';
import { connect as connectTls, createSecureContext, TLSSocket } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { ignoreError } from '../../src/io/stream-socket.ts';
import { NodeTransport } from '../../src/io/node-transport.ts';
import { socketOptions } from '../../src/io/socket-options.ts';
import type { TlsFaultKind } from '../../src/transport/tls-fault.ts';
import { selfSigned } from '../self-signed.ts';
import type { SelfSigned } from '../self-signed.ts';
import { Engine, usual } from './harness.ts';
import type { Harness, Peer, Rig, RigOptions } from './harness.ts';

const QUIET_ROUNDS = 40;
/** After so long a test has failed; a run that passes never comes near it. */
const PATIENCE_MS = 20_000;

const LISTENER = 3;
const identity = { ...selfSigned('mx.example.net'), ticketKeys: new Uint8Array(48).fill(7) };

const serverName = 'backend.example.net';
const good = selfSigned(serverName);
const bad = {
  untrusted: selfSigned(serverName),
  wrongName: selfSigned('other.example.net'),
  outOfDate: selfSigned(serverName, new Date('2021-01-01T00:00:00Z')),
};
const trust = {
  isVerified: true,
  authorities: [good, bad.wrongName, bad.outOfDate].map(({ certificate }) => certificate),
  name: serverName,
};

const contexts = new Map<string, SecureContext>();

/** One for each certificate, so that the session of one stream can be resumed by the next. */
function contextOf({ certificate, key }: SelfSigned): SecureContext {
  const context = contexts.get(certificate) ?? createSecureContext({ cert: certificate, key });
  contexts.set(certificate, context);
  return context;
}

class SocketPeer implements Peer {
  /** The one that speaks: plain, or TLS around it. */
  private socket: Socket;
  private readonly plain: Socket;
  private readonly isServer: boolean;
  private readonly pieces: Buffer[] = [];
  private ended = false;
  private gone = false;

  /** `isServer`: the engine connected to it. */
  constructor(socket: Socket, isServer = false) {
    this.socket = socket;
    this.plain = socket;
    this.isServer = isServer;
    this.listen(socket);
  }

  private listen(socket: Socket): void {
    socket.on('data', (bytes: Buffer) => this.pieces.push(bytes));
    socket.on('end', () => (this.ended = true));
    socket.on('error', ignoreError);
    socket.on('close', () => (this.gone = true));
  }

  handshake(): void {
    this.begin(good);
  }

  failHandshake(kind: TlsFaultKind): void {
    if (kind !== 'handshake') return this.begin(bad[kind]);
    this.takeHello();
    this.plain.write('this is no handshake\r\n');
  }

  /** The engine's first words of the handshake, which were read together with its last ones in plaintext. */
  private takeHello(): Buffer {
    const read = Buffer.concat(this.pieces);
    const start = read.indexOf(Buffer.of(22, 3));
    if (start < 0) throw new Error('the engine has not begun a handshake');
    this.pieces.splice(0, this.pieces.length, read.subarray(0, start));
    return read.subarray(start);
  }

  private begin({ certificate, key }: SelfSigned): void {
    this.plain.removeAllListeners('data').removeAllListeners('end');
    // A socket that flows would hand it to nobody at once.
    if (this.isServer) this.plain.pause().unshift(this.takeHello());
    this.socket = this.isServer
      ? new TLSSocket(this.plain, {
          isServer: true,
          secureContext: contextOf({ certificate, key }),
        })
      : connectTls({ socket: this.plain, rejectUnauthorized: false });
    this.listen(this.socket);
  }

  get port(): number {
    return this.plain.localPort ?? 0;
  }

  send(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  received(): Uint8Array {
    return Uint8Array.from(Buffer.concat(this.pieces));
  }

  finish(): void {
    this.socket.end();
  }

  reset(): void {
    this.plain.resetAndDestroy();
  }

  stall(on: boolean): void {
    if (on) this.socket.pause();
    else this.socket.resume();
  }

  sawEnd(): boolean {
    return this.ended;
  }

  closed(): boolean {
    return this.gone;
  }

  destroy(): void {
    this.socket.destroy();
    this.plain.destroy();
  }
}

function rigFor(transport: NodeTransport, peers: SocketPeer[]): Rig & { transport: NodeTransport } {
  const engine = new Engine(transport, () => setImmediate(() => engine.turn()));
  const until = async (condition: () => boolean): Promise<void> => {
    const giveUpMs = performance.now() + PATIENCE_MS;
    while (!condition()) {
      if (performance.now() > giveUpMs) throw new Error('waited for something that never came');
      await aroundTheLoop();
    }
  };
  const quiet = async (): Promise<void> => {
    for (let round = 0; round < QUIET_ROUNDS; round += 1) await aroundTheLoop();
  };
  const close = async (): Promise<void> => {
    for (const peer of peers) peer.destroy();
    await transport.stopListening();
  };
  return { transport, engine, until, quiet, close };
}

async function aPort(backlog?: (socket: Socket) => void): Promise<{ port: number; stop: () => void }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => backlog?.(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, stop: () => server.close() };
}

/**
 * The node transport on the loopback; `secures`: streams are put into TLS first; `shaping`: other socket options than
 * those that are there.
 */
export const nodeHarnessOf = (name: string, secures: boolean, shaping = socketOptions()): Harness => ({
  name,
  secures,
  front: async (options: RigOptions = {}) => {
    const peers: SocketPeer[] = [];
    const made = rigFor(new NodeTransport({ ...usual, ...options, socketOptions: shaping }), peers);
    const listener = LISTENER;
    made.transport.useIdentities([null, null, null, identity]);
    const bound = await made.transport.listen({
      host: '127.0.0.1',
      port: 0,
      listener,
      reusePort: false,
      backlog: 4096,
    });
    const dial = (): Peer => {
      const peer = new SocketPeer(
        connect({ host: '127.0.0.1', port: bound.port, allowHalfOpen: true, noDelay: true }),
      );
      peers.push(peer);
      return peer;
    };
    return { ...made, secures, dial, localAddress: bound.address, localPort: bound.port, listener };
  },
  back: async (options: RigOptions = {}) => {
    const peers: SocketPeer[] = [];
    const server = await aPort((socket) => {
      peers.push(new SocketPeer(socket, true));
    });
    const closedPort = await aPort();
    closedPort.stop();
    const made = rigFor(new NodeTransport({ ...usual, ...options, trusts: [trust] }), peers);
    const close = async (): Promise<void> => {
      server.stop();
      await made.close();
    };
    return {
      ...made,
      close,
      answering: { host: '127.0.0.1', port: server.port },
      refusing: { host: '127.0.0.1', port: closedPort.port },
      accepted: peers,
    };
  },
});

export const nodeHarness = nodeHarnessOf('node', false);
