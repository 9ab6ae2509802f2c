/**
 * speak — how every reply leaves: at once, or owed until its time has come
 *
 * The stages say what, this says when. A slow session's reply is owed for the delay that its plan and the
 * patience budget allow (policy/patience); the session then does nothing until the wheel calls, and enters the
 * phase that was named with the reply. What the client sends meanwhile waits in the transport.
 */
import { Count } from '../session/counters.ts';
import { Phase } from '../session/phase.ts';
import { Pace } from '../policy/pace.ts';
import type { Timer } from '../policy/patience.ts';
import { allowedDelayMs, plannedDelayMs } from '../policy/patience.ts';
import type { Works } from './works.ts';

/** Enters a phase in which the client is waited for; the time it has begins now. */
export function enter(works: Works, slot: number, next: Phase): void {
  const { smtp, tls } = works.config;
  works.sessions.enter(slot, next);
  if (next === Phase.Listening) works.wheel.arm(slot, works.nowMs + smtp.commandTimeMs);
  else if (next === Phase.Receiving) works.wheel.arm(slot, works.nowMs + smtp.dataBlockTimeMs);
  else if (next === Phase.Handshaking) works.wheel.arm(slot, works.nowMs + tls.handshakeTimeoutMs);
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
  const { sessions, config } = works;
  const slowMs = sessions.paces[slot] === Pace.Slow ? plannedDelayMs(config, timer) : 0;
  const plannedMs = Math.max(slowMs, leastMs);
  const delayMs = plannedMs > 0 ? allowedDelayMs(config, timer, plannedMs, sessions.delaysMs[slot]!) : 0;
  if (delayMs === 0) {
    works.outbox.put(reply);
    enter(works, slot, next);
    return;
  }
  charge(works, slot, delayMs);
  sessions.owed[slot] = reply;
  sessions.phasesAfter[slot] = next;
  sessions.enter(slot, Phase.Owing);
  works.wheel.arm(slot, works.nowMs + delayMs);
}

/** The time of an owed reply has come. */
export function pay(works: Works, slot: number): void {
  const { sessions } = works;
  const reply = sessions.owed[slot];
  sessions.owed[slot] = null;
  if (reply !== null && reply !== undefined) works.outbox.put(reply);
  enter(works, slot, sessions.phasesAfter[slot] as Phase);
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
