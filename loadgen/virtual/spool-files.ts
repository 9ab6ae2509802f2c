/**
 * spool-files — the spool's files in memory, for tests: written and read one step late, and broken on request
 *
 * What is asked for in one turn is noted by `advance`, as a disk would do it: never inside the call.
 */
import { FileNoted } from '../../src/backend/spool-files.ts';
import type { SpoolFiles } from '../../src/backend/spool-files.ts';

interface File {
  bytes: Uint8Array[];
  length: number;
  waiting: Uint8Array[];
  asked: { position: number; bytesMax: number } | null;
  found: Uint8Array | null;
  noted: number;
}

export class MemorySpoolFiles implements SpoolFiles {
  onNoted: () => void = () => undefined;
  /** While true, appends and reads fail. */
  broken = false;
  /** While true, nothing is written: a disk that hangs. */
  stuck = false;
  /** Most that one read returns. */
  readBytesMax = Number.MAX_SAFE_INTEGER;
  readonly #files = new Map<number, File>();
  readonly #line: number[] = [];
  #opened = 0;

  /** Files that were begun and not ended. */
  get filesOpen(): number {
    return this.#files.size;
  }

  /** Files ever begun. */
  get opened(): number {
    return this.#opened;
  }

  open(): number {
    const number = this.#opened++;
    this.#files.set(number, { bytes: [], length: 0, waiting: [], asked: null, found: null, noted: 0 });
    return number;
  }

  append(file: number, bytes: Uint8Array): void {
    this.#of(file).waiting.push(bytes);
  }

  unwritten(file: number): number {
    return this.#of(file).waiting.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  read(file: number, position: number, bytesMax: number): void {
    const one = this.#of(file);
    if (one.asked !== null || one.found !== null) throw new Error('one read at a time');
    one.asked = { position, bytesMax };
  }

  takeRead(file: number): Uint8Array {
    const one = this.#of(file);
    if (one.found === null) throw new Error('no read was noted');
    const { found } = one;
    one.found = null;
    return found;
  }

  next(): number {
    return this.#line.shift() ?? -1;
  }

  take(file: number): number {
    const one = this.#files.get(file);
    if (one === undefined) return 0;
    const { noted } = one;
    one.noted = 0;
    return noted;
  }

  close(file: number): void {
    this.#of(file);
    this.#files.delete(file);
    const at = this.#line.indexOf(file);
    if (at >= 0) this.#line.splice(at, 1);
  }

  /** Time passes: what was asked for is done. True when there was something. */
  advance(): boolean {
    let moved = false;
    for (const [number, file] of this.#files) {
      const noted = this.#move(file);
      if (noted === 0) continue;
      moved = true;
      if (file.noted === 0) this.#line.push(number);
      file.noted |= noted;
    }
    if (moved) this.onNoted();
    return moved;
  }

  #move(file: File): number {
    if (this.stuck) return 0;
    if (this.broken) {
      if (file.waiting.length === 0 && file.asked === null) return 0;
      file.waiting = [];
      file.asked = null;
      return FileNoted.Failed;
    }
    let noted = 0;
    if (file.waiting.length > 0) {
      for (const bytes of file.waiting) file.length += bytes.length;
      file.bytes.push(...file.waiting);
      file.waiting = [];
      noted = FileNoted.Written;
    }
    if (file.asked !== null) {
      const whole = Buffer.concat(file.bytes);
      const count = Math.min(file.asked.bytesMax, this.readBytesMax);
      file.found = Uint8Array.from(whole.subarray(file.asked.position, file.asked.position + count));
      file.asked = null;
      noted |= FileNoted.Read;
    }
    return noted;
  }

  #of(file: number): File {
    const one = this.#files.get(file);
    if (one === undefined) throw new Error(`file ${file} is not open`);
    return one;
  }
}
