/**
 * machine — cores and the limit on open files, as the system tells them
 *
 * Node raises the soft limit to the hard one when it starts, so the soft limit read here is what can be used.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Machine } from './plan.ts';

/** Where the system does not tell: what systems that are not Linux allow at least. */
const FILES_UNKNOWN = 10_240;

/** Reads what this process may use. */
export function readMachine(): Machine {
  return { cores: availableParallelism(), filesMax: readFilesMax() };
}

function readFilesMax(): number {
  try {
    const line = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    const limit = Number(line?.[1]);
    return Number.isSafeInteger(limit) ? limit : FILES_UNKNOWN;
  } catch {
    return FILES_UNKNOWN;
  }
}
