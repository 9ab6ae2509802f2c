/**
 * admit — may this client come in, and how fast will we speak?
 *
 * The first stage: permanent lists, the limits of connections (limit), and what the reputation table
 * remembers decide on a pace (policy/pace); under stress there has to be a slot too (seat). Nothing here waits: all of it
 * is memory.
 *
 * In: a stream that was opened.   Out: phase Greeting, or one line of refusal and phase Closing.
 */
import { parseAddress } from '../base/address.ts';
import type { Handle } from '../base/handle.ts';
import { slotOf } from '../base/handle.ts';
import { endingOver, limitRow, NO_LIMIT } from '../policy/limits.ts';
import { decisiveMark, listedBy } from '../policy/listed.ts';
import type { Listed } from '../policy/pace.ts';
import { enforcedPaceFor, Pace, paceFor } from '../policy/pace.ts';
import { Why } from '../policy/would-reasons.ts';
import { Kind, newKey } from '../reputation/keys.ts';
import { Mark } from '../reputation/layout.ts';
import { KnownBy, knownBy, neighbourPoints } from '../reputation/standing.ts';
import { Count } from '../session/counters.ts';
import type { EndingName } from '../session/endings.ts';
import { Phase } from '../session/phase.ts';
import { Flag } from '../session/sessions.ts';
import { startGreeting } from './banner.ts';
import { dismiss } from './end.ts';
import { limitReply, overAtConnect } from './limit.ts';
import { noteLowPriority } from './traps.ts';
import { askLists } from './listed.ts';
import { isObserving } from './observe.ts';
import { takeSeat } from './seat.ts';
import { replan, slowInFull } from './slow.ts';
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
  if (isObserving(works)) works.would.begin(slot);
  counters.add(Count.sessionsOpened);
  // As long as the backend was never heard, clients are offered less than they could have.
  works.lanes.warmUp(works.nowMs);
  const client = front.remoteAddress(handle);
  sessions.clients[slot] = client;
  if (!parseAddress(client, sessions.addresses, slot * 4)) sessions.addresses.fill(0, slot * 4, slot * 4 + 4);
  if (works.draining) return turnAway(works, slot, 'shuttingDown', works.replies.shuttingDown);

  const open = recall(works, slot);
  noteLowPriority(works, slot);
  const listed = listedAs(works, slot);
  const { exceptions } = works.lists;
  if (listed === 'allow' || (exceptions.size > 0 && exceptions.has(sessions.addresses, slot * 4)))
    sessions.set(slot, Flag.Unlimited);
  const limit = overAtConnect(works, slot, open);
  if (limit !== NO_LIMIT) {
    return turnAway(works, slot, endingOver(limit), limitReply(works, slot, limit, limitRow(limit).reply));
  }
  if (isObserving(works)) foresee(works, slot, listed);
  const pace = paceFor(works.config, listed, sessions.scores[slot]!, sessions.has(slot, Flag.Passed));
  sessions.paces[slot] = pace;
  if (pace === Pace.Slow) planFor(works, slot, listed);
  if (pace === Pace.Refused) return turnAway(works, slot, 'denied', works.replies.denied);
  const shed = takeSeat(works, slot, listed === 'allow');
  if (shed !== null) return turnAway(works, slot, shed, shedReply(works, shed));
  counters.add(paceCounts[pace]!);
  if (pace === Pace.Instant && sessions.has(slot, Flag.KnownByPool)) counters.add(Count.knownByPool);
  if (listed !== 'allow') askLists(works, slot);
  return startGreeting(works, slot);
}

/** Who is on a list of the operator's is slowed in full, whatever its score. */
function planFor(works: Works, slot: number, listed: Listed): void {
  if (listed === 'slow') slowInFull(works, slot, Why.slow_list);
  else replan(works, slot);
}

/** What would be done with the client if this were not observe mode. */
function foresee(works: Works, slot: number, listed: Listed): void {
  const { sessions, config, would } = works;
  const isPassed = sessions.has(slot, Flag.Passed);
  const pace = enforcedPaceFor(config, listed, sessions.scores[slot]!, isPassed);
  if (pace === Pace.Refused) would.end(slot, Why.denied);
  else if (pace === Pace.Slow) planFor(works, slot, listed);
  else if (pace === Pace.Screened) would.screen(slot);
}

function shedReply({ replies }: Works, ending: EndingName): Uint8Array {
  if (ending === 'sessionsFull') return replies.sessionsFull;
  return ending === 'shedNetwork' ? replies.networkShare : replies.tooBusy;
}

/** Sends a client away that was never let in. */
function turnAway(works: Works, slot: number, ending: EndingName, reply: Uint8Array): void {
  dismiss(works, slot, ending, reply);
  works.sessions.endPhases[slot] = Phase.Free;
}

/**
 * Finds the client, its network and its pool in the reputation table and counts the session in; returns the client's open
 * sessions, this one included.
 */
function recall(works: Works, slot: number): number {
  const { sessions, reputation, names } = works;
  const nowSec = epochSec(works);
  names.networkKey(sessions.addresses, slot * 4, key);
  const network = reputation.claim(Kind.Network, key, nowSec);
  sessions.networks[slot] = network;
  if (network >= 0) reputation.opened(network);
  recallPool(works, slot, nowSec);
  const neighbours = neighbourPoints(reputation, network, nowSec);
  sessions.neighbourPoints[slot] = neighbours;
  names.hostKey(sessions.addresses, slot * 4, key);
  const index = reputation.claim(Kind.Host, key, nowSec);
  sessions.reputations[slot] = index;
  const score = index < 0 ? 0 : reputation.scoreOf(index, nowSec);
  sessions.scores[slot] = score + neighbours;
  // Company helps who has no bad name of its own.
  const by = knownBy(
    reputation,
    index,
    network,
    sessions.pools[slot]!,
    works.passesNeeded,
    works.config.pools.network,
    nowSec,
  );
  if (by === KnownBy.Itself) sessions.set(slot, Flag.Passed);
  else if (by !== KnownBy.Nobody) sessions.set(slot, Flag.Passed | Flag.KnownByPool);
  return index < 0 ? 1 : reputation.opened(index);
}

/** Finds the pool whose networks hold the client's address, and keeps it from being forgotten while the session lasts. */
function recallPool(works: Works, slot: number, nowSec: number): void {
  const { sessions, reputation, pools } = works;
  const pool = pools.poolOf(sessions.addresses, slot * 4);
  if (pool < 0) return;
  pools.keyOf(pool, key);
  const index = reputation.claim(Kind.Pool, key, nowSec);
  sessions.pools[slot] = index;
  if (index >= 0) reputation.opened(index);
}

/** What an operator or a trap has said of the client or its network. */
function markedAs(works: Works, slot: number): Mark {
  const { sessions, reputation } = works;
  const nowSec = epochSec(works);
  const index = sessions.reputations[slot]!;
  const network = sessions.networks[slot]!;
  return decisiveMark(
    index < 0 ? Mark.None : reputation.markOf(index, nowSec),
    network < 0 ? Mark.None : reputation.markOf(network, nowSec),
  );
}

/** The permanent list that holds the client, or the word of an operator. */
function listedAs(works: Works, slot: number): Listed {
  return listedBy(works.lists, markedAs(works, slot), works.sessions.addresses, slot * 4);
}
