/**
 * entry — one row of the reputation table as the API tells it
 *
 * An entry may be given to another key while it is read; then there is nothing to tell of it, which is the truth.
 */
import { testNames } from '../policy/pace.ts';
import { kindNames, newKey } from '../reputation/keys.ts';
import { markOf, markUntilSec, PASSES, Pass } from '../reputation/layout.ts';
import type { Names } from '../reputation/names.ts';
import type { ReputationTable } from '../reputation/table.ts';
import { textOfSec } from './moment.ts';

/** Marks as they are told and stored, by their number. */
export const markNames = ['none', 'allow', 'deny', 'trap'] as const;
export type MarkName = (typeof markNames)[number];

/** Tests by the place of their word in an entry. */
export const testOfPlace: readonly string[] = Array.from(
  { length: PASSES },
  (_, place) => testNames.find((name) => Pass[name] === 1 << place) ?? '',
);

export interface EntryText {
  readonly kind: string;
  readonly name: string;
  readonly score: number;
  readonly mark: MarkName;
  /** Null: for ever, or there is none. */
  readonly mark_until: string | null;
  readonly first_seen: string;
  readonly seen: string;
  readonly open: number;
  /** Tests that are passed, and until when. */
  readonly passes: Readonly<Record<string, string>>;
}

const key = newKey();
const again = newKey();

/** What there is to tell of the entry; null when it is nobody's or changes hands. */
export function entryText(
  table: ReputationTable,
  index: number,
  names: Names,
  nowSec: number,
): EntryText | null {
  const kind = table.keyOf(index, key);
  if (kind === 0) return null;
  const markWord = table.markWordOf(index);
  const mark = markOf(markWord, nowSec);
  const passes: Record<string, string> = {};
  for (const [place, test] of testOfPlace.entries()) {
    const untilSec = table.passUntilSecOf(index, place);
    if (untilSec > nowSec) passes[test] = textOfSec(untilSec);
  }
  const text: EntryText = {
    kind: kindNames[kind]!,
    name: names.nameOf(kind, key),
    score: table.scoreOf(index, nowSec),
    mark: markNames[mark],
    mark_until: mark === 0 || markUntilSec(markWord) === 0 ? null : textOfSec(markUntilSec(markWord)),
    first_seen: textOfSec(table.firstSecOf(index)),
    seen: textOfSec(table.seenSecOf(index)),
    open: table.openOf(index),
    passes,
  };
  const isSame = table.keyOf(index, again) === kind && again[0] === key[0] && again[1] === key[1];
  return isSame ? text : null;
}
