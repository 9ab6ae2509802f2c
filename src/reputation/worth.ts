/**
 * worth — which entry of a full set is missed least
 *
 * An entry is worth the moment at which it was seen last, moved later by what is known: a month for a pass that still
 * holds or for a mark, an hour for each point of score in either direction. So a stranger that came once goes before a
 * zombie that is remembered, and both before a known sender. A meter is worth nothing when its windows are over.
 * What an operator allowed or denied for ever never goes.
 */
import { isMeter } from './keys.ts';
import { EntryWord, isPermanent, Mark, markOf, PASSES } from './layout.ts';
import { pointsOfEntry } from './points.ts';

const PASS_WORTH_SEC = 30 * 86_400;
const POINT_WORTH_SEC = 3600;
/** Twice the longest window of a rate. */
const METER_USEFUL_SEC = 7200;
/** A meter in use is worth as much as a stranger that was seen a day later. */
const METER_WORTH_SEC = 86_400;

/** What the entry that begins at word `at` is worth: larger is later; Infinity for one that must stay. */
export function worthOf(words: Int32Array, at: number, kind: number, nowSec: number): number {
  const seenSec = Atomics.load(words, at + EntryWord.seenSec) >>> 0;
  if (isMeter(kind)) {
    return seenSec + METER_USEFUL_SEC < nowSec ? 0 : seenSec + METER_WORTH_SEC;
  }
  const mark = Atomics.load(words, at + EntryWord.mark);
  if (isPermanent(mark)) return Infinity;
  let worth = seenSec;
  let isKnown = markOf(mark, nowSec) !== Mark.None;
  for (let test = 0; test < PASSES && !isKnown; test += 1) {
    isKnown = Atomics.load(words, at + EntryWord.passUntilSec + test) >>> 0 > nowSec;
  }
  if (isKnown) worth += PASS_WORTH_SEC;
  return worth + Math.abs(pointsOfEntry(words, at, nowSec)) * POINT_WORTH_SEC;
}
