/**
 * tables — a reputation table as a process has it, and keys for it
 */
import { Kind } from '../../../src/reputation/keys.ts';
import { ReputationTable } from '../../../src/reputation/table.ts';

export const ENTRIES = 4_096;
export const nowSec = 1_790_000_000;

/** The table of a process with one shard, and the shard's and the main thread's hands on it. */
export function newTable(entries = ENTRIES): { shard: ReputationTable; main: ReputationTable } {
  const shared = new SharedArrayBuffer(ReputationTable.bytesFor(entries, 1));
  ReputationTable.prepare(shared, 7);
  return {
    shard: new ReputationTable(shared, entries, 1, 0),
    main: new ReputationTable(shared, entries, 1, 1),
  };
}

/** The key of host number `number`. */
export function host(number: number): Int32Array {
  return Int32Array.of(0xffff, number);
}

/** A client comes, and passes a test. */
export function visit(table: ReputationTable, number: number, passUntilSec = nowSec + 1_000): number {
  const index = table.claim(Kind.Host, host(number), nowSec);
  table.pass(index, 1, passUntilSec);
  return index;
}
