/**
 * sink-writer — what one connection of the sink says, when, and whether it lives to say it
 *
 * Replies of one turn leave in one write. With a delay they leave later, one after another, never out of
 * order. The faults that end a connection live here too, because they are about what is no longer said.
 */
import type { Socket } from 'node:net';
import type { Faults } from './sink-options.ts';

export class SinkWriter {
  /** Nothing more is taken in or said: the connection was closed or dropped. */
  isOver = false;
  readonly #socket: Socket;
  readonly #faults: Faults;
  readonly #late: (() => void)[] = [];
  #output = '';
  #replies = 0;

  /** Writes to `socket`; `faults` is looked at each time anew. */
  constructor(socket: Socket, faults: Faults) {
    this.#socket = socket;
    this.#faults = faults;
  }

  /** Owes a reply, its lines joined by CR LF; it leaves with the next flush. */
  reply(text: string): void {
    const limit = this.#faults.dieAfterReplies;
    if (limit > 0 && this.#replies >= limit) {
      this.die();
      return;
    }
    this.#replies += 1;
    this.#output += `${text}\r\n`;
  }

  /** Writes what is owed; later when a delay is asked for, and never before what was owed earlier. */
  flush(delayMs: number): void {
    if (this.#output === '') return;
    const output = this.#output;
    const isLast = this.isOver;
    this.#output = '';
    const write = (): void => {
      if (this.#socket.destroyed) return;
      this.#socket.write(output, 'utf8');
      if (isLast) this.#socket.end();
    };
    if (delayMs === 0 && this.#late.length === 0) {
      write();
      return;
    }
    this.#late.push(write);
    if (this.#late.length === 1) this.#writeLate(delayMs);
  }

  /** Says a last line, then closes in an orderly way. */
  close(text: string): void {
    this.reply(text);
    this.isOver = true;
    this.flush(this.#faults.replyDelayMs);
  }

  /** Drops the connection as a crashed server would; replies that were owed are lost. */
  die(): void {
    this.isOver = true;
    this.#output = '';
    this.#socket.resetAndDestroy();
  }

  #writeLate(delayMs: number): void {
    setTimeout(() => {
      (this.#late[0] as () => void)();
      this.#late.shift();
      if (this.#late.length > 0) this.#writeLate(this.#faults.replyDelayMs);
    }, delayMs).unref();
  }
}
