/**
 * state-faults — what went wrong with the state file, and whether it is the file's own fault
 *
 * Two sorts. A file that is broken will not mend itself: it is set aside and another begun. A disk that is full, a file
 * that may not be written or that somebody else has locked will be as it was when the trouble is over: it is left
 * alone and tried again.
 */

export interface Fault {
  /** It will not mend itself. */
  readonly isBroken: boolean;
  /** It is whole, but what stands in it means nothing here. */
  readonly isForeign?: boolean;
  /** Somebody else has locked it. */
  readonly isBusy?: boolean;
  /** What is wrong, as the end of a sentence that begins with the name of the file. */
  readonly why: string;
}

/** Primary result codes of SQLite: the low byte of its extended codes. */
const Code = {
  Error: 1,
  Busy: 5,
  Locked: 6,
  ReadOnly: 8,
  IoErr: 10,
  Corrupt: 11,
  Full: 13,
  CantOpen: 14,
  NotADb: 26,
} as const;

const sentences: Readonly<Record<number, string>> = {
  [Code.Busy]: 'is locked by another process',
  [Code.Locked]: 'is locked by another process',
  [Code.ReadOnly]: 'may not be written',
  [Code.IoErr]: 'cannot be read or written (I/O error)',
  [Code.Full]: 'cannot grow: its disk is full',
  [Code.CantOpen]: 'cannot be opened',
};

/** Errors that no file of ours can cause: a table or column is not there, say. */
const broken: ReadonlySet<number> = new Set([Code.Error, Code.Corrupt, Code.NotADb]);

/** What an error of SQLite or of the file system means. */
export function faultOf(error: unknown): Fault {
  const { errcode, code, message } = error as { errcode?: unknown; code?: unknown; message?: unknown };
  if (typeof errcode !== 'number')
    return { isBroken: false, why: `cannot be used (${typeof code === 'string' ? code : String(message)})` };
  const primary = errcode & 0xff;
  if (broken.has(primary)) return { isBroken: true, why: `is broken (${String(message)})` };
  const isBusy = primary === Code.Busy || primary === Code.Locked;
  return { isBroken: false, isBusy, why: sentences[primary] ?? `cannot be used (${String(message)})` };
}
