/**
 * patience — how long clients wait, as far as it was measured and published
 *
 * Honest: the timers of RFC 5321 section 4.5.3.2. Zombies: nine of ten are gone after some 10 seconds of slow
 * speech (MailChannels at MAAWG, February 2008), or at a delay of 10 to 15 seconds (Mailtraq's documentation).
 */
import type { Random } from '../../src/base/prng.ts';

/** The timers of a client that keeps the standard, in milliseconds. */
export interface SmtpTimers {
  readonly greetMs: number;
  readonly commandMs: number;
  readonly dataMs: number;
  /** For each block of a body to be taken. */
  readonly blockMs: number;
  /** How much of a body is handed over at once. */
  readonly blockBytes: number;
  readonly dotMs: number;
  /** For everything, from the connection on; 0 for no such timer, as RFC 5321 wants it. */
  readonly totalMs: number;
}

const MINUTE = 60_000;

/** RFC 5321 section 4.5.3.2.1 to 4.5.3.2.6. */
export const rfc5321Timers: SmtpTimers = {
  greetMs: 5 * MINUTE,
  commandMs: 5 * MINUTE,
  dataMs: 2 * MINUTE,
  blockMs: 3 * MINUTE,
  blockBytes: 65_536,
  dotMs: 10 * MINUTE,
  totalMs: 0,
};

/** Keeps the standard but for one timer over the whole delivery: the second most common fault that shaping meets (MailChannels, May 2009). */
export const totalTimeoutTimers: SmtpTimers = { ...rfc5321Timers, totalMs: 5 * MINUTE };

/** Does not wait three minutes for a piece of a body to be taken: the most common fault (MailChannels, May 2009). How long it does wait is assumed. */
export const shortBlockTimers: SmtpTimers = { ...rfc5321Timers, blockMs: MINUTE, blockBytes: 4_096 };

/** A mailing list with aggressive timers, as a loaded server meets them (W. Venema, LISA 2010); the figures are assumed. */
export const mailingListTimers: SmtpTimers = {
  ...rfc5321Timers,
  greetMs: MINUTE,
  commandMs: 30_000,
  dataMs: 30_000,
  blockMs: 30_000,
  dotMs: 30_000,
};

/** The same timers at `percent` of their length: tests that scale a server's delays likewise. */
export function scaledTimers(timers: SmtpTimers, percent: number): SmtpTimers {
  const scale = (ms: number): number => Math.round((ms * percent) / 100);
  return {
    greetMs: scale(timers.greetMs),
    commandMs: scale(timers.commandMs),
    dataMs: scale(timers.dataMs),
    blockMs: scale(timers.blockMs),
    blockBytes: timers.blockBytes,
    dotMs: scale(timers.dotMs),
    totalMs: scale(timers.totalMs),
  };
}

/** A part of a population: this many of a hundred wait between `fromMs` and `toMs`. */
export interface PatienceBand {
  readonly percent: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Nine of ten leave within 15 s, most of them within 10. */
export const hastyPatience: readonly PatienceBand[] = [
  { percent: 70, fromMs: 2_000, toMs: 10_000 },
  { percent: 20, fromMs: 10_000, toMs: 15_000 },
  { percent: 8, fromMs: 15_000, toMs: 120_000 },
  { percent: 2, fromMs: 120_000, toMs: 600_000 },
];

/** Of those that do not wait, in a crowd of which nine of ten are gone after 10 s; see populations 2009. */
export const hastyPatience2009: readonly PatienceBand[] = [
  { percent: 98, fromMs: 1_000, toMs: 10_000 },
  { percent: 2, fromMs: 10_000, toMs: 120_000 },
];

/** Everybody waits this long and no longer. */
export function exactly(ms: number): readonly PatienceBand[] {
  return [{ percent: 100, fromMs: ms, toMs: ms }];
}

/** Everybody waits between these two. */
export function between(fromMs: number, toMs: number): readonly PatienceBand[] {
  return [{ percent: 100, fromMs, toMs }];
}

/** The same people with `percent` of the patience: tests and short demos. */
export function scaled(bands: readonly PatienceBand[], percent: number): readonly PatienceBand[] {
  const scale = (ms: number): number => Math.round((ms * percent) / 100);
  return bands.map((band) => ({ percent: band.percent, fromMs: scale(band.fromMs), toMs: scale(band.toMs) }));
}

/** Draws one client's patience in milliseconds. Bands whose percents do not reach 100 end in the last one. */
export function drawPatienceMs(bands: readonly PatienceBand[], random: Random): number {
  let left = random.below(100);
  for (const band of bands) {
    if (left < band.percent) return band.fromMs + random.below(band.toMs - band.fromMs + 1);
    left -= band.percent;
  }
  return bands[bands.length - 1]?.toMs ?? 0;
}
