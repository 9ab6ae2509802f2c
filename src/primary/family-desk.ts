/**
 * family-desk — hears from all shards how sessions ended, and tells them which families there are
 *
 * The one place where families are looked for (families/families), once a second while sessions end. Shards hear the table
 * anew when it has changed, and label the log lines of sessions from then on. Nothing of it is saved: families show again within
 * minutes, under the same ids.
 */
import { Families } from '../families/families.ts';
import type { LabelTable } from '../families/labels.ts';
import { paceIn, phaseIn, Row, ROW_WORDS } from '../families/leavings.ts';
import type { Names } from '../reputation/names.ts';
import { familyTexts } from './family-texts.ts';
import type { FamilyText } from './family-texts.ts';
import { LeavingHistograms } from './leaving-times.ts';
import type { LeavingTimes } from './leaving-times.ts';

const FIND_MS = 1_000;

export interface FamilyReport {
  /** Sessions looked at; those of hours ago count less. */
  readonly sessions: number;
  readonly families: readonly FamilyText[];
  readonly leaving: readonly LeavingTimes[];
}

export class FamilyDesk {
  readonly #families = new Families();
  readonly #times = new LeavingHistograms();
  readonly #tell: (table: LabelTable) => void;
  readonly #epochMs: () => number;
  #isReady = false;
  #timer: NodeJS.Timeout | null = null;

  /** `tell` takes a new table for all shards; `epochMs` is the wall clock. */
  constructor(tell: (table: LabelTable) => void, epochMs: () => number = Date.now) {
    this.#tell = tell;
    this.#epochMs = epochMs;
  }

  /** Begins to look. */
  start(): void {
    void LeavingHistograms.prepare().then(() => (this.#isReady = true));
    this.#timer = setInterval(() => this.find(), FIND_MS);
    this.#timer.unref();
  }

  /** Takes rows of sessions that ended (families/leavings). */
  take(rows: Int32Array): void {
    this.#families.take(rows, this.#epochMs());
    if (!this.#isReady) return;
    for (let at = 0; at + ROW_WORDS <= rows.length; at += ROW_WORDS) {
      const way = rows[at + Row.Way]!;
      this.#times.record(phaseIn(way), paceIn(way), rows[at + Row.AgeMs]!);
    }
  }

  /** Looks for families now. Every second, by itself. */
  find(): void {
    if (this.#families.find(this.#epochMs())) this.#tell(this.#families.table);
  }

  /** What is known now. `names`: what networks are called. */
  report(names: Names): FamilyReport {
    return {
      sessions: Math.round(this.#families.book.sessions),
      families: familyTexts(this.#families, names),
      leaving: this.#times.times(),
    };
  }

  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#isReady = false;
    this.#times.destroy();
  }
}
