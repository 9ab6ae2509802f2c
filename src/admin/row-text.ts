/**
 * row-text — an entry as one line of JSON that another Sluice can take in
 *
 * Everything that a row (reputation/rows) holds, in words: dates as moments, signals by name with what was counted at their
 * date and not what is left of it now, so that a line read and written again is the same line. A line is checked whole
 * before a word of it is used.
 */
import { AMOUNT_MAX, HALF_LIVES_MAX, ONE, slotAgeSteps, slotAmount, slotId } from '../reputation/decay.ts';
import { slotWord, STEPS_PER_HALF_LIFE } from '../reputation/decay.ts';
import { isHostKind, isMeter, Kind, kindNames, newKey } from '../reputation/keys.ts';
import { Mark, markOf, markUntilSec, markWord, SLOTS } from '../reputation/layout.ts';
import type { Names } from '../reputation/names.ts';
import { amountInSlot } from '../reputation/points.ts';
import { ROW_WORDS, RowWord } from '../reputation/rows.ts';
import { signalNameOf, signals, signalStepsSec } from '../reputation/signals.ts';
import { markNames, testOfPlace } from './entry.ts';
import { secOfText, textOfSec } from './moment.ts';

/** Clocks of two hosts may differ by so much. */
const FUTURE_SEC_MAX = 86_400;

const key = newKey();

/** The line of row[0 …], without a line feed; null for what does not travel: meters, and hosts that must not be named. */
export function lineOfRow(row: Int32Array, names: Names, nowSec: number): string | null {
  const kind = row[RowWord.kind]!;
  if (isMeter(kind) || (isHostKind(kind) && !names.savesHosts)) return null;
  key[0] = row[RowWord.key]!;
  key[1] = row[RowWord.key + 1]!;
  const seenSec = row[RowWord.seenSec]! >>> 0;
  const mark = markOf(row[RowWord.mark]!, nowSec);
  const untilSec = markUntilSec(row[RowWord.mark]!);
  const passes: Record<string, string> = {};
  for (const [place, test] of testOfPlace.entries()) {
    const passSec = row[RowWord.passUntilSec + place]! >>> 0;
    if (passSec > nowSec) passes[test] = textOfSec(passSec);
  }
  const noted: object[] = [];
  for (let place = 0; place < SLOTS; place += 1) {
    const slot = row[RowWord.slots + place]!;
    const signal = signalNameOf[slotId(slot)]!;
    if (signal === '' || amountInSlot(slot, seenSec, nowSec) === 0) continue;
    const stepSec = signalStepsSec[slotId(slot)]!;
    const atSec = (Math.floor(nowSec / stepSec) - slotAgeSteps(slot, nowSec, stepSec)) * stepSec;
    noted.push({ signal, observations: slotAmount(slot, atSec, stepSec) / ONE, at: textOfSec(atSec) });
  }
  return JSON.stringify({
    kind: kindNames[kind],
    name: names.nameOf(kind, key),
    first_seen: textOfSec(row[RowWord.firstSec]! >>> 0),
    seen: textOfSec(seenSec),
    mark: markNames[mark],
    mark_until: mark === Mark.None || untilSec === 0 ? null : textOfSec(untilSec),
    passes,
    signals: noted,
  });
}

/** What is wrong with a line. */
class Fault extends Error {}

/** Fills row[at …] from a line; what is wrong with it, or null when it was taken. `isHost` of the answer: it names a host. */
export function rowOfLine(
  line: string,
  names: Names,
  nowSec: number,
  row: Int32Array,
  at: number,
): { readonly fault: string | null; readonly isHost: boolean } {
  try {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      throw new Fault('not JSON');
    }
    const isHost = fill(fieldsOf(value, 'a row'), names, nowSec, row.subarray(at, at + ROW_WORDS));
    return { fault: null, isHost };
  } catch (error) {
    if (error instanceof Fault) return { fault: error.message, isHost: false };
    throw error;
  }
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new Fault(`want ${what} as an object`);
}

