/**
 * ends — the two ends of each session's connection: where its client is, and what it connected to
 *
 * Columns by slot, beside those of sessions. They are the stream's own, unless a proxy that is trusted said that it speaks for
 * somebody else: then they are the client's, and nothing behind the stage that took its word knows the difference. The client's
 * address itself is a column of sessions. Memory: 13 bytes a slot.
 */

/** Who stands at the other end of the stream. */
export const Via = {
  /** The client. */
  Nobody: 0,
  /** A proxy that speaks for the client. */
  Proxy: 1,
  /** A proxy that speaks for itself: a test of whether we are alive. */
  ProxyItself: 2,
} as const;
export type Via = (typeof Via)[keyof typeof Via];

export class Ends {
  readonly ports: Uint16Array;
  readonly localAddresses: string[];
  readonly localPorts: Uint16Array;
  readonly #vias: Uint8Array;

  /** For slots 0 … capacity - 1. */
  constructor(capacity: number) {
    this.ports = new Uint16Array(capacity);
    this.localAddresses = Array.from<string>({ length: capacity }).fill('');
    this.localPorts = new Uint16Array(capacity);
    this.#vias = new Uint8Array(capacity);
  }

  /** Puts down the ends of a session. */
  put(slot: number, port: number, localAddress: string, localPort: number, via: Via): void {
    this.ports[slot] = port;
    this.localAddresses[slot] = localAddress;
    this.localPorts[slot] = localPort;
    this.#vias[slot] = via;
  }

  viaOf(slot: number): Via {
    return this.#vias[slot] as Via;
  }
}
