/**
 * tally — what became of the clients of one kind
 *
 * Counts how they began, at which stage and how they ended, how old they were then, and what their messages
 * were told. Times are whole milliseconds in HDR histograms (three digits), a few kilobytes each.
 */
import { build } from 'hdr-histogram-js';
import type { Histogram } from 'hdr-histogram-js';
import { partings, stageNames } from './bots/bot.ts';
import type { Stage } from './bots/bot.ts';

/** How a client's life ended: by its own choice (see partings), or by one of these. */
export const endings = {
  ...partings,
  closedByServer: 'the server closed the connection',
  resetByServer: 'the server reset the connection',
  connectFailed: 'no connection was made',
  cut: 'was still there when the run ended',
} as const;
export type Ending = keyof typeof endings;

const HISTOGRAM_MS_MAX = 3_600_000;

/** A histogram of milliseconds up to an hour; what is longer counts as an hour. */
export function millisecondHistogram(): Histogram {
  return build({
    bitBucketSize: 32,
    highestTrackableValue: HISTOGRAM_MS_MAX,
    numberOfSignificantValueDigits: 3,
  });
}

/** Records a time; negative rounding errors count as 0. */
export function record(histogram: Histogram, ms: number): void {
  histogram.recordValue(Math.max(0, Math.min(HISTOGRAM_MS_MAX, Math.round(ms))));
}

/** Percentiles of times in milliseconds; all 0 when nothing was recorded. */
export interface Spread {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** The percentiles of a histogram. */
export function spreadOf(histogram: Histogram): Spread {
  const at = (percent: number): number =>
    histogram.totalCount === 0 ? 0 : histogram.getValueAtPercentile(percent);
  return { count: histogram.totalCount, p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: at(100) };
}

export class Tally {
  readonly name: string;
  readonly honest: boolean;
  started = 0;
  connected = 0;
  /** Heard the last line of a 220. */
  greeted = 0;
  messagesOffered = 0;
  messages2xx = 0;
  messages4xx = 0;
  messages5xx = 0;
  /** From the start of connecting to the end. */
  readonly ageMs = millisecondHistogram();
  /** From the start of connecting to the last line of the greeting. */
  readonly greetMs = millisecondHistogram();
  /** From the start of connecting to the 250 of the first message. */
  readonly deliverMs = millisecondHistogram();
  /** Each client's longest wait for any one reply. */
  readonly longestWaitMs = millisecondHistogram();
  /** The longest wait at each stage over all clients. */
  readonly stageWaitMsMax: number[] = stageNames.map(() => 0);
  readonly #ends = new Map<Ending, number[]>();

  constructor(name: string, honest: boolean) {
    this.name = name;
    this.honest = honest;
  }

  /** A client of this kind ended. */
  ended(ending: Ending, stage: Stage, ageMs: number): void {
    let stages = this.#ends.get(ending);
    if (stages === undefined) {
      stages = stageNames.map(() => 0);
      this.#ends.set(ending, stages);
    }
    stages[stage] = (stages[stage] as number) + 1;
    record(this.ageMs, ageMs);
  }

  /** A message of this kind was answered. */
  answered(code: number): void {
    if (code < 300) this.messages2xx += 1;
    else if (code < 500) this.messages4xx += 1;
    else this.messages5xx += 1;
  }

  /** How many ended like this, at any stage. */
  endedCount(ending: Ending): number {
    return (this.#ends.get(ending) ?? []).reduce((sum, count) => sum + count, 0);
  }

  /** Everything, as plain data. */
  summary(): TallySummary {
    const ends: Partial<Record<Ending, Record<string, number>>> = {};
    for (const [ending, stages] of this.#ends) {
      ends[ending] = Object.fromEntries(
        stages.map((count, at) => [stageNames[at], count]).filter(([, count]) => count !== 0),
      );
    }
    return {
      name: this.name,
      honest: this.honest,
      started: this.started,
      connected: this.connected,
      greeted: this.greeted,
      ended: ends,
      messages: {
        offered: this.messagesOffered,
        told2xx: this.messages2xx,
        told4xx: this.messages4xx,
        told5xx: this.messages5xx,
        unanswered: this.messagesOffered - this.messages2xx - this.messages4xx - this.messages5xx,
      },
      ageMs: spreadOf(this.ageMs),
      greetMs: spreadOf(this.greetMs),
      deliverMs: spreadOf(this.deliverMs),
      longestWaitMs: spreadOf(this.longestWaitMs),
      stageWaitMsMax: Object.fromEntries(this.stageWaitMsMax.map((ms, at) => [stageNames[at], ms])),
    };
  }
}

export interface TallySummary {
  readonly name: string;
  readonly honest: boolean;
  readonly started: number;
  readonly connected: number;
  readonly greeted: number;
  /** ending → stage → clients. */
  readonly ended: Readonly<Partial<Record<Ending, Readonly<Record<string, number>>>>>;
  readonly messages: {
    readonly offered: number;
    readonly told2xx: number;
    readonly told4xx: number;
    readonly told5xx: number;
    readonly unanswered: number;
  };
  readonly ageMs: Spread;
  readonly greetMs: Spread;
  readonly deliverMs: Spread;
  readonly longestWaitMs: Spread;
  readonly stageWaitMsMax: Readonly<Record<string, number>>;
}
