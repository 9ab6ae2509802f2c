/**
 * stream — a large message goes to the backend while it still comes in
 *
 * When more than `spool.stream_from` of a message is there and its client is of good standing, a lane is asked for, says MAIL,
 * RCPT and DATA, and is given what the spool has; from then on client and backend are busy at the same time, and the
 * answer comes as soon as the last bytes are through. The spool keeps every byte until the backend has answered, and
 * holds back what came last until the message is whole and accepted (deliver): so the backend has no end of a message
 * that Sluice has not taken, and a stream may be given up at any moment at the cost of the work alone. What was given
 * up goes on into the spool, and is handed over from its start as any message is.
 *
 * A lane is scarce, a client's network is not always fast:
 * - A lane is had at once or not at all, and only while nobody waits for one, a quarter of them streams at most, and there is no stress.
 * - It is taken back from a client that sends nothing for `PAUSE_MS`, and when somebody waits, from one that has had it for
 *   `LEND_MS`: a short burst ahead of others is worth it, a slow transfer is not.
 * - A stranger never has one, nor a client about which DNS lists may still speak, nor one whose mail is or would be slowed.
 *
 * A message that comes by BDAT is kept whole: between two chunks the client may say what it likes, or nothing for minutes.
 *
 * Cost: a comparison for each piece of a small message; for each piece of a large one, one look at the lane.
 */
import { Job } from '../backend/lane-host.ts';
import { Pace } from '../policy/pace.ts';
import { Count } from '../session/counters.ts';
import { Streaming } from '../session/envelope.ts';
import { Flag } from '../session/sessions.ts';
import { isBarelyHeard } from './always.ts';
import { mayBeRefused } from './listed.ts';
import { isObserving } from './observe.ts';
import type { Works } from './works.ts';

/** A client that sends nothing for so long does not keep a lane. */
const PAUSE_MS = 1_500;
/** Somebody who waits for a lane leaves it this long to a message that still comes in. */
const LEND_MS = 2_000;

/** A piece of the message was kept: begins to stream, goes on, or gives up. */
export function stream(works: Works, slot: number): void {
  const { sessions, lanes, config } = works;
  const envelope = sessions.envelopes[slot]!;
  if (envelope.streaming === Streaming.Over || envelope.refusal !== null) return;
  if (envelope.streaming === Streaming.Not) {
    const { streamFromBytes } = config.spool;
    if (streamFromBytes === 0 || envelope.bodyBytes <= streamFromBytes) return;
    begin(works, slot);
    return;
  }
  const isTooLong = lanes.isWanted && works.nowMs - envelope.streamSinceMs >= LEND_MS;
  if (isTooLong || !lanes.isStreaming(slot) || !isWorthy(works, slot)) giveUpStream(works, slot);
  else lanes.pieceReady(slot, works.nowMs);
}

/** How long a client may send nothing before its time is up. */
export function quietMsMax(works: Works, slot: number): number {
  const { dataBlockTimeMs } = works.config.smtp;
  const isOn = works.sessions.envelopes[slot]!.streaming === Streaming.On;
  return isOn ? Math.min(PAUSE_MS, dataBlockTimeMs) : dataBlockTimeMs;
}

/** The time for sending nothing is up: a client that has a lane loses it, and this is what it has left; 0 for nothing. */
export function pauseStream(works: Works, slot: number): number {
  const { smtp } = works.config;
  const envelope = works.sessions.envelopes[slot];
  if (envelope?.streaming !== Streaming.On) return 0;
  const leftMs = smtp.dataBlockTimeMs - quietMsMax(works, slot);
  giveUpStream(works, slot);
  return Math.max(0, Math.min(leftMs, envelope.bodySinceMs + smtp.messageTimeMs - works.nowMs));
}

/** The lane is closed before the end of the message, which is handed over when it is whole. */
export function giveUpStream(works: Works, slot: number): void {
  if (endStream(works, slot)) works.counters.add(Count.streamsGivenUp);
}

/** The same for a message that is not to be handed over again; false when it was not on its way. */
export function endStream(works: Works, slot: number): boolean {
  const envelope = works.sessions.envelopes[slot]!;
  if (envelope.streaming !== Streaming.On) return false;
  envelope.streaming = Streaming.Over;
  works.lanes.release(slot, works.nowMs);
  return true;
}

function begin(works: Works, slot: number): void {
  const { sessions, lanes, counters } = works;
  const envelope = sessions.envelopes[slot]!;
  if (mayBeRefused(works, slot)) return;
  envelope.streaming = Streaming.Over;
  if (!isWorthy(works, slot) || !lanes.mayStream) return;
  lanes.request(slot, Job.Stream, true, works.nowMs);
  if (!lanes.isStreaming(slot)) return;
  envelope.streaming = Streaming.On;
  envelope.streamSinceMs = works.nowMs;
  counters.add(Count.streamed);
}

/** Whether the client has earned it, and its message goes to the backend as soon as it is whole. */
function isWorthy(works: Works, slot: number): boolean {
  const { sessions, would } = works;
  if (!sessions.has(slot, Flag.GoodStanding) || sessions.paces[slot] !== Pace.Instant) return false;
  if (isBarelyHeard(works, slot)) return false;
  return !isObserving(works) || would.scales[slot] === 0;
}
