/**
 * meters — the rates of one client or network, found by its key
 *
 * A meter is an entry of the table like any other, of which no session holds a lease: it is claimed for each event
 * (one look-up), and may be evicted when nothing has been counted in it for long (worth). With no room for it the rate
 * reads 0: what cannot be counted is not limited.
 */
import type { Key, Kind } from './keys.ts';
import { admit, freshen, rateOf, rateWord, takeBack } from './rates.ts';
import type { Rate } from './rates.ts';
import type { ReputationTable } from './table.ts';

type MeterKind = typeof Kind.HostMeter | typeof Kind.NetworkMeter;

/** The first word of a rate in the meter of a key, made if there was none; -1 when there is no room for it. */
function seek(
  table: ReputationTable,
  kind: MeterKind,
  key: Key,
  rate: Rate,
  nowMs: number,
  halfMs: number,
): number {
  const index = table.claim(kind, key, Math.floor(nowMs / 1000));
  if (index < 0) return -1;
  const at = table.wordOf(index);
  freshen(table.words, at, table.seenBeforeSec, nowMs, halfMs);
  return rateWord(at, rate);
}

/**
 * Counts an event of a client or network at `nowMs` (wall clock) if its rate stays within `limit`; `halfMs` is half of the
 * window. Returns the rate with it; above the limit it was not counted. 0: there was no room.
 */
export function countEvent(
  table: ReputationTable,
  kind: MeterKind,
  key: Key,
  rate: Rate,
  nowMs: number,
  halfMs: number,
  limit: number,
): number {
  const at = seek(table, kind, key, rate, nowMs, halfMs);
  return at < 0 ? 0 : admit(table.words, at, nowMs, halfMs, limit);
}

/** Takes an event back that was counted in this turn. */
export function uncountEvent(
  table: ReputationTable,
  kind: MeterKind,
  key: Key,
  rate: Rate,
  nowMs: number,
  halfMs: number,
): void {
  const at = seek(table, kind, key, rate, nowMs, halfMs);
  if (at >= 0) takeBack(table.words, at, nowMs, halfMs);
}

/** The rate of a client or network now; counts nothing. */
export function rateNow(
  table: ReputationTable,
  kind: MeterKind,
  key: Key,
  rate: Rate,
  nowMs: number,
  halfMs: number,
): number {
  const at = seek(table, kind, key, rate, nowMs, halfMs);
  return at < 0 ? 0 : rateOf(table.words, at, nowMs, halfMs);
}
