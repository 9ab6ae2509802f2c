/**
 * tables — small reputation tables, and keys by the names that people give them
 */
import type { Key } from '../../../src/reputation/keys.ts';
import { keyOfName, newKey } from '../../../src/reputation/keys.ts';
import { ReputationTable } from '../../../src/reputation/table.ts';

/** The moment of these tests; the first second of a day, so that every half-life's steps begin here or near. */
export const NOW = 1_790_000_000 - (1_790_000_000 % 86_400);
export const DAY = 86_400;
export const HOUR = 3600;

export function sharedFor(entries: number, shards: number): SharedArrayBuffer {
  return new SharedArrayBuffer(ReputationTable.bytesFor(entries, shards));
}

/** A table with one shard, seen by that shard. */
export function tableOf(entries: number): ReputationTable {
  return new ReputationTable(sharedFor(entries, 1), entries, 1, 0);
}

/** One table as each of its shards sees it, and as the main thread does. */
export function writersOf(entries: number, shards: number): ReputationTable[] {
  const shared = sharedFor(entries, shards);
  return Array.from(
    { length: shards + 1 },
    (_, writer) => new ReputationTable(shared, entries, shards, writer),
  );
}

/** The kind and key of "192.0.2.7", "192.0.2.0/24", "2001:db8::/48" and so on. */
export function named(name: string): { kind: number; key: Key } {
  const key = newKey();
  const kind = keyOfName(name, key);
  if (kind === 0) throw new Error(`no host or network: ${name}`);
  return { kind, key };
}

export function claim(table: ReputationTable, name: string, nowSec = NOW): number {
  const { kind, key } = named(name);
  return table.claim(kind, key, nowSec);
}

export function find(table: ReputationTable, name: string): number {
  const { kind, key } = named(name);
  return table.find(kind, key);
}
