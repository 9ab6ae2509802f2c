/**
 * joining — rows from elsewhere go into a table of this process
 *
 * Each row is joined to what is there (reputation/rows), with its word of marks only if that may stand here (words). A
 * key that an operator has forgotten while the row was on its way is left out.
 */
import type { Key } from '../reputation/keys.ts';
import { joinRow, ROW_WORDS, RowWord } from '../reputation/rows.ts';
import type { ReputationTable } from '../reputation/table.ts';
import { wordToTake } from '../reputation/words.ts';
import type { Source } from '../reputation/words.ts';

/** Joins rows, which are changed by it, and calls `joined` with the index of each. `key` is scratch. */
export function joinFrom(
  source: Source,
  table: ReputationTable,
  rows: Int32Array,
  key: Key,
  nowSec: number,
  joined: (index: number) => void,
  isForgotten: (kind: number, first: number, second: number) => boolean,
): void {
  for (let at = 0; at + ROW_WORDS <= rows.length; at += ROW_WORDS) {
    const kind = rows[at + RowWord.kind]!;
    key[0] = rows[at + RowWord.key]!;
    key[1] = rows[at + RowWord.key + 1]!;
    if (isForgotten(kind, key[0], key[1])) continue;
    const offered = rows[at + RowWord.mark]!;
    if (offered !== 0) {
      const known = table.find(kind, key);
      const present = known < 0 ? 0 : table.markWordOf(known);
      rows[at + RowWord.mark] = wordToTake(offered, present, source, nowSec);
    }
    const index = joinRow(table, rows, at, key, nowSec, true);
    if (index >= 0) joined(index);
  }
}
