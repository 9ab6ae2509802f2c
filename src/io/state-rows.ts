/**
 * state-rows — a row of the reputation as it stands in the state file
 *
 * The words of a row (reputation/rows) behind its kind are a BLOB of 60 bytes, in the machine's own order. Beside it
 * stands a sum over the kind and these words: each step of it can be undone, so no change of a single word leaves it
 * the same. The other columns say the same for people, and for the order of age; the name is compared too.
 */
import { Kind, kindNames, nameOfKey } from '../reputation/keys.ts';
import { Mark, markUntilSec } from '../reputation/layout.ts';
import { pointsOfEntry } from '../reputation/points.ts';
import { ROW_WORDS, RowWord } from '../reputation/rows.ts';

/** Columns of a row in the order of the table. */
export type Columns = readonly [
  kind: string,
  name: string,
  seen: number,
  first: number,
  mark: string,
  until: number,
  score: number,
  words: Uint8Array,
  sum: number,
];

const WORD_BYTES = 4;
const BLOB_BYTES = (ROW_WORDS - 1) * WORD_BYTES;
const SUM_START = 0x2545f491;
const SUM_FACTOR = 0x9e3779b1;

const markNames: Readonly<Record<Mark, string>> = {
  [Mark.None]: '',
  [Mark.Allow]: 'allow',
  [Mark.Deny]: 'deny',
  [Mark.Trap]: 'trap',
};

/** What a key is called in the file: as everywhere (reputation/keys), or by its hash where clients are called by one. */
export function nameIn(isHashed: boolean, kind: number, first: number, second: number): string {
  if (!isHashed || (kind !== Kind.Host && kind !== Kind.Network)) return nameOfKey(kind, first, second);
  return `hmac:${nameOfKey(Kind.Pool, first, second)}${kind === Kind.Network ? '/net' : ''}`;
}

/** A sum over `count` words from `at` on. */
export function sumOf(words: Int32Array, at: number, count: number): number {
  let sum = SUM_START;
  for (let word = at; word < at + count; word += 1) {
    sum = Math.imul(sum ^ words[word]!, SUM_FACTOR);
    sum ^= sum >>> 15;
  }
  return sum;
}

/** The columns of row[at …]; the BLOB is a copy. */
export function columnsOf(rows: Int32Array, at: number, nowSec: number, isHashed: boolean): Columns {
  const kind = rows[at + RowWord.kind]!;
  const mark = rows[at + RowWord.mark]!;
  const from = rows.byteOffset + (at + 1) * WORD_BYTES;
  return [
    kindNames[kind] ?? '',
    nameIn(isHashed, kind, rows[at + RowWord.key]!, rows[at + RowWord.key + 1]!),
    rows[at + RowWord.seenSec]! >>> 0,
    rows[at + RowWord.firstSec]! >>> 0,
    markNames[(mark & 3) as Mark],
    markUntilSec(mark),
    pointsOfEntry(rows, at, nowSec),
    new Uint8Array(rows.buffer.slice(from, from + BLOB_BYTES)),
    sumOf(rows, at, ROW_WORDS),
  ];
}

const kindOf = new Map<unknown, number>(kindNames.map((name, kind) => [name, kind]));
kindOf.delete('');

/** Writes the row that stands in these columns to rows[at …]; false when they do not belong together. */
export function readColumns(
  kind: unknown,
  name: unknown,
  words: unknown,
  sum: unknown,
  rows: Int32Array,
  at: number,
  isHashed: boolean,
): boolean {
  const number = kindOf.get(kind);
  if (number === undefined || !(words instanceof Uint8Array) || words.length !== BLOB_BYTES) return false;
  rows[at + RowWord.kind] = number;
  new Uint8Array(rows.buffer, rows.byteOffset + (at + 1) * WORD_BYTES, BLOB_BYTES).set(words);
  if (sumOf(rows, at, ROW_WORDS) !== sum) return false;
  return nameIn(isHashed, number, rows[at + RowWord.key]!, rows[at + RowWord.key + 1]!) === name;
}
