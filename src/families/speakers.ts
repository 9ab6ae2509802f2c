/**
 * speakers — which families can be told while a session is still speaking
 *
 * Who has named a sender has shown how it writes: greeting, case, blanks, path. It has not shown all that it ever will, and a
 * session that ends with one oddity more is of another manner, perhaps that of an honest program. So a manner tells its family
 * early only if it is itself as bad as a family has to be, and all the manners that it may yet become are so together; and of
 * their sessions only those count that came as far. That it costs: a family beside an honest manner with one oddity more is named when
 * its sessions end, as before, and is not made to wait.
 *
 * Cost: a look at each group for each family, once a second in the primary's thread.
 */
import type { Group } from './book.ts';
import { Level, mayBecome, reached } from './dialect.ts';
import type { Family } from './family.ts';
import { Habit } from './labels.ts';

/** So many sessions that delivered nothing must have come to an envelope. */
const SPEAKERS_MIN = 20;

/**
 * Pairs of manner and number (labels) for those of `families`, by their numbers, that can be told early. `isTooGood`: more of
 * these end well than of a family may.
 */
export function speakersOf(
  families: readonly (Family | null)[],
  groups: readonly Group[],
  isTooGood: (good: number, bad: number) => boolean,
): number[] {
  return families.flatMap((family, number) => {
    if (family === null || family.habit !== Habit.Speaks || family.oddity === 0) return [];
    const own = groups.find(({ oddity }) => oddity === family.oddity);
    if (own === undefined || own.badInEnvelope < SPEAKERS_MIN) return [];
    let good = 0;
    let bad = 0;
    for (const group of groups) {
      if (!mayBecome(family.oddity, group.oddity)) continue;
      good += group.good;
      bad += group.badInEnvelope;
    }
    if (isTooGood(own.good, own.badInEnvelope) || isTooGood(good, bad)) return [];
    return [reached(family.oddity, Level.Envelope), number];
  });
}
