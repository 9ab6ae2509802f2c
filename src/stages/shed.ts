/**
 * shed — when it is too much: notices it, tells it, and sends away who would be missed least
 *
 * Every `LOOK_MS` the loads are looked at: slots, memory, how late the thread is, how slow the backend (policy/stress). The
 * operator is told once when a shard comes under stress, begins to shed, and is over it. While anything but slots is short,
 * each look sheds a hundredth of the seats, the least of them first (session/seats): a load that is measured as an
 * average answers late, and a shard that shed all it could in one turn would empty itself for nothing. When slots are
 * short nobody goes before somebody comes for the slot (seat).
 *
 * An unknown client has its chance first: twice the short greeting. By then one that follows the protocol has passed.
 * Of the first `LOOKED_AT` in line one whose network has more than its share goes before the others.
 *
 * Cost: a comparison a turn; constant for each session that goes. In observe mode all is noticed and told, and nobody goes.
 */
import { writeDuration, writeSize } from '../config/units.ts';
import { Cause, Level } from '../policy/stress.ts';
import { Count } from '../session/counters.ts';
import type { EndingName } from '../session/endings.ts';
import { Phase } from '../session/phase.ts';
import { SeatClass } from '../session/seats.ts';
import { cut, dismiss, finish } from './end.ts';
import { flush } from './speak.ts';
import type { Works } from './works.ts';

const LOOK_MS = 100;
/** One seat in so many is shed in one look. */
const SHED_SHARE = 100;
const LOOKED_AT = 8;
/** What one answer of the backend weighs in the average. */
const ANSWER_WEIGHT = 1 / 8;
/** A delay weighs by its own length: one of so many milliseconds and more weighs as much as one can. */
const DELAY_FULL_MS = 2_000;
const DELAY_WEIGHT_MAX = 0.5;

const endings = ['shedClassified', 'shedUnknown', 'shedShown'] as const;
const causeCounts = [
  Count.shedForSessions,
  Count.shedForMemory,
  Count.shedForLoop,
  Count.shedForBackend,
] as const;

/** Hears that what has happened was answered `delayMs` later. */
export function hearLoopDelay(works: Works, delayMs: number): void {
  works.strain.loopMs.hear(delayMs, Math.min(DELAY_WEIGHT_MAX, delayMs / DELAY_FULL_MS));
  works.lanes.around.ownDelayMs = works.strain.loopMs.value;
}

/** Hears how long a session waited for the backend's word on a recipient, from `backendSinceMs` to now. */
export function hearBackend(works: Works, slot: number): void {
  works.strain.backendMs.hear(works.nowMs - works.sessions.backendSinceMs[slot]!, ANSWER_WEIGHT);
}

/** The moment of the next look, if one is needed though nobody comes. */
export function nextLookMs(works: Works): number {
  const { stress, lookedMs } = works.strain;
  return stress.level === Level.Calm ? Infinity : lookedMs + LOOK_MS;
}

/** Looks at the loads, when it is time to. Nothing may wait in the outbox. */
export function lookAround(works: Works): void {
  const { strain, config } = works;
  const elapsedMs = works.nowMs - strain.lookedMs;
  if (elapsedMs < LOOK_MS) return;
  strain.lookedMs = works.nowMs;
  strain.loopMs.pass(elapsedMs);
  strain.backendMs.pass(elapsedMs);
  hearMemory(works);
  hear(works, Cause.Loop, (100 * strain.loopMs.value) / config.stress.loopDelayMs);
  hear(works, Cause.Backend, (100 * strain.backendMs.value) / config.stress.backendLatencyMs);
  hearSeats(works, works.seats.taken);
  if (!strain.stress.isOverworked || config.mode === 'observe' || works.draining) return;
  for (let left = Math.ceil(strain.room.seats / SHED_SHARE); left > 0; left--)
    if (!shedWorst(works, SeatClass.Unknown, true)) return;
}

/** Hears how much memory is in use by all shards: with messages, and with bytes that were not looked at yet. */
export function hearMemory(works: Works): void {
  const { allowance, front } = works;
  allowance.tellUnread(front.inputBytesTotal);
  hear(works, Cause.Memory, (100 * allowance.memoryBytes) / allowance.memory.max);
}

