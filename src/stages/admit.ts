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
import { hostKey, Kind, networkKey, newKey } from '../reputation/keys.ts';
import { Mark } from '../reputation/layout.ts';
import { isGoodPool, neighbourPoints } from '../reputation/standing.ts';
import { Count } from '../session/counters.ts';
import type { EndingName } from '../session/endings.ts';
import { Phase } from '../session/phase.ts';
import { Flag } from '../session/sessions.ts';
import { startGreeting } from './banner.ts';
import { dismiss } from './end.ts';
import type { Works } from './works.ts';
import { epochSec } from './works.ts';

const key = newKey();

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
  if (pace === Pace.Instant && sessions.has(slot, Flag.KnownByPool)) counters.add(Count.knownByPool);
  return startGreeting(works, slot);
}

/** Sends a client away that was never let in. */
function turnAway(works: Works, slot: number, ending: EndingName, reply: Uint8Array): void {
  dismiss(works, slot, ending, reply);
  works.sessions.endPhases[slot] = Phase.Free;
}

/**
 * Finds the client and its network in the reputation table and counts the session in; returns the client's open sessions,
 * this one included.
 */
function recall(works: Works, slot: number): number {
  const { sessions, reputation, passesNeeded } = works;
  const nowSec = epochSec(works);
  networkKey(sessions.addresses, slot * 4, key);
  const network = reputation.claim(Kind.Network, key, nowSec);
  sessions.networks[slot] = network;
  if (network >= 0) reputation.opened(network);
  sessions.neighbourPoints[slot] = neighbourPoints(reputation, network, nowSec);
  hostKey(sessions.addresses, slot * 4, key);
  const index = reputation.claim(Kind.Host, key, nowSec);
  sessions.reputations[slot] = index;
  const score = index < 0 ? 0 : reputation.scoreOf(index, nowSec);
  sessions.scores[slot] = score + sessions.neighbourPoints[slot];
  const passes = index < 0 ? 0 : reputation.passesOf(index, nowSec);
  if (passesNeeded !== 0 && (passes & passesNeeded) === passesNeeded) sessions.set(slot, Flag.Passed);
  // Company helps who has no bad name of its own.
  else if (score <= 0 && works.config.pools.network && isGoodPool(reputation, network, passesNeeded, nowSec))
    sessions.set(slot, Flag.Passed | Flag.KnownByPool);
  return index < 0 ? 1 : reputation.opened(index);
}

/** What an operator or a trap has said of the client or its network; the client's own word counts first. */
function markedAs(works: Works, slot: number): Mark {
  const { sessions, reputation } = works;
  const nowSec = epochSec(works);
  const index = sessions.reputations[slot]!;
  const own = index < 0 ? Mark.None : reputation.markOf(index, nowSec);
  if (own !== Mark.None) return own;
  const network = sessions.networks[slot]!;
  return network < 0 ? Mark.None : reputation.markOf(network, nowSec);
}

/** The permanent list that holds the client, or the word of an operator; the more lenient wins. */
function listedAs(works: Works, slot: number): Listed {
  const { addresses } = works.sessions;
  const { allow, deny, slow } = works.lists;
  const mark = markedAs(works, slot);
  if (mark === Mark.Allow) return 'allow';
  if (allow.size > 0 && allow.has(addresses, slot * 4)) return 'allow';
  if (mark === Mark.Deny || (deny.size > 0 && deny.has(addresses, slot * 4))) return 'deny';
  if (mark === Mark.Trap) return 'slow';
  return slow.size > 0 && slow.has(addresses, slot * 4) ? 'slow' : 'none';
}
