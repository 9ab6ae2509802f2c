/**
 * banner — the greeting, and who cannot wait for the end of it
 *
 * A client that follows RFC 5321 is silent until it has read the whole greeting. An unknown one gets the first
 * line (`220-…`) and then silence for `screen.greet_wait` (under stress `stress.greet_wait`); the last line lets it speak. A slow one gets the
 * first line in drips of `shape.drip_bytes`, and the last one after its planned delay. Whoever is known gets
 * the single line at once. A rate near its limit (limit) makes the silence longer, whoever it is. Bytes from the
 * client before the last line are a pregreet.
 *
 * In: phase Greeting, set by admit.   Out: phase Listening, or dismissed.
 * Cost: two writes and one timer for the unknown, one write for the known. Silence costs nothing.
 */
import { Trait } from '../families/dialect.ts';
import { Action, Pace } from '../policy/pace.ts';
import { allowedDelayMs, Timer } from '../policy/patience.ts';
import { Level } from '../policy/stress.ts';
import { Count } from '../session/counters.ts';
import { Phase } from '../session/phase.ts';
import { bytesDue, dripDoneMs } from '../timing/pacer.ts';
import { dismiss } from './end.ts';
import { failTest } from './learn.ts';
import { isObserving, wouldGreet } from './observe.ts';
import { slowDelayMs } from './slow.ts';
import { charge, enter, say } from './speak.ts';
import type { Works } from './works.ts';

/** Who speaks so soon behind the first line took it for the whole greeting. */
const FIRST_LINE_MS = 500;

/** Says the first of the greeting, as the session's pace has it. */
export function startGreeting(works: Works, slot: number): void {
  const { sessions, greetings, outbox, wheel } = works;
  if (isObserving(works)) foresee(works, slot);
  const waitMs = greetingMs(works, slot, sessions.excessDelaysMs[slot]!);
  if (sessions.paces[slot] === Pace.Instant && waitMs === 0) {
    say(works, slot, greetings.last, Timer.None, Phase.Listening);
    return;
  }
  charge(works, slot, waitMs);
  if (waitMs > greetingMs(works, slot, 0)) works.counters.add(Count.slowedByRate);
  // The moment of the last line; the drips of the first one begin now.
  sessions.dripSinceMs[slot] = works.nowMs + waitMs;
  if (sessions.paces[slot] !== Pace.Slow) {
    outbox.put(greetings.teaser);
    sessions.dripped[slot] = greetings.teaser.length;
    wheel.arm(slot, works.nowMs + waitMs);
    return;
  }
  drip(works, slot, waitMs);
}

/** What the greeting would have cost the client; what it has sent with its first packet, it said before it could read one. */
function foresee(works: Works, slot: number): void {
  const { sessions, would, front } = works;
  wouldGreet(works, slot, screenedMs(works));
  if (would.paces[slot] === Pace.Instant || would.isOver(slot)) return;
  if (front.peek(sessions.handleOf(slot)).length > 0) failTest(works, slot, 'pregreet');
}

/** How long the greeting takes: as the pace has it, or as a rate near its limit asks (`excessMs`) if that is more. */
function greetingMs(works: Works, slot: number, excessMs: number): number {
  const { sessions, config } = works;
  const pace = sessions.paces[slot];
  let plannedMs = 0;
  if (pace === Pace.Screened) plannedMs = screenedMs(works);
  else if (pace === Pace.Slow) plannedMs = slowDelayMs(works, slot, Timer.Greeting);
  return allowedDelayMs(config, Timer.Greeting, Math.max(plannedMs, excessMs), 0);
}

/** The silence that an unknown client meets; under stress a short one. */
function screenedMs(works: Works): number {
  const { screen, stress } = works.config;
  return works.strain.stress.level === Level.Calm
    ? screen.greetWaitMs
    : Math.min(screen.greetWaitMs, stress.greetWaitMs);
}

/** The greeting's timer: another drip, or the last line. */
export function continueGreeting(works: Works, slot: number): void {
  const { sessions, greetings } = works;
  const lastDueMs = sessions.dripSinceMs[slot]!;
  if (works.nowMs < lastDueMs) {
    return drip(works, slot, greetingMs(works, slot, works.sessions.excessDelaysMs[slot]!));
  }
  const dripped = sessions.dripped[slot]!;
  if (dripped < greetings.teaser.length) works.outbox.put(greetings.teaser.subarray(dripped));
  // Whoever has spoken already gets it too: an answer to what it said makes no sense before the greeting is whole.
  works.outbox.put(greetings.last);
  sessions.repliedMs[slot] = works.nowMs;
  enter(works, slot, Phase.Listening);
}

/** Bytes came before the greeting was whole. They stay where they are until it is. */
export function hearEarly(works: Works, slot: number): void {
  const { sessions } = works;
  if (works.front.peek(sessions.handleOf(slot)).length === 0) return;
  // Once: what it has said stays there until the greeting is whole.
  if (
    (sessions.dialects[slot]! & Trait.Early) === 0 &&
    works.nowMs - sessions.openedMs[slot]! < FIRST_LINE_MS
  )
    sessions.dialects[slot]! |= Trait.FirstLine;
  const action = failTest(works, slot, 'pregreet');
  if (action === Action.Drop) dismiss(works, slot, 'pregreet', works.replies.protocolDrop);
}

/** Sends what is due of the first line and arms the timer for what comes next. */
function drip(works: Works, slot: number, waitMs: number): void {
  const { sessions, config, greetings, wheel } = works;
  const { dripBytes, dripIntervalMs } = config.shape;
  const lastDueMs = sessions.dripSinceMs[slot]!;
  const startMs = lastDueMs - waitMs;
  const due = bytesDue(greetings.teaser.length, startMs, works.nowMs, dripBytes, dripIntervalMs);
  const dripped = sessions.dripped[slot]!;
  if (due > dripped) {
    works.outbox.put(greetings.teaser.subarray(dripped, due));
    sessions.dripped[slot] = due;
  }
  const nextMs =
    due < greetings.teaser.length ? dripDoneMs(due + 1, startMs, dripBytes, dripIntervalMs) : lastDueMs;
  wheel.arm(slot, Math.min(nextMs, lastDueMs));
}
