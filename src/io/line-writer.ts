/**
 * line-writer — lines to a file descriptor, in batches, without ever waiting
 *
 * Log lines are collected and written by the platform's thread pool, one write under way at a time. What a
 * slow reader does not take stays in memory up to `waitingBytesMax`; beyond that lines are dropped and counted.
 * The event loop never waits for the log: node's own stdout would, since it is synchronous on pipes.
 *
 * Several shards write to one descriptor. A write to a pipe of at most 4,096 bytes is not interleaved with
 * others (POSIX PIPE_BUF), so to a pipe batches end at a line before that; to a file they may be longer.
 */
import { fstatSync, write, writeSync } from 'node:fs';

const PIPE_BYTES_MAX = 4096;
const FILE_BYTES_MAX = 65_536;

export class LineWriter {
  /** Lines that were dropped. */
  dropped = 0;
  readonly #fd: number;
  readonly #batchBytesMax: number;
  readonly #waitingBytesMax: number;
  readonly #onDropped: () => void;
  readonly #batches: string[] = [];
  #open = '';
  #waitingBytes = 0;
  #writing = false;
  #retry: NodeJS.Timeout | null = null;

  /** A writer to `fd` that keeps at most `waitingBytesMax` bytes; `onDropped` is called for each lost line. */
  constructor(fd: number, waitingBytesMax: number, onDropped: () => void) {
    this.#fd = fd;
    this.#waitingBytesMax = waitingBytesMax;
    this.#onDropped = onDropped;
    this.#batchBytesMax = isFile(fd) ? FILE_BYTES_MAX : PIPE_BYTES_MAX;
  }

  /** Takes a line of ASCII text without its line end. */
  add(line: string): void {
    const bytes = line.length + 1;
    if (this.#waitingBytes + bytes > this.#waitingBytesMax) {
      this.dropped += 1;
      this.#onDropped();
      return;
    }
    this.#waitingBytes += bytes;
    if (this.#open.length + bytes > this.#batchBytesMax) this.#close();
    this.#open += `${line}\n`;
  }

  /** Begins to write what was added. Called once a turn; costs nothing when there is nothing. */
  flush(): void {
    if (this.#writing || this.#retry !== null || this.#waitingBytes === 0) return;
    if (this.#batches.length === 0) this.#close();
    this.#writeNext();
  }

  /** Writes everything now, waiting for the reader; for the last moment of a process. */
  flushNow(): void {
    this.#close();
    for (const batch of this.#batches.splice(0)) {
      try {
        writeSync(this.#fd, batch, null, 'latin1');
      } catch {
        return;
      }
    }
    this.#waitingBytes = 0;
  }

  #close(): void {
    if (this.#open === '') return;
    this.#batches.push(this.#open);
    this.#open = '';
  }

  #writeNext(): void {
    const batch = this.#batches[0];
    if (batch === undefined) return;
    this.#writing = true;
    const bytes = Buffer.from(batch, 'latin1');
    write(this.#fd, bytes, 0, bytes.length, null, (error, written) => this.#written(error, written, bytes));
  }

  #written(error: NodeJS.ErrnoException | null, written: number, bytes: Buffer): void {
    this.#writing = false;
    // flushNow has written it in the meantime.
    if (this.#batches.length === 0) return;
    if (error !== null && error.code === 'EAGAIN') {
      this.#retry = setTimeout(() => {
        this.#retry = null;
        this.#writeNext();
      }, 50);
      this.#retry.unref();
      return;
    }
    if (error === null && written < bytes.length) {
      this.#waitingBytes -= written;
      this.#batches[0] = bytes.toString('latin1', written);
      this.#writeNext();
      return;
    }
    // A reader that is gone (EPIPE) or a full disk: the lines are lost, mail goes on.
    if (error !== null) {
      this.dropped += 1;
      this.#onDropped();
    }
    this.#batches.shift();
    this.#waitingBytes -= bytes.length;
    this.flush();
  }
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}
