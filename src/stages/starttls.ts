/**
 * starttls — from plaintext to TLS, and nothing is taken along (RFC 3207)
 *
 * The client asks, hears 220, and the transport does the handshake while the session waits in a phase of its own with a
 * timer of its own. Bytes behind STARTTLS are the sign of words that somebody put there to be obeyed inside TLS
 * (CVE-2011-0411): the session ends. What is under way at that moment becomes part of the handshake and breaks it
 * (transport). After the handshake EHLO, envelope and standing are forgotten; what the client was noted for, and
 * what it has passed, stays: it is the same client.
 *
 * STARTTLS is allowed at any point between commands, inside an envelope too, as Postfix has it: the envelope is forgotten.
 * Refusing it there would keep mail in plaintext that could be protected, and protect nobody.
 *
 * A handshake costs more work than a whole dialogue, and a client that begins one and says no more costs a place. So those
 * under way are bounded in each shard, and whoever comes then hears 454. No delay: a slow client waits elsewhere.
 *
 * In: phase Listening, from converse.   Out: Handshaking, then Listening; or Closing.
 */
import { Trait } from '../families/dialect.ts';
import { Timer } from '../policy/patience.ts';
import { Count } from '../session/counters.ts';
import { Phase } from '../session/phase.ts';
import { Flag } from '../session/sessions.ts';
import { Standing } from '../smtp/dialogue.ts';
import { cut, dismiss, leavingOf } from './end.ts';
import { forgetEnvelope } from './forget.ts';
import { tlsAllowed, tlsBegun } from './limit.ts';
import { note } from './learn.ts';
import { enter, say } from './speak.ts';
import type { Works } from './works.ts';

/** Whether STARTTLS is offered to this client now. */
export function offersTls(works: Works, slot: number): boolean {
  const { sessions, front, tlsListeners } = works;
  return (
    !sessions.has(slot, Flag.Secured) && tlsListeners[front.listenerOf(sessions.handleOf(slot))] === true
  );
}

/** STARTTLS where it is offered. `isAhead`: bytes stand behind the command although 220 was not said. */
export function startTls(works: Works, slot: number, isAhead: boolean): void {
  const { sessions, counters, replies } = works;
  if (isAhead) {
    note(works, slot, 'tlsInjection');
    return dismiss(works, slot, 'tlsInjection', replies.dataAhead);
  }
  if (sessions.has(slot, Flag.PeerEnded)) return cut(works, slot, leavingOf(works, slot));
  if (!tlsAllowed(works, slot)) {
    counters.add(Count.tlsRefused);
    return undefined;
  }
  const refusal = refusalFor(works);
  if (refusal !== null) {
    counters.add(Count.tlsRefused);
    return say(works, slot, refusal, Timer.None, Phase.Listening);
  }
  forgetEnvelope(works, slot);
  counters.add(Count.tlsStarted);
  sessions.set(slot, Flag.Handshaking);
  works.handshakes += 1;
  return say(works, slot, replies.startTls, Timer.None, Phase.Handshaking);
}

/** The reply to a client for whom there is no handshake to spare, or null. */
function refusalFor(works: Works): Uint8Array | null {
  return works.handshakes >= works.config.tls.handshakesMax ? works.replies.tlsBusy : null;
}

/** 220 has been written: the transport takes over. */
export function beginHandshake(works: Works, slot: number): void {
  const { sessions, front } = works;
  front.startTls(sessions.handleOf(slot));
}

/** The handshake is done: the client has to greet anew. */
export function secured(works: Works, slot: number): void {
  const { sessions, counters } = works;
  // It may have been given up a moment before.
  if (sessions.phaseOf(slot) !== Phase.Handshaking) return;
  works.handshakes -= 1;
  counters.add(Count.tlsDone);
  sessions.set(slot, Flag.Secured);
  sessions.dialects[slot]! |= Trait.Tls;
  sessions.clear(slot, Flag.Handshaking | Flag.Esmtp | Flag.PipeliningOffered | Flag.SkippingLine);
  sessions.standings[slot] = Standing.Fresh;
  sessions.scanned[slot] = 0;
  sessions.helos[slot] = '';
  if (tlsBegun(works, slot, !works.front.isTlsResumed(sessions.handleOf(slot))))
    enter(works, slot, Phase.Listening);
}