/** Hears how many seats are taken, or would be. */
export function hearSeats(works: Works, taken: number): void {
  hear(works, Cause.Sessions, (100 * taken) / works.strain.room.strangers);
}

/**
 * Sends one session away: of the lowest class up to `highest` the one that has been there longest. `hadChance`: an unknown
 * one only if it has had its time to show something. False when there is none.
 */
export function shedWorst(works: Works, highest: SeatClass, hadChance: boolean): boolean {
  for (let one: number = SeatClass.Classified; one <= highest; one++) {
    const slot = victimOf(works, one as SeatClass);
    if (slot < 0 || (one === SeatClass.Unknown && hadChance && !hasHadChance(works, slot))) continue;
    shed(works, slot, endings[one - 1]!);
    return true;
  }
  return false;
}

/** Counts a session that is shed, or not let in, by what runs short. */
export function countShed(works: Works): void {
  works.counters.add(causeCounts[works.strain.stress.cause]);
}

/** True when the network of a session has more sessions open than it may have under stress. */
export function isOverShare(works: Works, slot: number): boolean {
  const network = works.sessions.networks[slot]!;
  return network >= 0 && works.reputation.openOf(network) > works.strain.room.network;
}

function hasHadChance(works: Works, slot: number): boolean {
  return works.nowMs - works.sessions.openedMs[slot]! >= works.config.stress.greetWaitMs * 2;
}

/** The first of a class; or the first of those in front whose network has more than its share. */
function victimOf(works: Works, one: SeatClass): number {
  const queue = works.seats.queueOf(one)!;
  const first = queue.first();
  let slot = first;
  for (let left = LOOKED_AT; slot >= 0 && left > 0; left--) {
    if (isOverShare(works, slot)) return slot;
    slot = queue.after(slot);
  }
  return first;
}

function shed(works: Works, slot: number, ending: EndingName): void {
  countShed(works);
  dismiss(works, slot, ending, works.replies.tooBusy);
  works.seats.put(slot, SeatClass.None);
  if (!flush(works, slot)) cut(works, slot, 'notReading');
  else if (works.sessions.phaseOf(slot) === Phase.Closing) finish(works, slot);
}

function hear(works: Works, cause: Cause, percent: number): void {
  const { stress } = works.strain;
  const levelBefore = stress.level;
  const causeBefore = stress.cause;
  if (stress.hear(cause, percent, works.nowMs)) tell(works, levelBefore, causeBefore);
}

/** Another level: counted, and told. What has fallen is told by the load that it fell from. */
function tell(works: Works, before: Level, causeBefore: Cause): void {
  const { counters, journal } = works;
  const { level, cause } = works.strain.stress;
  const isOn = (one: Level, least: Level): number => (one >= least ? 1 : 0);
  counters.addMany(Count.stressedNow, isOn(level, Level.ShortWaits) - isOn(before, Level.ShortWaits));
  counters.addMany(Count.sheddingNow, isOn(level, Level.Shedding) - isOn(before, Level.Shedding));
  works.lanes.around.isUnderStress = level !== Level.Calm && works.config.mode === 'enforce';
  if (before === Level.Calm) counters.add(Count.stressEntered);
  if (level === Level.Shedding) counters.add(Count.sheddingBegun);
  if (level > before) {
    const what = level === Level.Shedding ? 'shedding sessions' : 'waits are short';
    journal.notice(
      `${before === Level.Calm ? 'entering' : 'under'} stress, ${what}: ${loadText(works, cause)}`,
    );
  } else {
    const what = level === Level.Calm ? 'leaving stress' : 'under stress, shedding no more';
    journal.notice(`${what}: ${loadText(works, causeBefore)}`);
  }
}

function loadText(works: Works, cause: Cause): string {
  const { config, strain } = works;
  const load = `${Math.round(strain.stress.loads[cause]!)} %`;
  switch (cause) {
    case Cause.Sessions:
      return `sessions ${load} of ${strain.room.strangers}`;
    case Cause.Memory:
      return `memory ${load} of ${writeSize(works.allowance.memory.max)}`;
    case Cause.Loop:
      return `delay of the event loop ${load} of ${writeDuration(config.stress.loopDelayMs)}`;
    default:
      return `latency of the backend ${load} of ${writeDuration(config.stress.backendLatencyMs)}`;
  }
}
