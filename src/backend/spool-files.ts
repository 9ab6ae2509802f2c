/**
 * spool-files — where the part of a message goes that memory does not keep (port)
 *
 * Files without names: an adapter unlinks each as soon as it is open, so a crash leaves nothing behind.
 * Appends keep their order; nothing here waits. What was finished is noted, as in transport/transport, and
 * handed out by `next()`; `onNoted` says that a turn is due.
 */
export const FileNoted = {
  /** All that was appended so far is written. */
  Written: 1,
  /** The read that was asked for is done; `takeRead` has it. */
  Read: 2,
  /** Opening, writing or reading failed; the file is of no use any more. */
  Failed: 4,
} as const;

export interface SpoolFiles {
  onNoted: () => void;
  /** Begins a file; its number is 0 or more. Failure to open is noted later. */
  open(): number;
  /** Adds bytes at the end; they must not be changed afterwards. */
  append(file: number, bytes: Uint8Array): void;
  /** Bytes appended and not yet written. */
  unwritten(file: number): number;
  /** Asks for up to `bytesMax` bytes from `position`; one read at a time for each file. */
  read(file: number, position: number, bytesMax: number): void;
  /** The bytes of the read that was noted. */
  takeRead(file: number): Uint8Array;
  /** The next file with something noted, -1 when there is none. */
  next(): number;
  /** What was noted: `FileNoted` bits; clears them. */
  take(file: number): number;
  /** Ends a file. Its number may be given out again; nothing more is noted of it. */
  close(file: number): void;
}
