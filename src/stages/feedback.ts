/**
 * feedback — a member of a family hears that its recipients do not exist
 *
 * Off unless asked for (`families.feedback`). Programs that send spam tell their masters which addresses are refused, and the
 * masters strike them from their lists (Stringhini, Egele, Zarras, Holz, Kruegel, Vigna: B@bel, USENIX Security 2012). So a
 * client that was recognised (recognise), and has delivered nothing, hears of each recipient what it would hear of one that
 * does not exist, and the backend is not asked. The answer is ours, not the backend's: nothing is learnt from it, of the client
 * or of the name.
 *
 * postmaster and abuse are let through to the backend (always). One member in SPARED is told the truth, slowly: if honest senders are among
 * them, their mail shows it, and the family goes (families).
 */
import { Count } from '../session/counters.ts';
import { Flag } from '../session/sessions.ts';
import { isAlwaysHeard } from './always.ts';
import { isOnlyMember } from './learn.ts';
import type { Works } from './works.ts';

/** Of so many sessions one hears the truth. */
const SPARED = 16;

/** Whether the client is to hear that the recipient which its argument names (`TO:<…> …`) does not exist. */
export function misleads(works: Works, slot: number, recipient: string): boolean {
  const { sessions, config, counters } = works;
  if (!config.families.feedback || !isOnlyMember(works, slot)) return false;
  if (sessions.serials[slot]! % SPARED === 0 || isAlwaysHeard(works, recipient)) return false;
  sessions.set(slot, Flag.Misled);
  counters.add(Count.feedbackGiven);
  return true;
}
