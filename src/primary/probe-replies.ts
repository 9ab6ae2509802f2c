/**
 * probe-replies — the replies of a backend that is looked at, one after another
 *
 * For one conversation without haste: whoever wants a reply waits for it, and a backend that sends far more than
 * anybody asked for is cut off. `hasMore` tells of bytes that nobody has asked for yet; behind the answer to STARTTLS
 * there may be none.
 */
import type { Socket } from 'node:net';

const BYTES_MAX = 65_536;

export class Replies {
  readonly #socket: Socket;
  #text = '';
  #fault: Error | null = null;
  #wake: () => void = () => undefined;

  /** Reads `socket` from now on. */
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', this.#take);
    socket.on('error', this.#fail);
    socket.on('close', this.#close);
  }

  /** Bytes that came and are no part of a reply that was asked for. */
  get hasMore(): boolean {
    return this.#text !== '';
  }

  /** The next whole reply, with its line ends. Throws when none can come any more. */
  async next(): Promise<string> {
    for (;;) {
      const whole = /^(?:\d{3}-[^\n]*\n)*\d{3}(?!-)[^\n]*\n/.exec(this.#text)?.[0];
      if (whole !== undefined) {
        this.#text = this.#text.slice(whole.length);
        return whole;
      }
      if (this.#fault !== null) throw this.#fault;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Leaves the socket to somebody else. */
  end(): void {
    this.#socket.off('data', this.#take).off('close', this.#close);
  }

  readonly #take = (bytes: Buffer): void => {
    this.#text += bytes.toString('latin1');
    if (this.#text.length > BYTES_MAX) this.#socket.destroy(new Error('sent more than a reply'));
    this.#wake();
  };

  readonly #fail = (error: Error): void => {
    this.#fault ??= error;
    this.#wake();
  };

  readonly #close = (): void => this.#fail(new Error('closed the connection'));
}
