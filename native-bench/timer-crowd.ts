/**
 * timer-crowd — the timers that both kinds are asked for, and the clock that counts what it cost
 */
import process from 'node:process';

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
