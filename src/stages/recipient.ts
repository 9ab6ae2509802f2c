/**
 * recipient — each recipient is the backend's to accept, at the moment it is named
 *
 * A client that has failed a test hears a refusal and the backend hears nothing, but of those who hear everybody (always). A client that has come this far
 * without failing has passed: from here on it is known, in this session and the next. Its recipient goes to a
 * lane and the backend's own reply comes back; a name that the backend has just called unknown, or known (recipients), is answered from
 * memory.
 *
 * With `backend.verify_recipients = "late"` the backend is asked together with the message. The answer to a
 * message is one for all its recipients, so a message then has one recipient: the second hears 452, and an
 * honest sender gives it a message of its own.
 *
 * In: phase Listening, from converse.   Out: Verifying, then Listening (or Owing, when the reply is to wait).
 */
import { Job } from '../backend/lane-host.ts';
import { Outcome } from '../backend/outcomes.ts';
import { Pace } from '../policy/pace.ts';
import { Timer } from '../policy/patience.ts';
import { Count } from '../session/counters.ts';
import { Phase } from '../session/phase.ts';
import { Flag } from '../session/sessions.ts';
import { Standing } from '../smtp/dialogue.ts';
import { isAlwaysHeard, isBarelyHeard, weighDomain } from './always.ts';
import { dismiss } from './end.ts';
import { mustComeAgain } from './greylist.ts';
import { misleads } from './feedback.ts';
import { harvestDelayMs } from './harvest.ts';
import { note, passTests } from './learn.ts';
import { refusalOf } from './listed.ts';
import { isObserving, wouldJudge } from './observe.ts';
import { isPreferred } from './seat.ts';
import { hearBackend } from './shed.ts';
import { excessReplyMs, say, sayAfter } from './speak.ts';
import { learnTrap, springsTrap, unlearnTrap } from './traps.ts';
import type { Works } from './works.ts';

/** Decides about the recipient `argument` (`TO:<…> …`), at once or by asking the backend. */
export function judgeRecipient(works: Works, slot: number, argument: string): void {
  const { sessions, config, replies, counters } = works;
  const envelope = sessions.envelopes[slot]!;
  if (isObserving(works) && !isAlwaysHeard(works, argument)) wouldJudge(works, slot);
  if (!isBarelyHeard(works, slot)) passTests(works, slot);
  else if (isAlwaysHeard(works, argument)) counters.add(Count.recipientsAlways);
  else return refuseClient(works, slot);
  if (envelope.recipients.length >= config.smtp.recipientsMax) {
    return say(works, slot, replies.tooManyRecipients, Timer.None, Phase.Listening);
  }
  sessions.backendSinceMs[slot] = works.nowMs;
  if (springsTrap(works, slot, argument)) {
    counters.add(Count.recipientsBad);
    return refuseRecipient(works, slot, replies.noSuchUser);
  }
  if (misleads(works, slot, argument)) return refuseRecipient(works, slot, replies.noSuchUser);
  if (mustComeAgain(works, slot, argument)) return refuseRecipient(works, slot, replies.greylisted);
  const remembered = works.recipients.refusalFor(argument, works.nowMs);
  if (remembered !== null) {
    counters.add(Count.recipientsCached);
    note(works, slot, 'unknownRecipient');
    learnTrap(works, slot, argument);
    return refuseRecipient(works, slot, remembered);
  }
  envelope.candidate = argument;
  if (config.backend.verifyRecipients === 'late') return acceptUnheard(works, slot);
  // Who is slow is asked about each time: what is refused at RCPT spares the backend the message.
  const promised = works.recipients.acceptanceFor(argument, works.nowMs);
  if (promised !== null && sessions.paces[slot] !== Pace.Slow) {
    counters.add(Count.recipientsPromised);
    envelope.recipients.push(argument);
    return accepted(works, slot, promised);
  }
  sessions.enter(slot, Phase.Verifying);
  works.wheel.arm(slot, works.nowMs + config.backend.waitMaxMs);
  works.lanes.request(slot, Job.Verify, isPreferred(works, slot), works.nowMs);
  return undefined;
}

