/**
 * spool — messages between the client that sends them and the backend that takes them
 *
 * A message is kept from DATA until the backend has answered, byte for byte as it goes on the wire. Its first
 * `messageMemoryBytes` stay in memory, as long as all sessions of all shards stay below `memoryMaxBytes`; the rest
 * goes to a file. What does not fit into `diskMaxBytes` either is not taken: the client hears 452. So memory is
 * bounded by configuration, whatever clients send.
 *
 * A message can be read while it still comes in (stages/stream). Until it is said to be whole what came last is held back:
 * who reads it can never have its end, nor a dot at the start of a line that may become one, before it was accepted.
 *
 * Sluice has no queue: a message here belongs to its sender until the backend has said 250, and a crash that
 * loses it loses nothing.
 */
import { assert } from '../base/assert.ts';
import { Budget } from '../base/budget.ts';
import type { SpoolFiles } from './spool-files.ts';
import { FileNoted } from './spool-files.ts';

const READ_BYTES = 65_536;
/** More than this waiting to be written holds the client back. */
const UNWRITTEN_BYTES_MAX = 1_048_576;

/** One message in the spool. */
class Message {
  readonly pieces: Uint8Array[] = [];
  memoryBytes = 0;
  file = -1;
  fileBytes = 0;
  failed = false;
  /** Nothing more comes, and it was accepted. */
  isWhole = false;
  /** Bytes that came last. */
  lastBytes = 0;
  /** Reading: which piece of memory is next, and how far the file was read. */
  piece = 0;
  filePosition = 0;
  filePiece: Uint8Array | null = null;
  reading = false;
  /** The read under way belongs to an earlier reading of the message. */
  stale = false;
}

export interface SpoolLimits {
  readonly messageMemoryBytes: number;
  readonly memoryMaxBytes: number;
  readonly diskMaxBytes: number;
}

/** What the messages of a spool may take up, perhaps together with those of other shards (backend/allowance). */
interface SpoolBudgets {
  readonly memory: Budget;
  readonly disk: Budget;
}

export class Spool {
  readonly #messages: (Message | null)[];
  readonly #slotOfFile = new Map<number, number>();
  readonly #limits: SpoolLimits;
  readonly #files: SpoolFiles;
  readonly #memory: Budget;
  readonly #disk: Budget;

  /** A spool for slots 0 … capacity - 1. Without `budgets` it has all that `limits` allow for itself. */
  constructor(capacity: number, limits: SpoolLimits, files: SpoolFiles, budgets?: SpoolBudgets) {
    this.#messages = Array.from<Message | null>({ length: capacity }).fill(null);
    this.#limits = limits;
    this.#files = files;
    this.#memory = budgets?.memory ?? Budget.alone(limits.memoryMaxBytes);
    this.#disk = budgets?.disk ?? Budget.alone(limits.diskMaxBytes);
  }

  /** Bytes in memory of all messages together. */
  get memoryBytes(): number {
    return this.#memory.held;
  }

  /** Bytes in files of all messages together. */
  get diskBytes(): number {
    return this.#disk.held;
  }

  /** Begins the message of a slot. */
  begin(slot: number): void {
    assert(this.#messages[slot] === null, 'a slot spools one message at a time');
    this.#messages[slot] = new Message();
  }

  has(slot: number): boolean {
    return this.#messages[slot] !== null;
  }

  /** Adds a copy of bytes; false when there is no room for them or the file failed. */
  append(slot: number, bytes: Uint8Array): boolean {
    const message = this.#of(slot);
    if (message.failed) return false;
    const inMemory =
      message.file < 0 &&
      message.memoryBytes + bytes.length <= this.#limits.messageMemoryBytes &&
      this.#memory.take(bytes.length);
    if (inMemory) {
      message.pieces.push(bytes.slice());
      message.lastBytes = bytes.length;
      message.memoryBytes += bytes.length;
      return true;
    }
    if (!this.#disk.take(bytes.length)) return false;
    if (message.file < 0) {
      message.file = this.#files.open();
      this.#slotOfFile.set(message.file, slot);
    }
    this.#files.append(message.file, bytes.slice());
    message.lastBytes = bytes.length;
    message.fileBytes += bytes.length;
    return true;
  }

  /** The message of a slot was accepted: all of it may be read. */
  finish(slot: number): void {
    this.#of(slot).isWhole = true;
  }

  /** True when the client should be held back until the file has caught up. */
  isBehind(slot: number): boolean {
    const message = this.#of(slot);
    return message.file >= 0 && !message.failed && this.#files.unwritten(message.file) > UNWRITTEN_BYTES_MAX;
  }

  /** True when a part of the message went to a file. */
  spilled(slot: number): boolean {
    return this.#of(slot).file >= 0;
  }

  hasFailed(slot: number): boolean {
    return this.#of(slot).failed;
  }

  /** Begins to read the message from its start. */
  rewind(slot: number): void {
    const message = this.#of(slot);
    message.piece = 0;
    message.filePosition = 0;
    message.filePiece = null;
    message.stale = message.reading;
  }

  /** True when every byte of a whole message was read. */
  atEnd(slot: number): boolean {
    const message = this.#of(slot);
    if (!message.isWhole) return false;
    const fileDone = message.filePosition === message.fileBytes && message.filePiece === null;
    return message.piece === message.pieces.length && fileDone;
  }

  /** The next piece of the message; null when there is none for now, or a read of the file is under way. */
  nextPiece(slot: number): Uint8Array | null {
    const message = this.#of(slot);
    const heldBytes = message.isWhole ? 0 : message.lastBytes;
    if (message.piece < message.pieces.length) {
      const isLast = message.file < 0 && message.piece === message.pieces.length - 1;
      return isLast && heldBytes > 0 ? null : message.pieces[message.piece++]!;
    }
    const piece = message.filePiece;
    if (piece !== null) {
      message.filePiece = null;
      return piece;
    }
    const leftBytes = message.fileBytes - heldBytes - message.filePosition;
    if (message.file >= 0 && leftBytes > 0 && !message.reading && !message.failed) {
      message.reading = true;
      this.#files.read(message.file, message.filePosition, Math.min(READ_BYTES, leftBytes));
    }
    return null;
  }

  /** Obeys what was noted of the files: the slot whose message has moved on, -1 when there is none left. */
  nextNoted(): number {
    for (;;) {
      const file = this.#files.next();
      if (file < 0) return -1;
      const noted = this.#files.take(file);
      const slot = this.#slotOfFile.get(file);
      if (slot === undefined) continue;
      const message = this.#of(slot);
      if ((noted & FileNoted.Failed) !== 0) message.failed = true;
      if ((noted & FileNoted.Read) !== 0) this.#takeRead(message);
      return slot;
    }
  }

  #takeRead(message: Message): void {
    const piece = this.#files.takeRead(message.file);
    message.reading = false;
    if (message.stale) {
      message.stale = false;
      return;
    }
    if (piece.length === 0) message.failed = true;
    message.filePiece = piece.length === 0 ? null : piece;
    message.filePosition += piece.length;
  }

  /** Forgets the message of a slot; nothing happens when there is none. */
  discard(slot: number): void {
    const message = this.#messages[slot];
    if (message === null || message === undefined) return;
    this.#memory.giveBack(message.memoryBytes);
    this.#disk.giveBack(message.fileBytes);
    if (message.file >= 0) {
      this.#files.close(message.file);
      this.#slotOfFile.delete(message.file);
    }
    this.#messages[slot] = null;
  }

  #of(slot: number): Message {
    const message = this.#messages[slot];
    assert(message !== null && message !== undefined, 'no message in this slot');
    return message;
  }
}
