/**
 * asker — one client that says one command, waits for its reply, and knows how long that took
 *
 * Sequential: the next command is said when the last reply is whole. The clock is read right before the write and when
 * the reply's last line was read.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';

const SILENCE_MS_MAX = 20_000;
const wholeReply = /^(?:\d{3}-[^\n]*\n)*(\d{3}) [^\n]*\n/;

export class Asker {
  readonly #socket: Socket;
  #heard = '';
  #why = '';
  #atReply: (() => void) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#heard += bytes.toString('latin1');
      this.#atReply?.();
    });
    socket.on('error', (error) => (this.#why = error.message));
    socket.on('close', () => {
      this.#why ||= 'the connection ended';
      this.#atReply?.();
    });
  }

  /** Connects to a port of 127.0.0.1 from an address of its own, hears the greeting and says EHLO. */
  static async open(port: number, localAddress: string): Promise<Asker> {
    const asker = new Asker(connect({ port, host: '127.0.0.1', localAddress, noDelay: true }));
    await asker.#reply('220');
    await asker.ask('EHLO source.example.org', '250');
    return asker;
  }

  /** Says a command; the nanoseconds until its reply was whole. Throws when that has another code. */
  async ask(command: string, code: string): Promise<number> {
    const began = process.hrtime.bigint();
    this.#socket.write(`${command}\r\n`);
    await this.#reply(code);
    return Number(process.hrtime.bigint() - began);
  }

  /** QUIT, and the end of the connection. */
  async close(): Promise<void> {
    await this.ask('QUIT', '221');
    this.#socket.destroy();
  }

  #reply(code: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const silence = setTimeout(() => this.#socket.destroy(new Error('no reply came')), SILENCE_MS_MAX);
      const end = (why: string): void => {
        clearTimeout(silence);
        this.#atReply = null;
        if (why === '') resolve();
        else reject(new Error(why));
      };
      this.#atReply = (): void => {
        const reply = wholeReply.exec(this.#heard);
        if (reply === null) return this.#why === '' ? undefined : end(this.#why);
        this.#heard = this.#heard.slice(reply[0].length);
        return end(reply[1] === code ? '' : `answered ${reply[0]}`);
      };
      this.#atReply();
    });
  }
}
