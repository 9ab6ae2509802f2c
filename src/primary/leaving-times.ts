/**
 * leaving-times — how long sessions last, by the stage in which they end and by pace
 *
 * An HDR histogram for each pair, three significant digits from a millisecond to a day: what is read off one is at most a tenth of a percent
 * away from what was. WebAssembly, one call a session on the primary's thread. A histogram is made when its first session comes,
 * at most one for each stage and pace, and holds all since the start.
 */
import { build, initWebAssembly } from 'hdr-histogram-js';
import type { Histogram } from 'hdr-histogram-js';
import { paceNames } from '../policy/pace.ts';
import { stageNames } from '../session/phase.ts';

const DAY_MS = 86_400_000;

/** What one histogram says; times in milliseconds. */
export interface LeavingTimes {
  readonly stage: string;
  readonly pace: string;
  readonly sessions: number;
  readonly p10_ms: number;
  readonly p50_ms: number;
  readonly p90_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
}

export class LeavingHistograms {
  /** By stage and pace. */
  readonly #all = new Map<string, Histogram>();

  /** Makes the machinery ready; nothing is recorded before. */
  static prepare(): Promise<void> {
    return initWebAssembly();
  }

  /** Records a session that ended in a phase, at a pace, at this age. */
  record(phase: number, pace: number, ageMs: number): void {
    const name = `${stageNames[phase] ?? 'end'} ${paceNames[pace] ?? ''}`;
    let histogram = this.#all.get(name);
    if (histogram === undefined) {
      histogram = build({
        useWebAssembly: true,
        lowestDiscernibleValue: 1,
        highestTrackableValue: DAY_MS,
        numberOfSignificantValueDigits: 3,
        autoResize: false,
        bitBucketSize: 64,
      });
      this.#all.set(name, histogram);
    }
    histogram.recordValue(Math.min(DAY_MS, Math.max(1, ageMs)));
  }

  /** All of them, in the order of their names. */
  times(): LeavingTimes[] {
    return [...this.#all]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, histogram]) => {
        const [stage = '', pace = ''] = name.split(' ');
        return {
          stage,
          pace,
          sessions: histogram.totalCount,
          p10_ms: histogram.getValueAtPercentile(10),
          p50_ms: histogram.getValueAtPercentile(50),
          p90_ms: histogram.getValueAtPercentile(90),
          p99_ms: histogram.getValueAtPercentile(99),
          max_ms: histogram.maxValue,
        };
      });
  }

  /** Gives the memory of WebAssembly back. */
  destroy(): void {
    for (const histogram of this.#all.values()) histogram.destroy();
    this.#all.clear();
  }
}
