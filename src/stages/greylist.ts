/**
 * greylist — the first try of a stranger hears "come again"
 *
 * Off unless asked for. A real mail server keeps what it could not deliver and tries again after some minutes; most
 * bots do not. What is remembered of a try is the client's network, the sender and the recipient, not the address:
 * a provider that sends the second try from a neighbour of the first is believed, and once one try of a network came
 * back in time, no other of it has to for `greylist.keep`. A client of good standing, by itself or by its pool, is
 * never asked.
 *
 * A try is an entry of the shared table (Kind.Tuple): its first word of passes says until when its network is
 * known, the second when the first try was. A set that is full of more useful things, or a memory that was lost, means
 * that mail goes through.
 *
 * In: a recipient that would now be asked for at the backend.   Out: true when the client was told to come again.
 */
import { Why } from '../policy/would-reasons.ts';
import { Kind, newKey, textKey } from '../reputation/keys.ts';
import { isGoodHost } from '../reputation/standing.ts';
import { Count } from '../session/counters.ts';
import { Flag } from '../session/sessions.ts';
import type { Works } from './works.ts';
import { epochSec } from './works.ts';

/** The bits of the two words of a try. */
const KNOWN = 1;
const FIRST_TRY = 2;
const KNOWN_PLACE = 0;
const FIRST_TRY_PLACE = 1;

const key = newKey();

/** Whether the client must come again for the recipient that its argument names (`TO:<…> …`). */
export function mustComeAgain(works: Works, slot: number, recipient: string): boolean {
  const { sessions, reputation, config, counters } = works;
  if (!config.greylist.enabled || sessions.has(slot, Flag.KnownByPool)) return false;
  const nowSec = epochSec(works);
  if (isGoodHost(reputation, sessions.reputations[slot]!, nowSec)) return false;
  works.names.networkKey(sessions.addresses, slot * 4, key);
  const network = `${key[0]},${key[1]}`;
  if (isKnownNetwork(works, network, nowSec)) return false;
  const { sender } = sessions.envelopes[slot]!;
  textKey(`${network}\n${sender}\n${recipient.slice(0, recipient.lastIndexOf('>') + 1)}`.toLowerCase(), key);
  const index = reputation.claim(Kind.Tuple, key, nowSec);
  if (index < 0) return false;
  const firstSec = reputation.passUntilSecOf(index, FIRST_TRY_PLACE);
  const ageSec = nowSec - firstSec;
  const isRetry = firstSec !== 0 && ageSec * 1000 >= config.greylist.delayMs;
  if (isRetry && ageSec * 1000 <= config.greylist.retryMaxMs) {
    counters.add(Count.greylistPassed);
    makeKnown(works, network, nowSec);
    return false;
  }
  if (firstSec === 0 || isRetry) reputation.pass(index, FIRST_TRY, nowSec);
  counters.add(Count.greylisted);
  if (config.mode === 'enforce') return true;
  works.would.refuse(slot, Why.greylist);
  return false;
}

/** Whether a try of this network came back in time before; if so, that holds for longer again. */
function isKnownNetwork(works: Works, network: string, nowSec: number): boolean {
  const { reputation } = works;
  textKey(network, key);
  const index = reputation.find(Kind.Tuple, key);
  if (index < 0 || reputation.passUntilSecOf(index, KNOWN_PLACE) <= nowSec) return false;
  makeKnown(works, network, nowSec);
  return true;
}

function makeKnown(works: Works, network: string, nowSec: number): void {
  const { reputation, config } = works;
  textKey(network, key);
  const index = reputation.claim(Kind.Tuple, key, nowSec);
  if (index >= 0) reputation.pass(index, KNOWN, nowSec + Math.floor(config.greylist.keepMs / 1000));
}
