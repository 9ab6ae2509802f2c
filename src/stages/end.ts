/**
 * end — the only way out
 *
 * Every session ends here, whoever is to blame: a reason is set once (the first one stands), the stream is
 * closed, and when it is gone the session is counted, learnt from and written down in one line.
 *
 * A session whose message may have reached the backend outlives its stream: the row stays until the backend
 * has answered, so that the log says what became of the message.
 */
import { newKey } from '../reputation/keys.ts';
import { Count } from '../session/counters.ts';
import type { EndingName } from '../session/endings.ts';
import { endingNames, endingNumber, endingTable, NO_ENDING } from '../session/endings.ts';
import { Phase, stageNames } from '../session/phase.ts';
import { SeatClass } from '../session/seats.ts';
import { Flag } from '../session/sessions.ts';
import { limitNames } from '../policy/limits.ts';
import { paceNames } from '../policy/pace.ts';
import { wouldNames } from '../policy/would-reasons.ts';
import { Standing } from '../smtp/dialogue.ts';
import { forgetEnvelope } from './forget.ts';
import { noteLeaving } from './leave.ts';
import { isObserving, wouldConclude } from './observe.ts';
import { note, reasonsOf } from './learn.ts';
import type { Works } from './works.ts';

/** A client that does not close after the last reply is waited for this long. */
const LINGER_MS = 5_000;

/** One that is shed is not waited for much longer than its last reply takes. */
const SHED_LINGER_MS = 1_000;

const key = newKey();

const QUIT = endingNumber('quit');
const SHED_FIRST = endingNumber('shedClassified');
const SHED_LAST = endingNumber('sessionsFull');

/** Says a last reply at once and closes. */
export function dismiss(works: Works, slot: number, ending: EndingName, lastReply: Uint8Array): void {
  const phase = works.sessions.phaseOf(slot);
  if (phase === Phase.Greeting || phase === Phase.Owing) endDrippingLine(works, slot);
  works.outbox.put(lastReply);
  setEnding(works, slot, ending);
  works.sessions.enter(slot, Phase.Closing);
}

/** What drips may stand in the middle of a line: what is said next begins a line of its own. */
function endDrippingLine(works: Works, slot: number): void {
  const { sessions, greetings, outbox } = works;
  const phase = sessions.phaseOf(slot);
  const dripping = phase === Phase.Greeting ? greetings.teaser : sessions.owed[slot]!;
  const dripped = sessions.dripped[slot]!;
  if (dripped > 0 && dripped < dripping.length) outbox.put(dripping.subarray(dripped));
}

/** Closes behind what was said already: the client is gone or does not read. */
export function cut(works: Works, slot: number, ending: EndingName): void {
  setEnding(works, slot, ending);
  works.sessions.enter(slot, Phase.Closing);
  forgetEnvelope(works, slot);
  works.wheel.cancel(slot);
  // A client that has finished sending may still read: the shard writes its words and ends the stream behind them.
  if (works.outbox.isEmpty) works.front.abort(works.sessions.handleOf(slot));
}

/** The last reply was written: the stream ends behind it. */
export function finish(works: Works, slot: number): void {
  const { sessions, front, wheel } = works;
  forgetEnvelope(works, slot);
  const ending = sessions.endings[slot]!;
  // Who is shed for its slot gets no more of it than the last reply needs.
  const isShed = ending >= SHED_FIRST && ending <= SHED_LAST;
  front.end(sessions.handleOf(slot), isShed || ending === QUIT);
  wheel.arm(slot, works.nowMs + (isShed ? SHED_LINGER_MS : LINGER_MS));
}

/** Names the ending, if none is named yet. */
export function setEnding(works: Works, slot: number, ending: EndingName): void {
  const { sessions } = works;
  if (sessions.endings[slot] !== NO_ENDING) return;
  sessions.endings[slot] = endingNumber(ending);
  sessions.endPhases[slot] = sessions.phaseOf(slot);
}

/** How a client that went by itself ended its session, by what was going on. */
export function leavingOf(works: Works, slot: number): EndingName {
  const { sessions } = works;
  switch (sessions.phaseOf(slot)) {
    case Phase.Greeting:
      return 'leftGreeting';
    case Phase.Owing:
    case Phase.Verifying:
      return 'leftWaiting';
    case Phase.Receiving:
      return 'leftMessage';
    case Phase.Holding:
      return 'leftHold';
    case Phase.Delivering:
      return 'leftDelivery';
    case Phase.Handshaking:
      return 'tlsFailed';
    default:
      return sessions.standings[slot]! >= Standing.Mail ? 'leftEnvelope' : 'hangup';
  }
}

