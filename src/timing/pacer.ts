/**
 * pacer — how much of a dripped text is due by now
 *
 * A slow client reads its greeting in drips: `dripBytes` at the start and as many again after every
 * `dripIntervalMs`. The two functions are pure; what was already sent is the caller's to remember, so a late
 * turn sends what it missed in one write and the text is done when it would have been done anyway.
 *
 * The moment at which more than `sent` bytes are due is `dripDoneMs(sent + 1, …)`: there is no third function.
 */

/**
 * Bytes of a text of `total` bytes that are due at `nowMs`, counted from its beginning. The first drip is due
 * at `startMs` itself. An interval of 0 makes the whole text due at once. `dripBytes` is at least 1.
 */
export function bytesDue(
  total: number,
  startMs: number,
  nowMs: number,
  dripBytes: number,
  dripIntervalMs: number,
): number {
  if (nowMs < startMs) return 0;
  if (dripIntervalMs <= 0) return total;
  const drips = Math.floor((nowMs - startMs) / dripIntervalMs) + 1;
  return Math.min(total, drips * dripBytes);
}

/** The moment at which a text of `total` bytes is due whole. */
export function dripDoneMs(
  total: number,
  startMs: number,
  dripBytes: number,
  dripIntervalMs: number,
): number {
  if (total <= dripBytes || dripIntervalMs <= 0) return startMs;
  return startMs + (Math.ceil(total / dripBytes) - 1) * dripIntervalMs;
}
