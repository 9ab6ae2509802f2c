/**
 * chunk — a message in parts, each as long as BDAT says (RFC 3030)
 *
 * CHUNKING is Sluice's own affair: the parts are collected in the spool as if they had come by DATA (smtp/bdat), and the
 * backend, which need not know of it, gets the whole message by DATA behind LAST, however large it is: none is streamed (stream).
 * What else holds for a message by DATA holds here: the pace of a slow body, the limits of size and time, the hold before the
 * backend, whose own reply is the answer to LAST.
 * A 250 to a part before LAST says that the part came, and promises nothing.
 *
 * Octets are counted exactly. Where a part cannot be taken (no recipient, too big, bare newlines, no room) its octets are read
 * and thrown away before the reply, since a client may send them without waiting. The message is lost then: every further
 * part of it hears the same, until LAST, RSET or EHLO. Only when it cannot be told how many octets follow the session ends.
 *
 * Parts of `FREE_OCTETS` and more do not count as commands, since an honest large message may come in thousands of them.
 *
 * In: phase Listening with BDAT in hand.   Out: Receiving with Flag.InChunk, then Listening, or what deliver makes of the message.
 */
import { Action, Pace } from '../policy/pace.ts';
import { Timer } from '../policy/patience.ts';
import { Why } from '../policy/would-reasons.ts';
import { Count } from '../session/counters.ts';
import { Phase } from '../session/phase.ts';
import { Flag } from '../session/sessions.ts';
import type { ChunkState } from '../smtp/bdat.ts';
import { lawFor, Standing } from '../smtp/dialogue.ts';
import type { ReplyName } from '../smtp/replies.ts';
import { classOf } from '../smtp/replies.ts';
import { Verb } from '../smtp/verbs.ts';
import { isMessageRefused } from './always.ts';
import { bytesToRead, isFarTooBig, narrowIfSlow } from './body.ts';
import { received } from './deliver.ts';
import { cut, dismiss } from './end.ts';
import { forgetEnvelope } from './forget.ts';
import { failTest } from './learn.ts';
import { refusalOf } from './listed.ts';
import { isObserving } from './observe.ts';
import { refuse } from './refuse.ts';
import { say } from './speak.ts';
import type { Works } from './works.ts';

const FREE_OCTETS = 1_024;

/** BDAT with the argument bytes[start … end): what follows is a part of the message, to be kept or thrown away. */
export function startChunk(works: Works, slot: number, bytes: Uint8Array, start: number, end: number): void {
  const { sessions, config, replies, chunks } = works;
  if (!config.smtp.chunking || !sessions.has(slot, Flag.Esmtp))
    return dismiss(works, slot, 'unofferedBdat', replies.bdat);
  if (!chunks.read(bytes, start, end)) return dismiss(works, slot, 'badChunk', replies.badChunk);
  const { octets, isLast } = chunks;
  const envelope = sessions.envelopes[slot] ?? null;
  const isKept = refusalByLaw(works, slot) === null;
  const soFar = isKept ? envelope!.bodyBytes : 0;
  if (isFarTooBig(works, soFar + octets, isKept ? envelope!.refusal : replies.noRecipients))
    return dismiss(works, slot, 'messageTooBig', replies.messageFarTooBig);
  if (octets >= FREE_OCTETS) sessions.commands[slot]! -= 1;
  sessions.chunkOctets[slot] = octets;
  sessions.set(slot, Flag.InChunk);
  sessions.enter(slot, Phase.Receiving);
  works.wheel.arm(slot, works.nowMs + config.smtp.dataBlockTimeMs);
  if (!isKept) return undefined;
  if (sessions.standings[slot] !== Standing.Chunks) beginMessage(works, slot);
  envelope!.isLastChunk = isLast;
  armTimer(works, slot);
  if (envelope!.refusal !== null) return undefined;
  const { sizeMaxBytes } = works.greetings;
  if (isMessageRefused(works, slot)) loseMessage(works, slot, refusalOf(works, slot));
  else if (sizeMaxBytes > 0 && soFar + octets > sizeMaxBytes) loseMessage(works, slot, replies.messageTooBig);
  return undefined;
}

