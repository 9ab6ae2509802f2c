/**
 * families — which families there are now, found without labels
 *
 * Twice found: by a spike, where many sessions of a group leave at the same age (leaving), and by dialect, where a manner that
 * no sender which keeps the standard has comes often, from many networks, and hardly ever delivers. A spike that is
 * most of its group is that group's patience, not a family beside it. Known habits (known) give their names.
 *
 * A family keeps its number and its id as long as it is seen, though its counts change: a new finding of the same group within
 * two bins is the same family. The id follows from group and bin, so that a restart finds the same id again. At most
 * FAMILIES_MAX; the one not seen for the longest time goes first, and all go after FORGET_MS.
 *
 * Precision before recall: a group of which one in twenty delivers is no family, and what was found is dropped when that changes.
 */
import { Book } from './book.ts';
import type { Group } from './book.ts';
import { Family } from './family.ts';
import { isSilentHabit, knownBySpike, knownFamilies, SILENT } from './known.ts';
import { Habit, LABEL_WORDS, Labels, NO_LABELS, ROWS_MAX, SPEAKER_WORDS } from './labels.ts';
import type { LabelTable } from './labels.ts';
import { BINS, binStartMs, spikesOf } from './leaving.ts';
import type { Spike } from './leaving.ts';
import { isWait, Leaving, leavingIn, Row, ROW_WORDS } from './leavings.ts';
import { bitsIn } from './network-sieve.ts';
import { speakersOf } from './speakers.ts';

export const FAMILIES_MAX = 64;
const FORGET_MS = 4 * 3_600_000;
/** A manner with so many sessions that delivered nothing may be a family by itself. */
const SPEAKERS_MIN = 40;
const SILENT_MIN = 10;
/** From so many networks, of 32 told apart, both have to come. */
const NETWORKS_MIN = 8;
/** Of a family at most this many percent may end well. */
const GOOD_PERCENT_MAX = 5;
/** A spike with so many percent of those that left by their own clock is the patience of the whole group. */
const WHOLE_PERCENT = 50;
const SAME_BINS = 2;

/** A finding of this moment. */
interface Found {
  readonly family: Family;
  readonly group: Group | null;
  readonly spike: Spike | null;
}

export class Families {
  readonly book = new Book();
  /** By number; null where nobody is. */
  readonly #families: (Family | null)[] = [];
  #table: LabelTable = NO_LABELS;
  #labels = Labels.none;
  #isNew = false;
  /** Changes with each table. */
  version = 0;

  /** Those found, the most frequent first. */
  get list(): readonly Family[] {
    return this.#families
      .filter((family) => family !== null)
      .sort((one, other) => other.sessions - one.sessions);
  }

  /** What shards label sessions by. */
  get table(): LabelTable {
    return this.#table;
  }

  /** Takes rows of sessions that ended (leavings). */
  take(rows: Int32Array, nowMs: number): void {
    for (let at = 0; at + ROW_WORDS <= rows.length; at += ROW_WORDS) {
      const dialect = rows[at + Row.Dialect]!;
      const way = rows[at + Row.Way]!;
      const leaving = leavingIn(way);
      const ageMs = rows[at + Row.AgeMs]!;
      const network0 = rows[at + Row.Network]!;
      const network1 = rows[at + Row.Network + 1]!;
      this.book.note(dialect, leaving, ageMs, network0, network1);
      const number = this.#labels.numberOf(dialect, leaving, ageMs);
      if (number >= 0) this.#families[number]?.note(dialect, isWait(way), ageMs, network0, network1, nowMs);
      this.#isNew = true;
    }
  }