/** The stream is gone. The row goes too, unless the backend still has to say what became of a message. */
export function streamGone(works: Works, slot: number): void {
  const { sessions, lanes } = works;
  setEnding(works, slot, leavingOf(works, slot));
  sessions.set(slot, Flag.StreamGone);
  if (sessions.phaseOf(slot) === Phase.Delivering && lanes.isCommitted(slot)) {
    works.wheel.cancel(slot);
    return;
  }
  bury(works, slot);
}

/** Counts, learns, writes the line, gives the row back. */
export function bury(works: Works, slot: number): void {
  const { sessions, counters, wheel, front, reputation } = works;
  forgetEnvelope(works, slot);
  wheel.cancel(slot);
  const ending = endingNames[sessions.endings[slot]!]!;
  const { signal } = endingTable[ending];
  if (signal !== null) note(works, slot, signal);
  counters.addEnding(sessions.endings[slot]!);
  counters.add(Count.sessionsClosed);
  if (sessions.has(slot, Flag.Handshaking)) {
    works.handshakes -= 1;
    counters.add(Count.tlsFailed);
  }
  noteLeaving(works, slot, ending);
  writeDown(works, slot, ending);
  if (sessions.reputations[slot]! >= 0) reputation.closed(sessions.reputations[slot]!);
  if (sessions.networks[slot]! >= 0) reputation.closed(sessions.networks[slot]!);
  if (sessions.pools[slot]! >= 0) reputation.closed(sessions.pools[slot]!);
  const handle = sessions.handleOf(slot);
  works.seats.put(slot, SeatClass.None);
  sessions.close(slot);
  front.release(handle);
}

/** What the client is called in the log. Its key stands in the entry that its session holds. */
function nameOfClient(works: Works, slot: number): string {
  const { sessions, reputation, names } = works;
  const index = sessions.reputations[slot]!;
  const hasKey = index >= 0 && reputation.keyOf(index, key) !== 0;
  return names.clientName(sessions.clients[slot]!, sessions.addresses, slot * 4, key, hasKey);
}

/** Words of others as they may be shown: HELO, or what a DNS list says, may name by its address who must not be named so. */
function shown(client: string, name: string, words: string): string {
  return name === client ? words : words.replaceAll(client, name);
}

function writeDown(works: Works, slot: number, ending: EndingName): void {
  const { sessions, report, front } = works;
  const handle = sessions.handleOf(slot);
  report.id = works.idPrefix + sessions.serials[slot]!.toString(36);
  report.epochMs = works.epochMs + works.nowMs;
  report.client = nameOfClient(works, slot);
  report.port = front.remotePort(handle);
  report.listener = works.listeners[front.listenerOf(handle)] ?? '';
  report.helo = shown(sessions.clients[slot]!, report.client, sessions.helos[slot]!);
  report.tls = front.tlsOf(handle);
  report.ending = ending;
  report.reasons = reasonsOf(works, slot);
  report.score = sessions.scores[slot]!;
  report.stage = stageNames[sessions.endPhases[slot]!]!;
  report.pace = paceNames[sessions.paces[slot]!]!;
  report.bytesIn = sessions.bytesIn[slot]!;
  report.bytesOut = sessions.bytesOut[slot]!;
  report.delayMs = sessions.delaysMs[slot]!;
  report.durationMs = Math.round(works.nowMs - sessions.openedMs[slot]!);
  report.recipientsOk = sessions.recipientsOk[slot]!;
  report.recipientsBad = sessions.recipientsBad[slot]!;
  report.messages = sessions.messages[slot]!;
  report.backendMs = sessions.backendMs[slot]!;
  report.limit = limitNames[sessions.limits[slot]!]!;
  report.dnsxl = sessions.dnsZones[slot]!;
  report.dnsxlReason = shown(sessions.clients[slot]!, report.client, sessions.dnsReasons[slot]!);
  if (isObserving(works)) tellWould(works, slot);
  works.journal.ended(report);
}

function tellWould(works: Works, slot: number): void {
  const { report, would } = works;
  wouldConclude(works, slot);
  report.isObserved = true;
  report.wouldPace = paceNames[would.paces[slot]!]!;
  report.wouldReason = wouldNames[would.reasons[slot]!]!;
  report.wouldEnding = wouldNames[would.endings[slot]!]!;
  report.wouldDelayMs = would.delaysMs[slot]!;
}
