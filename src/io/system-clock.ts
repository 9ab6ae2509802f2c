/**
 * system-clock — the machine's clocks behind the two ports of timing/clock
 *
 * Monotonic time counts from the start of the process; every thread of it agrees. Wall time is read from the
 * system each time: it is asked for once when a shard starts, not in the turn.
 */
import { performance } from 'node:perf_hooks';
import type { Clock, WallClock } from '../timing/clock.ts';

export class SystemClock implements Clock, WallClock {
  nowMs(): number {
    return performance.now();
  }

  epochMs(): number {
    return Date.now();
  }
}
