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
  /** For each 64 kB of a body to be taken. */
  readonly blockMs: number;
  readonly dotMs: number;
}

const MINUTE = 60_000;

/** RFC 5321 section 4.5.3.2.1 to 4.5.3.2.6. */
export const rfc5321Timers: SmtpTimers = {
  greetMs: 5 * MINUTE,
  commandMs: 5 * MINUTE,
  dataMs: 2 * MINUTE,
  blockMs: 3 * MINUTE,
  dotMs: 10 * MINUTE,
};

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
