/**
 * driver — gives a shard its turns
 *
 * A turn is taken when something was noted (once for everything that one round of the event loop brought), when
 * the wheel's next timer is due, and when the last turn had more to do. One timer of the platform serves all
 * sessions; it is set anew only when the next due moment has come closer.
 *
 * How late the thread comes to what happens is measured from the first notice, or the due moment, to the end of the turn
 * that serves it, and told to the shard, which sheds when that becomes too much. Two readings of the clock a turn.
 */
import type { Shard } from '../shard/shard.ts';
import type { Clock } from '../timing/clock.ts';

/** The longest sleep; a due moment that lies further away is looked at again. */
const SLEEP_MS_MAX = 60_000;

export class Driver {
  readonly #shard: Shard;
  readonly #clock: Clock;
  readonly #afterTurn: () => void;
  #timer: NodeJS.Timeout | null = null;
  #timerDueMs = Infinity;
  #scheduled = false;
  #wokenMs = 0;
  #stopped = false;
  readonly #turn = (): void => this.#turnSince(this.#wokenMs);
  readonly #timeUp = (): void => {
    this.#timer = null;
    this.#turnSince(this.#timerDueMs);
  };

  /** `afterTurn` is called behind each turn, for what is done once a turn (the log). */
  constructor(shard: Shard, clock: Clock, afterTurn: () => void) {
    this.#shard = shard;
    this.#clock = clock;
    this.#afterTurn = afterTurn;
  }

  /** Asks for a turn soon. */
  wake(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    this.#wokenMs = this.#clock.nowMs();
    setImmediate(this.#turn);
  }

  /** Takes a turn now. */
  turn(): void {
    this.#scheduled = false;
    if (this.#stopped) return;
    const isMore = this.#shard.step(this.#clock.nowMs());
    this.#afterTurn();
    if (this.#stopped) return;
    if (isMore) this.wake();
    this.#setTimer();
  }

  /** No further turns. */
  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** A turn for what has happened, or was due, at `sinceMs`; how long that waited for the end of the turn is told. */
  #turnSince(sinceMs: number): void {
    if (this.#stopped) return;
    this.turn();
    this.#shard.hearDelay(Math.max(0, this.#clock.nowMs() - sinceMs));
  }

  #setTimer(): void {
    const dueMs = this.#shard.nextDueMs();
    if (this.#timer !== null) {
      // A timer that rings too early costs one empty turn; one that is set anew each turn costs more.
      if (dueMs >= this.#timerDueMs) return;
      clearTimeout(this.#timer);
    }
    if (dueMs === Infinity) {
      this.#timer = null;
      this.#timerDueMs = Infinity;
      return;
    }
    const sleepMs = Math.min(SLEEP_MS_MAX, Math.max(1, Math.ceil(dueMs - this.#clock.nowMs())));
    this.#timerDueMs = dueMs;
    this.#timer = setTimeout(this.#timeUp, sleepMs);
  }
}
