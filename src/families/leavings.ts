/**
 * leavings — how sessions ended, on their way from a shard to the one book
 *
 * Six integers for a session, collected in a block that is taken once a second. What does not fit is left out and counted:
 * 4,096 a second and shard are more than the book needs to see a family.
 */

/** Whose doing the end was, and how. */
export const Leaving = {
  /** It delivered, or is of good standing: it belongs to nobody. */
  Good: 0,
  /** It said QUIT with nothing delivered, or the end was ours. */
  Neutral: 1,
  /** By its own clock, while it could have waited. */
  Impatient: 2,
  /** As an answer to what it heard: the moment says more of us than of it. */
  Answering: 3,
  /** We sent it away. */
  SentAway: 4,
  /** Silent after a 5xx, as long as the habit has it (known). */
  Silent: 5,
} as const;
export type Leaving = (typeof Leaving)[keyof typeof Leaving];

/** Who leaves within this time of our last word answers it. */
export const ANSWER_MS = 500;

export const ROW_WORDS = 6;
const ROWS_MAX = 4_096;

/** Offsets in a row. */
export const Row = { Dialect: 0, Way: 1, AgeMs: 2, SilentMs: 3, Network: 4 } as const;

const STAGE_SHIFT = 8;
const PACE_SHIFT = 16;

/** The `Way` word: how, in which phase, at which pace. */
export function wayOf(leaving: Leaving, phase: number, pace: number): number {
  return leaving | (phase << STAGE_SHIFT) | (pace << PACE_SHIFT);
}

/** How a session of a row ended. */
export function leavingIn(way: number): Leaving {
  return (way & 255) as Leaving;
}

/** The phase in which it ended. */
export function phaseIn(way: number): number {
  return (way >>> STAGE_SHIFT) & 255;
}

/** Its pace. */
export function paceIn(way: number): number {
  return (way >>> PACE_SHIFT) & 255;
}

/** What policy/pace calls slow; it stands behind this folder. */
export const SLOWED = 2;

/** Whether the session was slowed and left by its own clock: what it shows then is its patience. */
export function isWait(way: number): boolean {
  return leavingIn(way) === Leaving.Impatient && paceIn(way) === SLOWED;
}

export class Leavings {
  /** Sessions that found no room. */
  dropped = 0;
  readonly #rows = new Int32Array(ROWS_MAX * ROW_WORDS);
  #used = 0;

  /** Notes one session. `network0`, `network1`: the key of its network. */
  note(
    dialect: number,
    way: number,
    ageMs: number,
    silentMs: number,
    network0: number,
    network1: number,
  ): void {
    if (this.#used === this.#rows.length) {
      this.dropped += 1;
      return;
    }
    const at = this.#used;
    this.#used += ROW_WORDS;
    this.#rows[at + Row.Dialect] = dialect;
    this.#rows[at + Row.Way] = way;
    this.#rows[at + Row.AgeMs] = ageMs;
    this.#rows[at + Row.SilentMs] = silentMs;
    this.#rows[at + Row.Network] = network0;
    this.#rows[at + Row.Network + 1] = network1;
  }

  /** A copy of what was noted since the last call; null when that is nothing. */
  takeAll(): Int32Array | null {
    if (this.#used === 0) return null;
    const rows = this.#rows.slice(0, this.#used);
    this.#used = 0;
    return rows;
  }
}
