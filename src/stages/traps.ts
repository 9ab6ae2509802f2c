/**
 * traps — places where no honest sender comes
 *
 * Three of them, off unless asked for:
 * - Recipients that were never published for mail (`traps.recipients`). Who is a stranger and names one is noted for it
 *   and slowed for `traps.trap_ttl`; it hears what it would hear for any name that does not exist.
 * - Names that do not exist and that strangers of five networks have asked for (`traps.learn`): from then on, for a
 *   month, a stranger that asks is caught. The backend is still asked each time, and a name that exists by now is no
 *   trap any more. The networks are kept with the name in an entry of the shared table, so all shards learn together.
 * - Our own addresses with the lowest priority in the MX record (`traps.low_priority`). A real sender tries the others
 *   first and is known from there; a stranger that begins here is noted for it. Not in the first minute, in which
 *   nobody is known.
 *
 * A client of good standing is not trapped: everybody mistypes, and a former employee's address gets honest mail.
 */
import { Why } from '../policy/would-reasons.ts';
import { Kind, newKey, textKey } from '../reputation/keys.ts';
import { Mark } from '../reputation/layout.ts';
import { isGoodHost } from '../reputation/standing.ts';
import { parseAddress } from '../base/address.ts';
import { Count } from '../session/counters.ts';
import { Flag } from '../session/sessions.ts';
import { note } from './learn.ts';
import { slowInFull } from './slow.ts';
import type { Works } from './works.ts';
import { epochSec } from './works.ts';

/** In the first time after a start strangers at the low priority say nothing: see spamd(8), -M. */
const UNKNOWING_MS = 60_000;
/** Networks that a name must have been asked for from: those that an entry holds, and one more. */
const NETWORKS_KEPT = 4;
const LEARNED_TTL_SEC = 30 * 86_400;

const key = newKey();
const local = new Uint32Array(4);

/** The mailbox of an argument of RCPT, in small letters. */
export function mailboxOf(recipient: string): string {
  return recipient.slice(recipient.indexOf('<') + 1, recipient.lastIndexOf('>')).toLowerCase();
}

function isStranger(works: Works, slot: number, nowSec: number): boolean {
  const { sessions, reputation } = works;
  return (
    !sessions.has(slot, Flag.KnownByPool) && !isGoodHost(reputation, sessions.reputations[slot]!, nowSec)
  );
}

/** Whether the recipient that an argument names (`TO:<…> …`) is a configured trap; a stranger is caught in it. */
export function springsTrap(works: Works, slot: number, recipient: string): boolean {
  const { traps, config } = works;
  if (traps.recipients.size === 0 || !traps.recipients.has(mailboxOf(recipient))) return false;
  works.counters.add(Count.trapsSprung);
  const nowSec = epochSec(works);
  if (isStranger(works, slot, nowSec)) catchClient(works, slot, nowSec);
  if (config.mode === 'enforce') return true;
  works.would.refuse(slot, Why.trap);
  return false;
}

function catchClient(works: Works, slot: number, nowSec: number): void {
  const { sessions, reputation, config } = works;
  note(works, slot, 'trapped');
  const index = sessions.reputations[slot]!;
  // An operator's word on the client stands.
  if (index >= 0 && reputation.markOf(index, nowSec) === Mark.None)
    reputation.mark(index, Mark.Trap, nowSec + Math.ceil(config.traps.trapTtlMs / 1000));
  sessions.clear(slot, Flag.Passed);
  slowInFull(works, slot, Why.trap);
}

/** The backend does not know a name that a client asked for: one more network for it, or a trap that was learnt. */
export function learnTrap(works: Works, slot: number, recipient: string): void {
  const { sessions, reputation, config, counters } = works;
  if (!config.traps.learn) return;
  const nowSec = epochSec(works);
  if (!isStranger(works, slot, nowSec)) return;
  works.names.networkKey(sessions.addresses, slot * 4, key);
  const network = (key[0]! ^ Math.imul(key[1]!, 0x9e3779b1)) | 1;
  textKey(mailboxOf(recipient), key);
  const index = reputation.claim(Kind.Tuple, key, nowSec);
  if (index < 0) return;
  if (reputation.markOf(index, nowSec) === Mark.Trap) {
    counters.add(Count.trapsSprung);
    return catchClient(works, slot, nowSec);
  }
  for (let place = 0; place < NETWORKS_KEPT; place++) {
    const kept = reputation.passUntilSecOf(index, place) | 0;
    if (kept === network) return;
    if (kept === 0) return reputation.pass(index, 1 << place, network);
  }
  reputation.mark(index, Mark.Trap, nowSec + LEARNED_TTL_SEC);
  counters.add(Count.trapsLearned);
}

/** The backend knows a name: it is no trap. */
export function unlearnTrap(works: Works, recipient: string): void {
  if (!works.config.traps.learn) return;
  textKey(mailboxOf(recipient), key);
  const index = works.reputation.find(Kind.Tuple, key);
  if (index >= 0) works.reputation.forget(index);
}

/** The client came to one of our addresses; the one with the lowest priority is no place to begin. */
export function noteLowPriority(works: Works, slot: number): void {
  const { sessions, reputation, front, traps } = works;
  if (traps.lowPriority.size === 0 || works.nowMs - works.startMs < UNKNOWING_MS) return;
  if (
    !parseAddress(front.localAddress(sessions.handleOf(slot)), local, 0) ||
    !traps.lowPriority.has(local, 0)
  )
    return;
  const index = sessions.reputations[slot]!;
  const nowSec = epochSec(works);
  if (index < 0 || reputation.firstSecOf(index) !== nowSec || sessions.has(slot, Flag.Passed)) return;
  works.counters.add(Count.lowPriorityFirst);
  note(works, slot, 'lowPriorityFirst');
}
