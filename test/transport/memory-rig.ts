/**
 * memory-rig — the memory transport under the contract suite: time passes by `advance`
 */
import { MemoryTransport } from '../../src/transport/memory-transport.ts';
import type { MemoryTransportOptions, PeerHandle } from '../../src/transport/memory-transport.ts';
import { tlsFault } from '../../src/transport/tls-fault.ts';
import type { TlsFaultKind } from '../../src/transport/tls-fault.ts';
import type { Endpoint } from '../../src/transport/transport.ts';
import { Engine, usual } from './harness.ts';
import type { Harness, Peer, Rig, RigOptions } from './harness.ts';

const ADVANCES_MAX = 100_000;
const answering: Endpoint = { host: '192.0.2.1', port: 25 };
const refusing: Endpoint = { host: '192.0.2.2', port: 25 };

class MemoryPeer implements Peer {
  readonly port: number;
  private readonly transport: MemoryTransport;
  private readonly handle: PeerHandle;
  private readonly pieces: Uint8Array[] = [];
  private stalled = false;
  private ended = false;

  constructor(transport: MemoryTransport, handle: PeerHandle, port: number) {
    this.transport = transport;
    this.handle = handle;
    this.port = port;
  }

  send(bytes: Uint8Array): void {
    this.transport.peerSend(this.handle, bytes);
  }

  /** What a reading peer does once per advance. */
  read(): void {
    if (this.stalled) return;
    const bytes = this.transport.peerReceived(this.handle);
    if (bytes.length > 0) this.pieces.push(bytes);
    this.ended = this.transport.peerSawEnd(this.handle);
  }

  received(): Uint8Array {
    return Uint8Array.from(Buffer.concat(this.pieces));
  }

  finish(): void {
    this.transport.peerFinish(this.handle);
  }

  reset(): void {
    this.transport.peerReset(this.handle);
  }

  stall(on: boolean): void {
    this.stalled = on;
    this.transport.peerStall(this.handle, on);
  }

  sawEnd(): boolean {
    return this.ended;
  }

  closed(): boolean {
    return this.transport.peerClosed(this.handle);
  }

  handshake(): void {
    this.transport.peerHandshake(this.handle, 'TLSv1.3 TLS_AES_256_GCM_SHA384');
  }

  failHandshake(kind: TlsFaultKind): void {
    this.transport.peerBadPapers(this.handle, tlsFault(kind, 'as told'));
  }
}

/**
 * A harness whose peers' bytes arrive in pieces of at most `splitBytes`, when that is given. `secures`: streams are put into
 * TLS first.
 */
export function memoryHarness(name: string, splitBytes?: number, secures = false): Harness {
  const pieces = splitBytes === undefined ? {} : { splitBytes };

  function rig(options: MemoryTransportOptions, peers: MemoryPeer[]): Rig & { transport: MemoryTransport } {
    const transport = new MemoryTransport(options);
    const engine = new Engine(transport, () => undefined);
    let tick = 0;
    const pass = (): void => {
      transport.advance((tick += 1));
      for (const peer of peers) peer.read();
      if (engine.woken) engine.turn();
    };
    const until = async (condition: () => boolean): Promise<void> => {
      for (let count = 0; !condition(); count += 1) {
        if (count === ADVANCES_MAX) throw new Error('waited for something that never came');
        pass();
      }
    };
    const quiet = async (): Promise<void> => {
      pass();
      while (transport.busy) pass();
    };
    return { transport, engine, until, quiet, close: async () => undefined };
  }

  return {
    name,
    secures,
    front: async (options: RigOptions = {}) => {
      const peers: MemoryPeer[] = [];
      const made = rig({ ...usual, ...options, ...pieces }, peers);
      const ends = { localAddress: '192.0.2.25', localPort: 25, listener: 3 };
      let port = 40_000;
      const dial = (): Peer => {
        port += 1;
        const peer = new MemoryPeer(
          made.transport,
          made.transport.dial({ address: '127.0.0.1', port, ...ends }),
          port,
        );
        peers.push(peer);
        return peer;
      };
      return { ...made, secures, dial, ...ends };
    },
    back: async (options: RigOptions = {}) => {
      const peers: MemoryPeer[] = [];
      const onDial = (endpoint: Endpoint, handle: PeerHandle): 'accept' | 'refuse' => {
        if (endpoint === refusing || endpoint.host === refusing.host) return 'refuse';
        peers.push(new MemoryPeer(made.transport, handle, endpoint.port));
        return 'accept';
      };
      const made = rig({ ...usual, ...options, ...pieces, onDial }, peers);
      return { ...made, answering, refusing, accepted: peers };
    },
  };
}
