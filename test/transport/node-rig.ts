/**
 * node-rig — the node transport under the contract suite: real sockets on the loopback
 *
 * Nothing sleeps and nothing polls: whoever waits looks again whenever a socket of the test or the transport
 * reported something. `quiet` is the exception: "nothing more happens" can only be seen by looking a few
 * times around the event loop.
 */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate as aroundTheLoop } from 'node:timers/promises';
import { NodeTransport } from '../../src/io/node-transport.ts';
import { Engine, usual } from './harness.ts';
import type { Harness, Peer, Rig, RigOptions } from './harness.ts';

const QUIET_ROUNDS = 40;

/** Wakes whoever waits when something happened. */
class Bell {
  private waiting: (() => void)[] = [];

  ring(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const wake of waiting) wake();
  }

  async until(condition: () => boolean): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- looks again after each ring
    while (!condition()) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }
}

class SocketPeer implements Peer {
  private readonly socket: Socket;
  private readonly pieces: Buffer[] = [];
  private ended = false;
  private gone = false;

  constructor(socket: Socket, bell: Bell) {
    this.socket = socket;
    socket.on('connect', () => bell.ring());
    socket.on('data', (bytes) => {
      this.pieces.push(bytes);
      bell.ring();
    });
    socket.on('end', () => {
      this.ended = true;
      bell.ring();
    });
    socket.on('error', () => bell.ring());
    socket.on('close', () => {
      this.gone = true;
      bell.ring();
    });
  }

  get port(): number {
    return this.socket.localPort ?? 0;
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
    this.socket.resetAndDestroy();
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
  }
}

function rigFor(
  transport: NodeTransport,
  bell: Bell,
  peers: SocketPeer[],
): Rig & { transport: NodeTransport } {
  const engine = new Engine(transport, () => {
    setImmediate(() => {
      engine.turn();
      bell.ring();
    });
  });
  const until = (condition: () => boolean): Promise<void> => bell.until(condition);
  const quiet = async (): Promise<void> => {
    // oxlint-disable-next-line no-await-in-loop -- each round is one look around the event loop
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

export const nodeHarness: Harness = {
  name: 'node',
  front: async (options: RigOptions = {}) => {
    const bell = new Bell();
    const peers: SocketPeer[] = [];
    const made = rigFor(new NodeTransport({ ...usual, ...options }), bell, peers);
    const listener = 3;
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
        bell,
      );
      peers.push(peer);
      return peer;
    };
    return { ...made, dial, localAddress: bound.address, localPort: bound.port, listener };
  },
  back: async (options: RigOptions = {}) => {
    const bell = new Bell();
    const peers: SocketPeer[] = [];
    const server = await aPort((socket) => {
      peers.push(new SocketPeer(socket, bell));
      bell.ring();
    });
    const closedPort = await aPort();
    closedPort.stop();
    const made = rigFor(new NodeTransport({ ...usual, ...options }), bell, peers);
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
};
