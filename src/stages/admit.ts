/**
 * admit — may this client come in, and how fast will we speak?
 *
 * The first stage: permanent lists, the number of sessions the client has open, and what the reputation table
 * remembers decide on a pace (policy/pace). Nothing here waits: all of it is memory.
 *
 * In: a stream that was opened.   Out: phase Greeting, or one line of refusal and phase Closing.
 */
import { parseAddress } from '../base/address.ts';
import type { Handle } from '../base/handle.ts';
import { slotOf } from '../base/handle.ts';
import type { Listed } from '../policy/pace.ts';
import { Pace, paceFor } from '../policy/pace.ts';
import { Count } from '../session/counters.ts';
import type { EndingName } from '../session/endings.ts';
import { Phase } from '../session/phase.ts';
import { Flag } from '../session/sessions.ts';
import { startGreeting } from './banner.ts';
import { dismiss } from './end.ts';
import { askLists } from './listed.ts';
import type { Works } from './works.ts';
import { epochSec } from './works.ts';

const paceCounts = [Count.pacedInstant, Count.pacedScreened, Count.pacedSlow, -1];

/** Gives a new stream its row and its pace. */
export function admit(works: Works, handle: Handle): void {
  const { sessions, front, counters } = works;
  const slot = slotOf(handle);
  works.serial += 1;
  sessions.begin(slot, handle, works.serial, works.nowMs);
  counters.add(Count.sessionsOpened);
  // As long as the backend was never heard, clients are offered less than they could have.
  works.lanes.warmUp(works.nowMs);
  const client = front.remoteAddress(handle);
  sessions.clients[slot] = client;
  if (!parseAddress(client, sessions.addresses, slot * 4)) sessions.addresses.fill(0, slot * 4, slot * 4 + 4);
  if (works.draining) return turnAway(works, slot, 'shuttingDown', works.replies.shuttingDown);

  const open = recall(works, slot);
  const listed = listedAs(works, slot);
  const limit = works.config.limits.connections;
  if (limit > 0 && open > limit && listed !== 'allow' && works.config.mode === 'enforce') {
    return turnAway(works, slot, 'tooManyConnections', works.replies.tooManyConnections);
  }
  const pace = paceFor(works.config, listed, sessions.scores[slot]!, sessions.has(slot, Flag.Passed));
  sessions.paces[slot] = pace;
  if (pace === Pace.Refused) return turnAway(works, slot, 'denied', works.replies.denied);
  counters.add(paceCounts[pace]!);
  if (listed !== 'allow') askLists(works, slot);
  return startGreeting(works, slot);
}

/** Sends a client away that was never let in. */
function turnAway(works: Works, slot: number, ending: EndingName, reply: Uint8Array): void {
  dismiss(works, slot, ending, reply);
  works.sessions.endPhases[slot] = Phase.Free;
}

/** Finds the client in the reputation table; returns its open sessions, this one included. */
function recall(works: Works, slot: number): number {
  const { sessions, reputation } = works;
  const nowSec = epochSec(works);
  const index = reputation.claim(sessions.addresses, slot * 4, nowSec);
  sessions.reputations[slot] = index;
  if (index < 0) return 1;
  sessions.scores[slot] = reputation.scoreOf(index, nowSec);
  const needed = works.passesNeeded;
  if (needed !== 0 && (reputation.passesOf(index, nowSec) & needed) === needed)
    sessions.set(slot, Flag.Passed);
  sessions.set(slot, Flag.Leased);
  return reputation.opened(index);
}

/** The permanent list that holds the client; the more lenient list wins. */
function listedAs(works: Works, slot: number): Listed {
  const { addresses } = works.sessions;
  const { allow, deny, slow } = works.lists;
  if (allow.size > 0 && allow.has(addresses, slot * 4)) return 'allow';
  if (deny.size > 0 && deny.has(addresses, slot * 4)) return 'deny';
  return slow.size > 0 && slow.has(addresses, slot * 4) ? 'slow' : 'none';
}
