/**
 * standing — what the company of a client says about it
 *
 * A network (/24, /48) or a pool (the networks of a sender's domain) remembers two things of its members: that one became
 * bad (`badMember`), and that one of good standing had a message accepted (`goodMember`).
 *
 * Its tests count as passed for every member while somebody of it delivers and few are bad, so that a provider which
 * sends from ever other addresses waits once. And the density of bad members is a row in the score of each: of a
 * network that is bad as a whole 30 points: as shipped three fifths of the full plan of delays, and not all of it.
 */
import { ONE } from './decay.ts';
import { signals } from './signals.ts';
import type { ReputationTable } from './table.ts';

/** Points for a network in which everybody is bad. */
export const NEIGHBOURS_CAP = 30;

/** So many members are thought to be neither good nor bad, so that the first bad one says little. */
const SILENT_MEMBERS = 4;

/** Points for the company of a network, from the share of bad ones among its members; `index` -1: unknown. */
export function neighbourPoints(table: ReputationTable, index: number, nowSec: number): number {
  if (index < 0) return 0;
  const bad = table.amountOf(index, signals.badMember.id, nowSec);
  if (bad === 0) return 0;
  const good = table.amountOf(index, signals.goodMember.id, nowSec);
  return Math.trunc((NEIGHBOURS_CAP * bad) / (bad + good + SILENT_MEMBERS * ONE));
}

/** Whether the tests of a network or pool count for its members: `needed` are passed, it delivers, and few are bad. */
export function isGoodPool(table: ReputationTable, index: number, needed: number, nowSec: number): boolean {
  if (index < 0 || needed === 0 || (table.passesOf(index, nowSec) & needed) !== needed) return false;
  const good = table.amountOf(index, signals.goodMember.id, nowSec);
  return good * 2 >= ONE && table.amountOf(index, signals.badMember.id, nowSec) * 2 <= good;
}

/** Who it is that has passed the tests for a client. */
export const KnownBy = { Nobody: 0, Itself: 1, Network: 2, Pool: 3 } as const;
export type KnownBy = (typeof KnownBy)[keyof typeof KnownBy];

/**
 * Whose passes count for a client: its own, or, when it has no bad name of its own, those of its network, if networks
 * count (`countsNetworks`), or of its pool. `index`, `network` and `pool` -1: unknown.
 */
export function knownBy(
  table: ReputationTable,
  index: number,
  network: number,
  pool: number,
  needed: number,
  countsNetworks: boolean,
  nowSec: number,
): KnownBy {
  const passes = index < 0 ? 0 : table.passesOf(index, nowSec);
  if (needed !== 0 && (passes & needed) === needed) return KnownBy.Itself;
  if (index >= 0 && table.scoreOf(index, nowSec) > 0) return KnownBy.Nobody;
  if (countsNetworks && isGoodPool(table, network, needed, nowSec)) return KnownBy.Network;
  return isGoodPool(table, pool, needed, nowSec) ? KnownBy.Pool : KnownBy.Nobody;
}

/** A client with this score or less that has had a message accepted is of good standing. */
export const GOOD_SCORE = -20;

/** Whether a client has earned good standing by itself; `index` -1: unknown. */
export function isGoodHost(table: ReputationTable, index: number, nowSec: number): boolean {
  if (index < 0) return false;
  const delivered = table.amountOf(index, signals.delivered.id, nowSec);
  return delivered * 2 >= ONE && table.scoreOf(index, nowSec) <= GOOD_SCORE;
}