  /** Looks for families in what came since; true when the table has changed. */
  find(nowMs: number): boolean {
    const factor = this.book.age(nowMs);
    if (factor !== 1) for (const family of this.list) family.decay(factor);
    if (!this.#isNew && factor === 1) return false;
    this.#isNew = false;
    for (const [number, family] of this.#families.entries())
      if (family !== null && nowMs - family.seenMs > FORGET_MS) this.#families[number] = null;
    const groups = this.book.groups();
    const found = groups.flatMap((group) => this.#inGroup(group, nowMs));
    const silent = this.#silent(nowMs);
    if (silent !== null) found.push(silent);
    this.#drop(groups);
    return this.#tell(found, groups);
  }

  /** How many percent of all sessions belong to a family. */
  percentOf(family: Family): number {
    return this.book.sessions === 0 ? 0 : (family.sessions * 100) / this.book.sessions;
  }

  /** Whether a family is told by its manner before a session of it ends, as shards know it now. */
  isToldEarly(family: Family): boolean {
    const { speakers } = this.#table;
    const number = this.#families.indexOf(family);
    return speakers.some((word, at) => at % SPEAKER_WORDS === 1 && word === number);
  }

  #inGroup(group: Group, nowMs: number): Found[] {
    const isWhole = isFamily(group);
    // Plain speech is everybody's: there the spikes speak for themselves.
    if (group.oddity !== 0 && !isWhole && isGood(group)) return [];
    const found: Found[] = [];
    for (const spike of spikesOf(group.counts)) {
      const name = knownBySpike(binStartMs(spike.from), binStartMs(spike.to + 1));
      const isAll = isWhole && name === '' && spike.count * 100 >= group.impatient * WHOLE_PERCENT;
      if (isAll) {
        this.#widen(group.oddity, spike.bin);
        continue;
      }
      const family = this.#familyOf(Habit.Leaves, group.oddity, spike.bin, name, nowMs);
      if (family !== null) found.push({ family, group, spike });
    }
    if (isWhole) {
      const family = this.#familyOf(Habit.Speaks, group.oddity, -1, '', nowMs);
      if (family !== null) found.push({ family, group, spike: null });
    }
    return found;
  }

  /** A family that was found by its spike turns out to be its whole group. */
  #widen(oddity: number, bin: number): void {
    const isThere = this.#families.some((one) => one?.habit === Habit.Speaks && one.oddity === oddity);
    const family = this.#families.find(
      (one) => one?.habit === Habit.Leaves && one.oddity === oddity && Math.abs(one.bin - bin) <= SAME_BINS,
    );
    if (!isThere && family !== undefined && family !== null) family.habit = Habit.Speaks;
  }

