/**
 * speak — how every reply leaves: at once, or owed until its time has come
 *
 * The stages say what, this says when. The reply of a slow session, or of one that owes time because of a rate (limit), is
 * owed for the delay that its plan and the patience budget allow (policy/patience); the session then does nothing until
 * the wheel calls, and enters the phase that was named with the reply. A lane that rests with it is given back. What the client
 * sends meanwhile waits in the transport.
 */
import { replied } from '../families/dialect.ts';
import { Count } from '../session/counters.ts';
import { Phase } from '../session/phase.ts';
import { Flag } from '../session/sessions.ts';
import { Pace } from '../policy/pace.ts';
import { allowedDelayMs, Timer } from '../policy/patience.ts';
import { Level } from '../policy/stress.ts';
import { isObserving, wouldWait } from './observe.ts';
import { slowDelayMs } from './slow.ts';
import type { Works } from './works.ts';

/** Enters a phase in which the client is waited for; the time it has begins now. */
export function enter(works: Works, slot: number, next: Phase): void {
  const { smtp, tls } = works.config;
  works.sessions.enter(slot, next);
  if (next === Phase.Listening) works.wheel.arm(slot, works.nowMs + commandTimeMs(works, slot));
  else if (next === Phase.Receiving) works.wheel.arm(slot, works.nowMs + smtp.dataBlockTimeMs);
  else if (next === Phase.Handshaking) works.wheel.arm(slot, works.nowMs + tls.handshakeTimeoutMs);
}

/** How long the client may take for its next command: under stress less, unless it is of good standing. */
function commandTimeMs(works: Works, slot: number): number {
  const { smtp, stress, mode } = works.config;
  if (works.strain.stress.level === Level.Calm || mode === 'observe') return smtp.commandTimeMs;
  if (works.sessions.has(slot, Flag.GoodStanding)) return smtp.commandTimeMs;
  return Math.min(smtp.commandTimeMs, stress.commandTimeMs);
}

/** Says `reply` and goes on to the phase `next`, at once or after the delay that falls under `timer`. */
export function say(works: Works, slot: number, reply: Uint8Array, timer: Timer, next: Phase): void {
  sayAfter(works, slot, reply, timer, next, 0);
}

/** As `say`, but not before `leastMs` from now, as far as the patience budget allows. */
export function sayAfter(
  works: Works,
  slot: number,
  reply: Uint8Array,
  timer: Timer,
  next: Phase,
  leastMs: number,
): void {
  const { sessions } = works;
  if (isObserving(works)) {
    wouldWait(works, slot, timer, leastMs);
    return sayNow(works, slot, reply, next);
  }
  const pacedMs = pacedDelayMs(works, slot, timer, leastMs);
  const delayMs = Math.max(pacedMs, excessReplyMs(works, slot, timer));
  if (delayMs === 0) return sayNow(works, slot, reply, next);
  charge(works, slot, delayMs);
  if (delayMs > pacedMs) works.counters.add(Count.slowedByRate);
  sessions.owed[slot] = reply;
  sessions.phasesAfter[slot] = next;
  sessions.enter(slot, Phase.Owing);
  works.lanes.letGo(slot, works.nowMs);
  sessions.dripped[slot] = 0;
  sessions.dripSinceMs[slot] = works.nowMs + delayMs;
  const { dripReplies, dripIntervalMs } = works.config.shape;
  const firstMs = dripReplies && sessions.paces[slot] === Pace.Slow ? dripIntervalMs : delayMs;
  works.wheel.arm(slot, works.nowMs + Math.min(firstMs, delayMs));
  return undefined;
}

function sayNow(works: Works, slot: number, reply: Uint8Array, next: Phase): void {
  put(works, slot, reply);
  enter(works, slot, next);
}

/** A whole reply goes out: what the client does next may be an answer to it. */
function put(works: Works, slot: number, reply: Uint8Array): void {
  const { sessions } = works;
  works.outbox.put(reply);
  sessions.repliedMs[slot] = works.nowMs;
  sessions.dialects[slot] = replied(sessions.dialects[slot]!, reply[0]!);
}

function pacedDelayMs(works: Works, slot: number, timer: Timer, leastMs: number): number {
  const { sessions, config } = works;
  const slowMs = sessions.paces[slot] === Pace.Slow ? slowDelayMs(works, slot, timer) : 0;
  const plannedMs = Math.max(slowMs, leastMs);
  return plannedMs > 0 ? allowedDelayMs(config, timer, plannedMs, sessions.delaysMs[slot]!) : 0;
}

/**
 * What a rate near its limit still asks of the session, on the reply to MAIL or RCPT. The time for which the client waits
 * for that reply already, at the backend, is a part of it: it falls under the same timer.
 */
export function excessReplyMs(works: Works, slot: number, timer: Timer): number {
  const { sessions, config } = works;
  const spentMs = sessions.delaysMs[slot]!;
  const owedMs = sessions.excessDelaysMs[slot]! - spentMs;
  if (owedMs <= 0 || (timer !== Timer.Mail && timer !== Timer.Rcpt)) return 0;
  const waitedMs = Math.ceil(works.nowMs - sessions.askedMs[slot]!);
  return Math.max(0, allowedDelayMs(config, timer, owedMs, spentMs) - waitedMs);
}

/** The time of an owed reply has come, or that of its next drip. */
export function pay(works: Works, slot: number): void {
  const { sessions } = works;
  const reply = sessions.owed[slot]!;
  const dripped = sessions.dripped[slot]!;
  if (works.nowMs < sessions.dripSinceMs[slot]!) return dripReply(works, slot, reply, dripped);
  sessions.owed[slot] = null;
  put(works, slot, dripped === 0 ? reply : reply.subarray(dripped));
  enter(works, slot, sessions.phasesAfter[slot] as Phase);
}

/** Says what is due of an owed reply. The end of its last line comes with its time and not before. */
function dripReply(works: Works, slot: number, reply: Uint8Array, dripped: number): void {
  const { dripBytes, dripIntervalMs } = works.config.shape;
  const due = Math.min(dripped + dripBytes, reply.length - 2);
  if (due > dripped) {
    works.outbox.put(reply.subarray(dripped, due));
    works.sessions.dripped[slot] = due;
  }
  const nextMs = due === reply.length - 2 ? Infinity : works.nowMs + dripIntervalMs;
  works.wheel.arm(slot, Math.min(nextMs, works.sessions.dripSinceMs[slot]!));
}

/** Adds waiting time to what a session was made to spend. */
export function charge(works: Works, slot: number, delayMs: number): void {
  works.sessions.delaysMs[slot]! += delayMs;
  works.counters.addMany(Count.delay, delayMs);
}

/** Gives what was said to the transport; false when the client reads nothing and its buffer is full. */
export function flush(works: Works, slot: number): boolean {
  if (works.outbox.isEmpty) return true;
  const bytes = works.outbox.takeAll();
  works.sessions.bytesOut[slot]! += bytes.length;
  works.counters.addMany(Count.bytesOut, bytes.length);
  return works.front.write(works.sessions.handleOf(slot), bytes);
}
