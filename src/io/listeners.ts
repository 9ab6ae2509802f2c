/**
 * listeners — the listening sockets of one node transport
 *
 * Opens them, tells the transport of each client, closes them. A port may be shared with other threads and
 * processes (`reusePort`): the kernel then spreads the clients. The accept queue is long on purpose: when it
 * overflows, the kernel drops the last packet of the handshake and the client waits for a banner for ever.
 *
 * After a listener has opened, nothing that goes wrong with it is fatal: a failed accept is counted. When the
 * process is out of file descriptors libuv accepts and closes at once, unseen from here; so the capacity of
 * a transport belongs below the limit.
 */
import { createServer } from 'node:net';
import type { ListenOptions as NodeListenOptions, Server, ServerOpts, Socket } from 'node:net';
import { assert } from '../base/assert.ts';

export interface ListenOptions {
  /** A literal address. An IPv6 one accepts no IPv4 clients. */
  readonly host: string;
  /** 0: one that is free. */
  readonly port: number;
  /** What `listenerOf` says of its streams. */
  readonly listener: number;
  /** Shares the port with other threads and processes. */
  readonly reusePort: boolean;
  /** Length of the kernel's accept queue. */
  readonly backlog: number;
  /** A listening socket that was inherited; host, port and reusePort are then the giver's affair. */
  readonly fd?: number;
}

/** Where a listener really listens. */
export interface ListenAddress {
  readonly address: string;
  readonly port: number;
}

/** Hears of a client: its socket, the listener's number, its own address ('' when bound to all) and port. */
export type Accepted = (socket: Socket, listener: number, local: string, port: number) => void;

export class Listeners {
  /** Accepts that failed. */
  failed = 0;
  private readonly settings: ServerOpts;
  private readonly accepted: Accepted;
  private readonly servers: Server[] = [];

  constructor(settings: ServerOpts, accepted: Accepted) {
    this.settings = settings;
    this.accepted = accepted;
  }

  /** Opens one; rejects with node's error when it cannot. */
  open(options: ListenOptions): Promise<ListenAddress> {
    return new Promise((resolve, reject) => {
      let local = '';
      let port = 0;
      const server = createServer(this.settings, (socket) => {
        this.accepted(socket, options.listener, local, port);
      });
      server.once('error', reject);
      server.once('listening', () => {
        server.removeListener('error', reject);
        server.on('error', () => (this.failed += 1));
        const bound = server.address();
        assert(bound !== null && typeof bound !== 'string', 'a listener has an address and a port');
        local = bound.address === '0.0.0.0' || bound.address === '::' ? '' : bound.address;
        port = bound.port;
        this.servers.push(server);
        resolve({ address: bound.address, port });
      });
      server.listen(placeOf(options));
    });
  }

  /** Closes all of them at once. Streams live on; clients still in the kernel's queue are reset by it. */
  close(): void {
    for (const server of this.servers) server.close();
    this.servers.length = 0;
  }
}

function placeOf(options: ListenOptions): NodeListenOptions {
  const { host, port, backlog, reusePort, fd } = options;
  if (fd !== undefined) return { fd, backlog } as NodeListenOptions;
  return { host, port, backlog, reusePort, ipv6Only: host.includes(':') };
}