function onlyFields(fields: Fields, known: readonly string[]): void {
  for (const name of Object.keys(fields))
    if (!known.includes(name)) throw new Fault(`unknown field ${shown(name)}`);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

function momentOf(value: unknown, name: string): number {
  const sec = secOfText(value);
  if (sec === undefined)
    throw new Fault(`${name}: got ${shown(value)}, want a moment as 2026-11-25T09:40:00Z`);
  return sec;
}

function pastOf(value: unknown, name: string, nowSec: number): number {
  const sec = momentOf(value, name);
  if (sec > nowSec + FUTURE_SEC_MAX) throw new Fault(`${name}: ${shown(value)} lies in the future`);
  return Math.min(sec, nowSec);
}

function fill(fields: Fields, names: Names, nowSec: number, row: Int32Array): boolean {
  onlyFields(fields, ['kind', 'name', 'first_seen', 'seen', 'mark', 'mark_until', 'passes', 'signals']);
  row.fill(0);
  const kind = kindOf(fields['kind']);
  readName(kind, fields['name'], names);
  row[RowWord.kind] = kind;
  row[RowWord.key] = key[0]!;
  row[RowWord.key + 1] = key[1]!;
  const seenSec = pastOf(fields['seen'], 'seen', nowSec);
  row[RowWord.seenSec] = seenSec;
  row[RowWord.firstSec] = Math.min(seenSec, pastOf(fields['first_seen'], 'first_seen', nowSec));
  row[RowWord.mark] = markOfFields(fields, nowSec);
  for (const [test, until] of Object.entries(fieldsOf(fields['passes'], 'passes'))) {
    const place = testOfPlace.indexOf(test);
    if (place < 0) throw new Fault(`passes: unknown test ${shown(test)}`);
    row[RowWord.passUntilSec + place] = momentOf(until, test);
  }
  const noted = fields['signals'];
  if (!Array.isArray(noted) || noted.length > SLOTS)
    throw new Fault(`signals: want a list of at most ${SLOTS}`);
  for (const [place, one] of noted.entries()) row[RowWord.slots + place] = slotOf(one, nowSec);
  return isHostKind(kind);
}

function kindOf(value: unknown): number {
  const kind = kindNames.indexOf(value as (typeof kindNames)[number]);
  if (kind < Kind.Host || isMeter(kind))
    throw new Fault(`kind: got ${shown(value)}, want host, network, pool or tuple`);
  return kind;
}

/** Reads a name into `key`. */
function readName(kind: number, value: unknown, names: Names): void {
  const text = typeof value === 'string' ? value : '';
  if (kind === Kind.Pool || kind === Kind.Tuple) {
    if (!/^[0-9a-f]{16}$/.test(text))
      throw new Fault(`name: got ${shown(value)}, want 16 hexadecimal digits`);
    key[0] = Number.parseInt(text.slice(0, 8), 16);
    key[1] = Number.parseInt(text.slice(8), 16);
  } else if (text.length > 64 || names.keyOfName(text, key) !== kind)
    throw new Fault(`name: got ${shown(value)}, want that of a ${kindNames[kind]}`);
}

function markOfFields(fields: Fields, nowSec: number): number {
  const mark = markNames.indexOf(fields['mark'] as (typeof markNames)[number]);
  if (mark < 0) throw new Fault(`mark: got ${shown(fields['mark'])}, want one of ${markNames.join(', ')}`);
  const until = fields['mark_until'];
  if (until === null) return mark === Mark.None ? 0 : markWord(mark as Mark, 0);
  const untilSec = momentOf(until, 'mark_until');
  return mark === Mark.None || untilSec <= nowSec ? 0 : markWord(mark as Mark, untilSec);
}

function slotOf(value: unknown, nowSec: number): number {
  const fields = fieldsOf(value, 'a signal');
  onlyFields(fields, ['signal', 'observations', 'at']);
  const { signal, observations, at } = fields;
  if (typeof signal !== 'string' || !Object.hasOwn(signals, signal))
    throw new Fault(`signal: ${shown(signal)} is unknown`);
  const amount = typeof observations === 'number' ? Math.round(observations * ONE) : 0;
  if (!(amount >= 1 && amount <= AMOUNT_MAX))
    throw new Fault(`observations: got ${shown(observations)}, want a number above 0, below 128`);
  const { id } = signals[signal as keyof typeof signals];
  const stepSec = signalStepsSec[id]!;
  const atSec = pastOf(at, 'at', nowSec);
  const isGone = nowSec - atSec >= HALF_LIVES_MAX * STEPS_PER_HALF_LIFE * stepSec;
  return isGone ? 0 : slotWord(id, amount, atSec, stepSec);
}
