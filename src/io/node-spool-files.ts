/**
 * node-spool-files — spool files on the local file system
 *
 * A file never has a name (O_TMPFILE), or loses it as soon as it is open, so neither a crash nor kill -9 leaves one
 * behind. Work goes
 * through the platform's thread pool, one operation at a time for each file; a slow disk holds back the message
 * concerned and nothing else. See backend/spool-files for the contract.
 */
import { close, constants, open, read, unlink, write } from 'node:fs';
import { join } from 'node:path';
import { FileNoted } from '../backend/spool-files.ts';
import type { SpoolFiles } from '../backend/spool-files.ts';

/**
 * O_TMPFILE of Linux (open(2)), which node does not name: a file that never has a name. Other systems take it for
 * something else and refuse, as do file systems without it.
 */
const NAMELESS = 0o20_200_000 | constants.O_RDWR;

interface SpoolFile {
  fd: number;
  readonly waiting: Buffer[];
  unwrittenBytes: number;
  writtenBytes: number;
  busy: boolean;
  /** Nothing more is done with it; it waits to be closed. */
  failed: boolean;
  closed: boolean;
  noted: number;
  queued: boolean;
  readBytes: Buffer;
  wanted: { position: number; bytesMax: number } | null;
}

export class NodeSpoolFiles implements SpoolFiles {
  onNoted: () => void = () => undefined;
  readonly #directory: string;
  readonly #prefix: string;
  readonly #files = new Map<number, SpoolFile>();
  readonly #notedFiles: number[] = [];
  #serial = 0;

  /** Files are made in `directory` with names that begin with `prefix`, for the moment that they have names. */
  constructor(directory: string, prefix: string) {
    this.#directory = directory;
    this.#prefix = prefix;
  }

  open(): number {
    const number = this.#serial++;
    const file: SpoolFile = {
      fd: -1,
      waiting: [],
      unwrittenBytes: 0,
      writtenBytes: 0,
      busy: true,
      failed: false,
      closed: false,
      noted: 0,
      queued: false,
      readBytes: Buffer.alloc(0),
      wanted: null,
    };
    this.#files.set(number, file);
    open(this.#directory, NAMELESS, 0o600, (error, fd) => {
      if (error !== null) return this.#openNamed(number, file);
      file.fd = fd;
      return this.#done(number, file);
    });
    return number;
  }

  /** For file systems that know no files without a name: it has one for a moment. */
  #openNamed(number: number, file: SpoolFile): void {
    const path = join(this.#directory, `${this.#prefix}${number}`);
    open(path, 'wx+', 0o600, (error, fd) => {
      if (error !== null) return this.#fail(number, file);
      file.fd = fd;
      unlink(path, (unlinkError) => {
        if (unlinkError !== null) return this.#fail(number, file);
        return this.#done(number, file);
      });
      return undefined;
    });
  }

  append(number: number, bytes: Uint8Array): void {
    const file = this.#of(number);
    if (file.failed) return;
    file.waiting.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    file.unwrittenBytes += bytes.length;
    if (!file.busy) this.#work(number, file);
  }

  unwritten(number: number): number {
    return this.#of(number).unwrittenBytes;
  }

  read(number: number, position: number, bytesMax: number): void {
    const file = this.#of(number);
    if (file.failed) return;
    file.wanted = { position, bytesMax };
    if (!file.busy) this.#work(number, file);
  }

  takeRead(number: number): Uint8Array {
    return this.#of(number).readBytes;
  }

  next(): number {
    for (;;) {
      const number = this.#notedFiles.shift();
      if (number === undefined) return -1;
      const file = this.#files.get(number);
      if (file === undefined) continue;
      file.queued = false;
      if (file.noted !== 0) return number;
    }
  }

  take(number: number): number {
    const file = this.#of(number);
    const { noted } = file;
    file.noted = 0;
    return noted;
  }

  close(number: number): void {
    const file = this.#of(number);
    this.#files.delete(number);
    file.closed = true;
    if (!file.busy) closeQuietly(file.fd);
  }

  /**
   * Does the next thing that waits: writes before reads, so that a read sees all that was appended; but one of bytes that are all
   * written does not wait, or a client that goes on sending would keep its own message from being read meanwhile.
   */
  #work(number: number, file: SpoolFile): void {
    const bytes = file.waiting[0];
    const { wanted } = file;
    const isReadable = wanted !== null && wanted.position + wanted.bytesMax <= file.writtenBytes;
    if (bytes !== undefined && !isReadable) {
      file.busy = true;
      write(file.fd, bytes, 0, bytes.length, null, (error, written) => {
        if (error !== null) return this.#fail(number, file);
        file.unwrittenBytes -= written;
        file.writtenBytes += written;
        if (written < bytes.length) file.waiting[0] = bytes.subarray(written);
        else file.waiting.shift();
        if (file.waiting.length === 0) this.#note(number, file, FileNoted.Written);
        return this.#done(number, file);
      });
    } else if (wanted !== null) {
      const { position, bytesMax } = wanted;
      file.wanted = null;
      file.busy = true;
      const into = Buffer.alloc(bytesMax);
      read(file.fd, into, 0, bytesMax, position, (error, length) => {
        if (error !== null) return this.#fail(number, file);
        file.readBytes = into.subarray(0, length);
        this.#note(number, file, FileNoted.Read);
        return this.#done(number, file);
      });
    }
  }

  #done(number: number, file: SpoolFile): void {
    file.busy = false;
    if (file.closed) closeQuietly(file.fd);
    else this.#work(number, file);
  }

  #fail(number: number, file: SpoolFile): void {
    file.busy = false;
    file.failed = true;
    file.waiting.length = 0;
    file.unwrittenBytes = 0;
    file.wanted = null;
    if (file.closed) closeQuietly(file.fd);
    else this.#note(number, file, FileNoted.Failed);
  }

  #note(number: number, file: SpoolFile, what: number): void {
    if (file.closed) return;
    file.noted |= what;
    if (file.queued) return;
    file.queued = true;
    this.#notedFiles.push(number);
    this.onNoted();
  }

  #of(number: number): SpoolFile {
    const file = this.#files.get(number);
    if (file === undefined) throw new Error('no such spool file');
    return file;
  }
}

function closeQuietly(fd: number): void {
  if (fd >= 0) close(fd, () => undefined);
}
