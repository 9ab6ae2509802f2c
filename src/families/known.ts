/**
 * known — families that were described by others, and by what they are told
 *
 * The word stands for the habit, not for proof of the program: a spike at 21 s is called rustock since that is what it was in
 * the one published histogram. A habit that shows no spike in this traffic names nobody.
 */

/** A habit and the name that goes with it. */
export interface KnownFamily {
  readonly name: string;
  /** Milliseconds from the connection to the end, where the spike has to stand; 0 when it is told by its silence. */
  readonly leavesMs: number;
  /** Milliseconds of silence after a 5xx; 0 when it is told by a spike. */
  readonly silentMs: number;
  readonly says: string;
  readonly source: string;
}

export const knownFamilies: readonly KnownFamily[] = [
  {
    name: 'rustock',
    leavesMs: 21_000,
    silentMs: 0,
    says: 'leaves 21 s after it connected',
    source: 'MailChannels, 2009: spikes of slowed sessions, told apart by the Composite Block List',
  },
  {
    name: 'climbot',
    leavesMs: 100_000,
    silentMs: 0,
    says: 'leaves 100 s after it connected',
    source: 'MailChannels, 2009, as above',
  },
  {
    name: 'storm',
    leavesMs: 0,
    silentMs: 300_000,
    says: 'is silent for 5 minutes after a 550',
    source: 'W. Venema, LISA 2010',
  },
];

/** The number of the family in the table whose habit is silence, and how exact it has to be. */
export const SILENT = knownFamilies.findIndex(({ silentMs }) => silentMs > 0);
const SILENT_SHARE = 0.05;

/** Whether so long a silence after a 5xx is the habit; `isTimedOut`: it lasted until Sluice had enough. */
export function isSilentHabit(silentMs: number, isTimedOut: boolean): boolean {
  const wantMs = knownFamilies[SILENT]!.silentMs;
  if (silentMs < wantMs * (1 - SILENT_SHARE)) return false;
  return isTimedOut || silentMs <= wantMs * (1 + SILENT_SHARE);
}

/** The name of a family with a spike whose bins begin at `fromMs` and end at `toMs`; '' for none. */
export function knownBySpike(fromMs: number, toMs: number): string {
  const found = knownFamilies.find(({ leavesMs }) => leavesMs >= fromMs && leavesMs < toMs);
  return found?.name ?? '';
}
