/**
 * clock — the two questions about time that the engine may ask
 *
 * The core reads no clock by itself: every turn is told what time it is. What needs to know the time outside
 * a turn is given one of these. Monotonic time measures and schedules; wall time only dates what outlives the
 * process (last seen, a pass that expires) and what people read (log lines). The two never meet in one
 * subtraction: wall time jumps when someone sets it.
 */

export interface Clock {
  /** Milliseconds since the start, never going back. Fractions are allowed. */
  nowMs(): number;
}

export interface WallClock {
  /** Milliseconds since 1970-01-01T00:00:00Z. May jump in either direction. */
  epochMs(): number;
}
