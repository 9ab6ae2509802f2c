/**
 * wire — a client for tests that says lines and waits for whole replies
 *
 * Waits for events, never for time: a reply that does not come ends the test by its own time limit.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';

const FINAL_LINE = /^\d{3}(?: .*)?$/;

export class Wire {
  readonly #socket: Socket;
  #text = '';
  #isClosed = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      this.#text += chunk;
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  static async open(port: number): Promise<Wire> {
    const socket = connect({ host: '127.0.0.1', port });
    const wire = new Wire(socket);
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return wire;
  }

  /** Writes raw text without waiting. */
  write(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  /** The next whole reply, its lines joined by "|"; "closed" when the peer has gone. */
  async reply(): Promise<string> {
    const lines: string[] = [];
    for (;;) {
      const end = this.#text.indexOf('\r\n');
      if (end >= 0) {
        lines.push(this.#text.slice(0, end));
        this.#text = this.#text.slice(end + 2);
        if (FINAL_LINE.test(lines[lines.length - 1] as string)) return lines.join('|');
      } else if (this.#isClosed) {
        return 'closed';
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }

  /** Says one line and gives the reply to it. */
  async say(line: string): Promise<string> {
    this.write(`${line}\r\n`);
    return this.reply();
  }

  /** Waits until the peer has closed. */
  async closed(): Promise<void> {
    while (!this.#isClosed) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  close(): void {
    this.#socket.destroy();
  }
}
