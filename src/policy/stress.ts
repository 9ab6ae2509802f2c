/**
 * stress — is it becoming too much, of what, and how much so?
 *
 * Four things can run short: slots, memory (messages, and bytes of clients that were not looked at yet), the time of the
 * thread (how late it comes to what has happened), and the backend (how long it takes to judge a recipient, the wait for a
 * lane included). Each is heard as a load, in percent of what the configuration allows, and has two latches (latch):
 * one makes waits short (`stress.enter`, `stress.leave`), the other one sheds (`stress.shed`, `stress.enter`).
 *
 * Pure: it is told loads and moments, and says a level and its cause. What follows from them is done by the stages
 * (stages/seat, stages/shed, stages/speak).
 *
 * The load of the slots is that of the ones that strangers may take: `stress.reserve` percent are for clients of
 * good standing. Whoever comes is looked at before it is told that there is no slot, which takes a slot of the transport:
 * the lobby, a few slots more than there are seats.
 */
import type { Config } from '../config/config.ts';
import { Latch } from './latch.ts';

/** What runs short. */
export const Cause = { Sessions: 0, Memory: 1, Loop: 2, Backend: 3 } as const;
export type Cause = (typeof Cause)[keyof typeof Cause];

const CAUSES = 4;

/** What is done about it. */
export const Level = { Calm: 0, ShortWaits: 1, Shedding: 2 } as const;
export type Level = (typeof Level)[keyof typeof Level];

const LOBBY_SLOTS_MIN = 8;
const LOBBY_SHARE = 16;

/** Slots that a transport needs beside `sessionsMax` seats, for clients that are being looked at or sent away. */
export function lobbySlots(sessionsMax: number): number {
  return Math.max(LOBBY_SLOTS_MIN, Math.ceil(sessionsMax / LOBBY_SHARE));
}

/** Sessions for which `slots` slots of `shards` shards are enough, lobbies included. */
export function seatsIn(slots: number, shards: number): number {
  const withLeast = slots - shards * LOBBY_SLOTS_MIN;
  return Math.min(withLeast, Math.floor((slots * LOBBY_SHARE) / (LOBBY_SHARE + 1)) - shards);
}

/** How many seats there are, and for whom. */
export interface Room {
  readonly seats: number;
  /** Those that strangers may take. */
  readonly strangers: number;
  /** Most that one network may have open under stress, over all shards of the process. */
  readonly network: number;
}

/** The room of one of `shards` shards with `seats` seats each. */
export function roomOf(config: Config, seats: number, shards: number): Room {
  const { reserve, networkShare } = config.stress;
  return {
    seats,
    strangers: seats - Math.floor((seats * reserve) / 100),
    network: networkShare === 100 ? Infinity : Math.max(1, Math.ceil((seats * shards * networkShare) / 100)),
  };
}

export class Stress {
  level: Level = Level.Calm;
  /** Of those that have the level: the one with the highest load. */
  cause: Cause = Cause.Sessions;
  /** True when it is not slots alone that make it shed: somebody else in the same place would not help. */
  isOverworked = false;
  readonly loads = new Float64Array(CAUSES);
  readonly #enter: number;
  readonly #short: readonly Latch[];
  readonly #shedding: readonly Latch[];

  constructor(config: Config) {
    const { enter, leave, shed } = config.stress;
    this.#enter = enter;
    this.#short = Array.from({ length: CAUSES }, () => new Latch(enter, leave));
    this.#shedding = Array.from({ length: CAUSES }, () => new Latch(shed, enter));
  }

  /** Hears the load of something, in percent. True when the level has changed. */
  hear(cause: Cause, percent: number, nowMs: number): boolean {
    this.loads[cause] = percent;
    const shedding = this.#shedding[cause]!;
    shedding.hear(percent, nowMs);
    // Waits stay short as long as it sheds.
    this.#short[cause]!.hear(shedding.on ? Math.max(percent, this.#enter) : percent, nowMs);
    const before = this.level;
    let level: Level = Level.Calm;
    let worst = this.cause;
    this.isOverworked = false;
    for (let at = 0; at < CAUSES; at++) {
      const own = this.#levelOf(at);
      // A latch stays on for a while after the load is gone; whoever comes then is not too much.
      if (own === Level.Shedding && at !== Cause.Sessions && this.loads[at]! > this.#enter)
        this.isOverworked = true;
      if (own === Level.Calm || own < level) continue;
      if (own === level && this.loads[at]! <= this.loads[worst]!) continue;
      level = own;
      worst = at as Cause;
    }
    this.level = level;
    this.cause = worst;
    return level !== before;
  }

  #levelOf(cause: number): Level {
    if (this.#shedding[cause]!.on) return Level.Shedding;
    return this.#short[cause]!.on ? Level.ShortWaits : Level.Calm;
  }
}
