/**
 * timer-crowd — the timers that both kinds are asked for, and the clock that counts what it cost
 */
import process from 'node:process';

/** A prime that divides no size of a crowd, so that every place has its turn. */
const FILL_STEP = 7919;

export interface Crowd {
  readonly size: number;
  /** The ids, in random order. */
  readonly order: Uint32Array;
  /** Two for each timer: those of the first arming by id, those of the second by place in the order. */
  readonly delaysMs: Uint32Array;
  /** What the delays are divided by when all are to fire late. */
  readonly stall: number;
}

/**
 * The id that is armed as number `at` when a crowd begins. Another order than the first: timers that are armed again in the
 * order of their first arming would find their memory in the cache, since their neighbours in the list have just been there.
 */
export function fillOrder({ order, size }: Crowd, at: number): number {
  return order[(at * FILL_STEP) % size]!;
}

/**
 * CPU of this thread, to the microsecond. Linux brings the account of the running thread up to date when that of the process
 * is asked for; without this it would be as old as the last tick of the scheduler, some milliseconds.
 */
export function cpuClock(): NodeJS.CpuUsage {
  process.cpuUsage();
  return process.threadCpuUsage();
}

/** CPU ns of the thread since a reading, without those of the reading. */
export function cpuNsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = cpuClock();
  return (user + system - before.user - before.system) * 1000 - readingNs;
}

/** CPU ns of the thread that some work takes. */
export function cpuNs(work: () => void): number {
  const before = cpuClock();
  work();
  return cpuNsSince(before);
}

let readingNs = 0;
const readings = Array.from({ length: 10_001 }, () => cpuNs(() => undefined)).slice(5001);
readingNs = readings.reduce((sum, ns) => sum + ns, 0) / readings.length;
