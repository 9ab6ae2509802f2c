/**
 * ledger — what every offered message was told, for the audit after a run
 *
 * An entry is made when the final dot was said, and filled in when it was answered: 0 means the sender
 * never heard. Compared with what a sink stored: every 250 here must be stored exactly once, nothing that
 * was told 4xx or 5xx may have been stored by a front end's own doing, and a 0 may be either.
 */

export interface LedgerEntry {
  readonly id: string;
  /** Before dot-stuffing, final dot not included; `messageText(id, bytes)` gives the message again. */
  readonly bytes: number;
  readonly honest: boolean;
  /** The code that answered the final dot, 0 when none came. */
  answer: number;
}

export class Ledger {
  readonly #entries = new Map<string, LedgerEntry>();

  /** A message was sent whole. */
  offered(id: string, bytes: number, honest: boolean): void {
    this.#entries.set(id, { id, bytes, honest, answer: 0 });
  }

  /** A message was answered. An answer to what was never offered is kept out. */
  told(id: string, answer: number): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.answer = answer;
  }

  get size(): number {
    return this.#entries.size;
  }

  entries(): IterableIterator<LedgerEntry> {
    return this.#entries.values();
  }

  /** Every entry as one line of JSON. */
  jsonLines(): string {
    let lines = '';
    for (const entry of this.#entries.values()) lines += `${JSON.stringify(entry)}\n`;
    return lines;
  }
}

/** What an audit found; three empty lists are a good result. */
export interface Audit {
  /** Told 250, but not stored. */
  readonly lost: string[];
  /** Stored more than once. */
  readonly doubled: string[];
  /** Stored, but differing from what was sent. */
  readonly changed: string[];
  /** Told 4xx or 5xx, and stored all the same. */
  readonly storedButRefused: string[];
}

/** Compares a ledger with what a sink stored. `hashOf` gives the SHA-256 of the message as sent. */
export function audit(
  ledger: Iterable<LedgerEntry>,
  stored: Iterable<{ readonly id: string; readonly idSha256: string }>,
  hashOf: (entry: LedgerEntry) => string,
): Audit {
  const found: Audit = { lost: [], doubled: [], changed: [], storedButRefused: [] };
  const hashes = new Map<string, string[]>();
  for (const { id, idSha256 } of stored) {
    const known = hashes.get(id);
    if (known === undefined) hashes.set(id, [idSha256]);
    else known.push(idSha256);
  }
  for (const entry of ledger) {
    const copies = hashes.get(entry.id) ?? [];
    if (entry.answer >= 200 && entry.answer < 300 && copies.length === 0) found.lost.push(entry.id);
    if (entry.answer >= 400 && copies.length > 0) found.storedButRefused.push(entry.id);
    if (copies.length > 1) found.doubled.push(entry.id);
    if (copies.some((hash) => hash !== hashOf(entry))) found.changed.push(entry.id);
  }
  return found;
}
