/**
 * family-desk — hears from all shards how sessions ended, and tells them which families there are
 *
 * The one place where families are looked for (families/families), once a second while sessions end. Shards hear the table
 * anew when it has changed, and label the log lines of sessions from then on. Nothing of it is saved: families show again within
 * minutes, under the same ids.
 */
import { Families } from '../families/families.ts';
import { knownFamilies } from '../families/known.ts';
import { Habit } from '../families/labels.ts';
import type { LabelTable } from '../families/labels.ts';
import { binStartMs } from '../families/leaving.ts';
import type { Family } from '../families/family.ts';
import { paceIn, phaseIn, Row, ROW_WORDS } from '../families/leavings.ts';
import { Kind, newKey } from '../reputation/keys.ts';
import type { Names } from '../reputation/names.ts';
import { LeavingHistograms } from './leaving-times.ts';
import type { LeavingTimes } from './leaving-times.ts';

const FIND_MS = 1_000;
const NETWORKS_SHOWN = 5;

/** A family, as it is told. */
export interface FamilyText {
  /** A known name, or the id. */
  readonly name: string;
  readonly id: string;
  /** Percent of all sessions. */
  readonly share: number;
  readonly sessions: number;
  readonly patience: string;
  /** The middle of its spike; null when it has none. */
  readonly leaves_ms: number | null;
  readonly dialect: string;
  readonly networks: readonly { readonly name: string; readonly sessions: number }[];
  readonly since: string;
  readonly seen: string;
  /** Where the habit was described; '' for a family that was found here. */
  readonly source: string;
}

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
      families: this.#families.list.map((family) => textOf(this.#families, family, names)),
      leaving: this.#times.times(),
    };
  }

  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#isReady = false;
    this.#times.destroy();
  }
}

function textOf(families: Families, family: Family, names: Names): FamilyText {
  const { keys, counts, excess, used } = family.networks;
  const key = newKey();
  const networks = Array.from({ length: used }, (_, place) => place)
    .sort((one, other) => counts[other]! - counts[one]!)
    .slice(0, NETWORKS_SHOWN)
    .map((place) => {
      key[0] = keys[place * 2]!;
      key[1] = keys[place * 2 + 1]!;
      const isUnknown = keys[place * 2] === 0 && keys[place * 2 + 1] === 0;
      return {
        name: isUnknown ? 'unknown' : names.nameOf(Kind.Network, key),
        sessions: Math.round(counts[place]! - excess[place]!),
      };
    });
  return {
    name: family.label,
    id: family.id,
    share: Math.round(families.percentOf(family) * 10) / 10,
    sessions: Math.round(family.sessions),
    patience: patienceOf(family),
    leaves_ms: family.bin < 0 ? null : Math.round(family.ageMs(50) || binStartMs(family.bin + 0.5)),
    dialect: family.dialectText(),
    networks,
    since: new Date(family.sinceMs).toISOString(),
    seen: new Date(family.seenMs).toISOString(),
    source: knownFamilies.find(({ name }) => name === family.name)?.source ?? '',
  };
}

/** When its sessions leave, for people. */
function patienceOf(family: Family): string {
  const known = knownFamilies.find(({ name }) => name === family.name);
  if (known !== undefined) return known.says;
  if (family.habit === Habit.Leaves)
    return `leaves ${seconds(binStartMs(family.bin + 0.5))} after it connected`;
  const [early, middle, late] = [family.ageMs(10), family.ageMs(50), family.ageMs(90)];
  if (family.sessions < 1) return 'not told yet';
  if (late <= early * 1.15) return `leaves ${seconds(middle)} after it connected`;
  return `half are gone after ${seconds(middle)}, nine of ten after ${seconds(late)}`;
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}
