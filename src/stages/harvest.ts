/**
 * harvest — who guesses names learns ever more slowly, and nothing from the clock
 *
 * A harvester asks for thousands of names to hear which exist. Off unless asked for (`traps.harvest`): once a
 * client has named several unknown recipients and these are the larger part, each of its recipients is answered at a
 * fixed time after it was named, a known one like an unknown one, whether the backend or our memory knew it; and that
 * time doubles with every further unknown name up to `traps.harvest_delay_max`. A client of good standing with a stale
 * address list is not meant: it delivers to most of its recipients.
 *
 * The delay falls under the client's timer for RCPT and passes the patience budget like every other.
 */
import { ONE } from '../reputation/decay.ts';
import { signals } from '../reputation/signals.ts';
import type { Works } from './works.ts';
import { epochSec } from './works.ts';

/** Unknown names that anybody may have without being suspected. */
const UNKNOWN_FREE = 3;
const FIRST_DELAY_MS = 1_000;
/** 2^15 s is beyond every limit. */
const DOUBLINGS_MAX = 15;

/** How long after a recipient was named its answer is due, ms; 0 for a client that is not suspected. */
export function harvestDelayMs(works: Works, slot: number): number {
  const { config, sessions, reputation } = works;
  if (!config.traps.harvest) return 0;
  const bad = sessions.recipientsBad[slot]!;
  const index = sessions.reputations[slot]!;
  const remembered =
    index < 0
      ? 0
      : Math.floor(reputation.amountOf(index, signals.unknownRecipient.id, epochSec(works)) / ONE);
  const unknown = Math.max(bad, remembered);
  if (unknown < UNKNOWN_FREE || bad < sessions.recipientsOk[slot]!) return 0;
  const doublings = Math.min(DOUBLINGS_MAX, unknown - UNKNOWN_FREE);
  return Math.min(config.traps.harvestDelayMaxMs, FIRST_DELAY_MS * 2 ** doublings);
}