  #silent(nowMs: number): Found | null {
    if (this.book.silent < SILENT_MIN || bitsIn(this.book.silentNetworks) < NETWORKS_MIN) return null;
    const family = this.#familyOf(Habit.Silent, 0, -1, knownFamilies[SILENT]!.name, nowMs);
    return family === null ? null : { family, group: null, spike: null };
  }

  /** The family of a finding: one that is there already, or a new one; null when there is no room. */
  #familyOf(habit: Habit, oddity: number, bin: number, name: string, nowMs: number): Family | null {
    const known = this.#families.find(
      (family) =>
        family?.habit === habit &&
        ((name !== '' && family.name === name) ||
          (family.name === name &&
            family.oddity === oddity &&
            (habit === Habit.Speaks || Math.abs(family.bin - bin) <= SAME_BINS))),
    );
    if (known !== undefined && known !== null) return known;
    const number = this.#room(nowMs);
    if (number < 0) return null;
    const family = new Family(this.#idFor(oddity, bin), habit, oddity, bin, nowMs);
    family.name = name;
    this.#families[number] = family;
    return family;
  }

  /** A free number; that of the family not seen for the longest time, if that was before now. */
  #room(nowMs: number): number {
    const free = this.#families.indexOf(null);
    if (free >= 0) return free;
    if (this.#families.length < FAMILIES_MAX) return this.#families.push(null) - 1;
    let oldest = -1;
    let seenMs = nowMs;
    for (const [number, family] of this.#families.entries()) {
      if (family === null || family.seenMs >= seenMs) continue;
      oldest = number;
      seenMs = family.seenMs;
    }
    return oldest;
  }

  #idFor(oddity: number, bin: number): string {
    let hash = Math.imul(oddity ^ 0x811c9dc5, 0x01000193) ^ Math.imul(bin + 2, 0x9e3779b1);
    for (;;) {
      hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
      const id = `family-${((hash >>> 12) & 0xffff).toString(16).padStart(4, '0')}`;
      if (!this.#families.some((family) => family?.id === id)) return id;
    }
  }

  /** Families whose manner ends well too often now. */
  #drop(groups: readonly Group[]): void {
    for (const [number, family] of this.#families.entries()) {
      if (family === null || family.oddity === 0) continue;
      const group = groups.find(({ oddity }) => oddity === family.oddity);
      if (group !== undefined && isGood(group)) this.#families[number] = null;
    }
  }

  /** Makes the table: spikes before manners, so that a spike within a manner is told apart. */
  #tell(found: readonly Found[], groups: readonly Group[]): boolean {
    const rows: number[] = [];
    const add = (...row: number[]): void => {
      if (rows.length < ROWS_MAX * LABEL_WORDS) rows.push(...row);
    };
    const inOrder = [Habit.Silent, Habit.Leaves, Habit.Speaks];
    for (const habit of inOrder) {
      for (const [number, family] of this.#families.entries()) {
        if (family?.habit !== habit) continue;
        if (habit === Habit.Silent) add(0, habit, 0, 0, number);
        const findings = found.filter((one) => one.family === family && one.group !== null);
        // What is not found at this moment stays what it was.
        const spans =
          findings.length > 0
            ? findings.map(({ group, spike }) => ({ group: group!, spike }))
            : groups
                .filter(({ oddity }) => oddity === family.oddity)
                .map((group) => ({ group, spike: null }));
        for (const { group, spike } of spans) {
          const isAnyAge = habit === Habit.Speaks;
          const from = spike?.from ?? (isAnyAge ? 0 : family.bin);
          const to = spike?.to ?? (isAnyAge ? BINS - 1 : family.bin);
          for (const manner of group.manners)
            if (habit !== Habit.Silent) add(manner, habit, from, to, number);
        }
      }
    }
    for (const family of this.#families) family?.settlePatience();
    const table: LabelTable = {
      rows: Int32Array.from(rows),
      speakers: Int32Array.from(speakersOf(this.#families, groups, isTooGood)),
      names: this.#families.map((family) => family?.label ?? ''),
      patienceMs: this.#families.map((family) => family?.patienceMs ?? 0),
    };
    if (isSameTable(table, this.#table)) return false;
    this.#table = table;
    this.#labels = new Labels(this.#table);
    this.version += 1;
    return true;
  }
}

function isSameTable(one: LabelTable, other: LabelTable): boolean {
  return (
    one.rows.join() === other.rows.join() &&
    one.speakers.join() === other.speakers.join() &&
    one.names.join() === other.names.join() &&
    one.patienceMs.join() === other.patienceMs.join()
  );
}

/** Too many of these sessions end well for a family. */
function isTooGood(good: number, bad: number): boolean {
  return good * 100 > (good + bad) * GOOD_PERCENT_MAX;
}

/** Too many of its sessions end well for it to be a family. */
function isGood(group: Group): boolean {
  return isTooGood(group.good, group.bad);
}

/** A manner that is a family without any spike. */
function isFamily(group: Group): boolean {
  return group.oddity !== 0 && group.bad >= SPEAKERS_MIN && group.networks >= NETWORKS_MIN && !isGood(group);
}

/** How a session that delivered nothing ended, by what is known of its last moments. All times in milliseconds. */
export function leavingFor(
  isByItself: boolean,
  isTimedOut: boolean,
  isRefusedLast: boolean,
  isAnswering: boolean,
  silentMs: number,
): Leaving {
  if (isRefusedLast && (isByItself || isTimedOut) && isSilentHabit(silentMs, isTimedOut))
    return Leaving.Silent;
  if (!isByItself) return Leaving.SentAway;
  return isAnswering ? Leaving.Answering : Leaving.Impatient;
}