/** Takes what has arrived of a chunk; true when the session may go on at once. */
export function receiveChunk(works: Works, slot: number): boolean {
  const { sessions, front, spool } = works;
  const left = sessions.chunkOctets[slot]!;
  if (left === 0) return endChunk(works, slot);
  const handle = sessions.handleOf(slot);
  const isMessage = sessions.standings[slot] === Standing.Chunks;
  const envelope = sessions.envelopes[slot]!;
  if (isMessage && envelope.refusal === null && spool.isBehind(slot)) return false;
  const bytes = front.peek(handle);
  const waiting = Math.min(bytes.length, left);
  const isPaced = isMessage && sessions.paces[slot] === Pace.Slow;
  const due = isPaced ? bytesToRead(works, slot, waiting) : waiting;
  if (due < 0) return false;
  if (due === 0) {
    if (sessions.has(slot, Flag.PeerEnded)) cut(works, slot, 'leftMessage');
    return false;
  }
  sessions.bytesIn[slot]! += due;
  sessions.chunkOctets[slot] = left - due;
  if (isMessage) {
    envelope.bodyBytes += due;
    keep(works, slot, bytes, due);
  }
  front.consume(handle, due);
  if (left === due) return endChunk(works, slot);
  // The time for octets that are thrown away without an envelope began with the command.
  if (!isMessage) return due < bytes.length || sessions.has(slot, Flag.PeerEnded);
  if (isFarTooBig(works, envelope.bodyBytes, envelope.refusal)) {
    dismiss(works, slot, 'messageTooBig', works.replies.messageFarTooBig);
    return false;
  }
  armTimer(works, slot);
  return due < bytes.length || sessions.has(slot, Flag.PeerEnded);
}

/** Why BDAT is out of order, or null. */
function refusalByLaw({ sessions }: Works, slot: number): ReplyName | null {
  return lawFor(sessions.standings[slot] as Standing, Verb.Bdat).reply;
}

function beginMessage(works: Works, slot: number): void {
  const { sessions, spool } = works;
  spool.begin(slot);
  sessions.standings[slot] = Standing.Chunks;
  sessions.envelopes[slot]!.bodySinceMs = works.nowMs;
  sessions.bodyStates[slot] = 0;
  sessions.bodyDueMs[slot] = 0;
  narrowIfSlow(works, slot);
}

function armTimer(works: Works, slot: number): void {
  const { dataBlockTimeMs, messageTimeMs } = works.config.smtp;
  const { bodySinceMs } = works.sessions.envelopes[slot]!;
  works.wheel.arm(slot, Math.min(works.nowMs + dataBlockTimeMs, bodySinceMs + messageTimeMs));
}

/** Puts a piece into the spool, or finds the reason why the message is lost. */
function keep(works: Works, slot: number, bytes: Uint8Array, length: number): void {
  const { sessions, stuffer } = works;
  if (sessions.envelopes[slot]!.refusal !== null) return;
  const piece = stuffer.stuff(bytes, length, sessions.bodyStates[slot] as ChunkState);
  sessions.bodyStates[slot] = stuffer.state;
  spoolPiece(works, slot, piece);
}

function spoolPiece(works: Works, slot: number, piece: Uint8Array): void {
  const { config, spool, stuffer, replies, counters } = works;
  const isRejected = stuffer.odd && config.smtp.bareNewline === 'reject';
  if (isRejected && isObserving(works)) works.would.refuse(slot, Why.bodyNewline);
  if (isRejected && !isObserving(works)) {
    loseMessage(works, slot, replies.bodyNewline);
  } else if (piece.length > 0 && !spool.append(slot, piece)) {
    counters.add(Count.spoolFull);
    loseMessage(works, slot, replies.spoolFull);
  }
}

/** The message cannot be taken any more; `reply` is said behind each chunk of it. */
function loseMessage(works: Works, slot: number, reply: Uint8Array): void {
  works.sessions.envelopes[slot]!.refusal = reply;
  works.spool.discard(slot);
  works.counters.add(classOf(reply) === 4 ? Count.messagesDeferred : Count.messagesRefused);
}

/** All octets are there. */
function endChunk(works: Works, slot: number): boolean {
  const { sessions, replies, stuffer } = works;
  works.counters.add(Count.chunks);
  sessions.clear(slot, Flag.InChunk);
  const outOfOrder = refusalByLaw(works, slot);
  if (outOfOrder !== null) {
    refuse(works, slot, outOfOrder);
    return sessions.phaseOf(slot) === Phase.Listening;
  }
  const envelope = sessions.envelopes[slot]!;
  const { isLastChunk } = envelope;
  if (isLastChunk && envelope.refusal === null)
    spoolPiece(works, slot, stuffer.end(sessions.bodyStates[slot] as ChunkState));
  const { refusal } = envelope;
  if (isLastChunk && refusal === null) {
    received(works, slot);
    return true;
  }
  if (isLastChunk) forgetEnvelope(works, slot);
  say(works, slot, refusal ?? replies.chunkOk, Timer.None, Phase.Listening);
  return isLastChunk || !speaksAhead(works, slot);
}

/** More came than was announced, and nobody has said that this may be: true when the session is over. */
function speaksAhead(works: Works, slot: number): boolean {
  const { sessions, front, replies } = works;
  if (sessions.has(slot, Flag.PipeliningOffered)) return false;
  if (front.peek(sessions.handleOf(slot)).length === 0) return false;
  if (failTest(works, slot, 'pipelining') !== Action.Drop) return false;
  dismiss(works, slot, 'pipelining', replies.protocolDrop);
  return true;
}
