/**
 * words — whose word on a key stands when two tables meet
 *
 * The word of marks of an entry (layout) is an operator's (allow, deny, or that he took one away, which is a word too as
 * long as it says until when) or a trap's. An operator speaks on the primary. So what comes down from there is
 * taken as it is; what comes up from an engine process brings traps at most, and never in place of an operator's word: a
 * row that was on its way when he spoke does not undo it. What comes from the file is older than what is here.
 */
import { Mark, markUntilSec } from './layout.ts';

/** Where a row comes from. */
export const Source = { Primary: 0, Engine: 1, File: 2 } as const;
export type Source = (typeof Source)[keyof typeof Source];

/** So long it is remembered that an operator took a mark away; no row is longer on its way. */
export const TAKEN_AWAY_SEC = 600;

/** Whether the word is an operator's, in force or not. */
function isOperators(word: number): boolean {
  return word !== 0 && (word & 3) !== Mark.Trap;
}

function holds(word: number, nowSec: number): boolean {
  const untilSec = markUntilSec(word);
  return word !== 0 && (untilSec === 0 || untilSec > nowSec);
}

/** What a row is to bring of its word of marks, 0 for nothing, to an entry that has the word `present` (0: none). */
export function wordToTake(offered: number, present: number, source: Source, nowSec: number): number {
  if (offered === 0 || !holds(offered, nowSec)) return 0;
  if (isOperators(offered)) {
    if (source === Source.Primary) return offered;
    return source === Source.File && !isOperators(present) ? offered : 0;
  }
  if (!holds(present, nowSec)) return offered;
  if (isOperators(present)) return 0;
  return markUntilSec(offered) > markUntilSec(present) ? offered : 0;
}
