/**
 * forget — the transaction of a session is over, however it ended
 *
 * The one place that resets sender, recipients, message and lane, called for RSET, EHLO, the end of a message,
 * and the end of the session. Half a reset is how one transaction leaks into the next, so there is no other.
 */
import { Flag } from '../session/sessions.ts';
import { Standing } from '../smtp/dialogue.ts';
import type { Works } from './works.ts';

/** Forgets the envelope and gives the lane back. */
export function forgetEnvelope(works: Works, slot: number): void {
  forgetMessage(works, slot);
  works.lanes.release(slot, works.nowMs);
}

/** Forgets the envelope; a lane that rests with this client may stay with it for its next message. */
export function forgetMessage(works: Works, slot: number): void {
  const { sessions, envelopes, spool } = works;
  spool.discard(slot);
  sessions.clear(slot, Flag.InChunk);
  const envelope = sessions.envelopes[slot];
  if (envelope !== null && envelope !== undefined) {
    sessions.envelopes[slot] = null;
    envelopes.give(envelope);
  }
  if (sessions.standings[slot]! > Standing.Greeted) sessions.standings[slot] = Standing.Greeted;
}