/** The backend has judged, or could not be asked. */
export function recipientJudged(works: Works, slot: number): void {
  const { sessions, lanes, counters } = works;
  const envelope = sessions.envelopes[slot]!;
  hearBackend(works, slot);
  sessions.backendMs[slot]! += works.nowMs - sessions.backendSinceMs[slot]!;
  const code = lanes.outcomes.codeOf(slot);
  const reply = lanes.outcomes.replyOf(slot);
  // A slow client will not be back for seconds: the lane is for others meanwhile.
  if (sessions.paces[slot] === Pace.Slow || excessReplyMs(works, slot, Timer.Rcpt) > 0)
    lanes.release(slot, works.nowMs);
  if (lanes.outcomes.kindOf(slot) !== Outcome.Answered) {
    return say(works, slot, reply, Timer.Rcpt, Phase.Listening);
  }
  if (code < 300) {
    envelope.recipients.push(envelope.candidate);
    works.recipients.learn(envelope.candidate, code, reply, works.nowMs);
    unlearnTrap(works, envelope.candidate);
    return accepted(works, slot, reply);
  }
  counters.add(Count.recipientsBad);
  if (works.recipients.learn(envelope.candidate, code, reply, works.nowMs))
    learnTrap(works, slot, envelope.candidate);
  if (code >= 500) note(works, slot, 'unknownRecipient');
  return refuseRecipient(works, slot, reply);
}

/** Nobody had a lane to spare in time; or one lane after another took too long for the client's own timer. */
export function noLaneInTime(works: Works, slot: number): void {
  const { sessions, lanes, replies, config } = works;
  const { waitMaxMs, connectTimeoutMs, replyTimeoutMs } = config.backend;
  const lastMs = sessions.backendSinceMs[slot]! + waitMaxMs + connectTimeoutMs + replyTimeoutMs;
  if (!lanes.isWaiting(slot) && works.nowMs < lastMs) {
    works.wheel.arm(slot, lastMs);
    return;
  }
  lanes.release(slot, works.nowMs);
  hearBackend(works, slot);
  sessions.backendMs[slot]! += works.nowMs - sessions.backendSinceMs[slot]!;
  say(works, slot, replies.backendBusy, Timer.None, Phase.Listening);
}

function acceptUnheard(works: Works, slot: number): void {
  const envelope = works.sessions.envelopes[slot]!;
  if (envelope.recipients.length > 0)
    return say(works, slot, works.replies.oneRecipient, Timer.None, Phase.Listening);
  envelope.recipients.push(envelope.candidate);
  return accepted(works, slot, works.replies.rcptOk);
}

function accepted(works: Works, slot: number, reply: Uint8Array): void {
  const { sessions, counters } = works;
  counters.add(Count.recipientsOk);
  sessions.bump(sessions.recipientsOk, slot);
  sessions.standings[slot] = Standing.Rcpt;
  weighDomain(works, sessions.envelopes[slot]!, sessions.envelopes[slot]!.candidate);
  return answer(works, slot, reply);
}

/** Every recipient of the client is refused, whoever it is. */
function refuseClient(works: Works, slot: number): void {
  if (works.sessions.has(slot, Flag.RefuseRecipients)) {
    works.counters.add(Count.recipientsScreened);
    return refuseRecipient(works, slot, works.replies.protocolRefuse);
  }
  works.counters.add(Count.recipientsListed);
  return refuseRecipient(works, slot, refusalOf(works, slot));
}

function refuseRecipient(works: Works, slot: number, reply: Uint8Array): void {
  const { sessions, config, replies } = works;
  sessions.bump(sessions.recipientsBad, slot);
  if (sessions.bump(sessions.errors, slot) >= config.smtp.errorsMax) {
    return dismiss(works, slot, 'errorLimit', replies.errorLimit);
  }
  return answer(works, slot, reply);
}

/** Says yes or no; to a harvester both at the same time after the recipient was named. */
function answer(works: Works, slot: number, reply: Uint8Array): void {
  const dueMs = harvestDelayMs(works, slot);
  const leastMs = Math.max(0, works.sessions.backendSinceMs[slot]! + dueMs - works.nowMs);
  if (leastMs > 0 && !isObserving(works)) works.counters.add(Count.harvestSlowed);
  return sayAfter(works, slot, reply, Timer.Rcpt, Phase.Listening, leastMs);
}
