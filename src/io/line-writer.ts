/**
 * line-writer — lines to a file descriptor, in batches, without ever waiting
 *
 * Log lines are collected until a batch is full or `BATCH_MS` old, since a hand-over to the platform's thread
 * pool costs more than a line does; that pool then writes, one batch under way at a time. What a
 * slow reader does not take stays in memory up to `waitingBytesMax`; beyond that lines are dropped and counted.
 * The event loop never waits for the log: node's own stdout would, since it is synchronous on pipes. Nor may the
 * pool wait, which writes spool files too: a pipe must be non-blocking, as node makes that of standard output when
 * process.stdout is first looked at (cli/output).
 *
 * Several shards write to one descriptor. A write to a pipe of at most 4,096 bytes is not interleaved with
 * others (POSIX PIPE_BUF), so to a pipe batches end at a line before that; to a file they may be longer.
 */
import { fstatSync, write } from 'node:fs';

const PIPE_BYTES_MAX = 4096;
const FILE_BYTES_MAX = 65_536;
/** A line waits for others of its batch for so long. */
const BATCH_MS = 50;
/** A pipe that was full is tried again after so long. */
const RETRY_MS = 50;

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
  #timer: NodeJS.Timeout | null = null;
  readonly #timeUp = (): void => {
    this.#timer = null;
    this.flush();
  };
  #onEmpty: () => void = () => undefined;

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
    if (this.#open.length + bytes > this.#batchBytesMax) {
      this.#close();
      this.flush();
    }
    this.#open += `${line}\n`;
    this.#timer ??= setTimeout(this.#timeUp, BATCH_MS);
  }

  /** Begins to write what was added, even if its batch is not full. */
  flush(): void {
    if (this.#waitingBytes === 0) return this.#onEmpty();
    if (this.#writing || this.#retry !== null) return;
    if (this.#batches.length === 0) this.#close();
    return this.#writeNext();
  }

  /**
   * Resolves when everything is written, at the latest after `limitMs`; what is left then counts as dropped.
   * For the last moment of a process: no lines are added behind it.
   */
  end(limitMs: number): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    return new Promise((resolve) => {
      const limit = setTimeout(() => {
        if (this.#retry !== null) clearTimeout(this.#retry);
        this.#close();
        for (const batch of this.#batches.splice(0)) this.#lose(batch);
        resolve();
      }, limitMs);
      this.#onEmpty = () => {
        clearTimeout(limit);
        resolve();
      };
      this.flush();
    });
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
    // It was given up in the meantime.
    if (this.#batches.length === 0) return;
    if (error !== null && error.code === 'EAGAIN') {
      this.#retry = setTimeout(() => {
        this.#retry = null;
        this.#writeNext();
      }, RETRY_MS);
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
    if (error !== null) this.#lose(this.#batches[0]!);
    this.#batches.shift();
    this.#waitingBytes -= bytes.length;
    this.flush();
  }

  /** Counts the lines of a batch that will never be written. */
  #lose(batch: string): void {
    for (let at = batch.indexOf('\n'); at >= 0; at = batch.indexOf('\n', at + 1)) {
      this.dropped += 1;
      this.#onDropped();
    }
  }
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}
