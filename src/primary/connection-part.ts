/**
 * connection-part — an engine process's end of the lending of connections (connection-desk)
 *
 * Ten times a second it looks at what the shards have and lack (backend/permits) and tells the desk what has changed. What
 * the desk grants is added to the limit at once. When the desk asks for some, the limit is lowered first, so that shards open no
 * more and end what becomes free; then it is looked how many there still are, and only what is beyond both is given up.
 * That goes on until the limit is reached, or the desk wants it no more.
 *
 * What was needed within the last half second counts as needed: a connection is not lent away between two messages.
 */
import type { Permits } from '../backend/permits.ts';
import type { ConnectionNews, ConnectionOrder } from './connection-desk.ts';

/** So often a process looks what its shards need. */
export const LOOK_MS = 100;
/** Each need is remembered for so many looks, and at most for twice as many. */
const LOOKS_REMEMBERED = 3;
/** Less is never left to a process. */
const LEAST = 1;

export class ConnectionPart {
  readonly #permits: Permits;
  readonly #send: (news: ConnectionNews) => void;
  /** What the desk counts as ours, as far as we know; the limit is never above it. */
  #part: number;
  #most: number;
  #looks = 0;
  /** The most that was needed in this stretch of looks, and in the one before. */
  #neededNow = 0;
  #neededBefore = 0;
  #toldNeeded = 0;
  #toldLacking = 0;

  /** Begins with `part`. `permits`: those of the process; nobody else sets their limit. `send` reaches the desk. */
  constructor(permits: Permits, part: number, send: (news: ConnectionNews) => void) {
    this.#permits = permits;
    this.#part = part;
    this.#most = part;
    this.#send = send;
    permits.setLimit(part, LEAST);
  }

  /** Looks what is needed and what can be given up. To be called every `LOOK_MS`. */
  look(): void {
    if (this.#looks % LOOKS_REMEMBERED === 0) {
      this.#neededBefore = this.#neededNow;
      this.#neededNow = 0;
    }
    this.#looks += 1;
    this.#tell(false);
  }

  /** The desk said something. */
  heard({ granted, most, elsewhere }: ConnectionOrder): void {
    this.#part += granted;
    this.#most = most;
    this.#permits.setLimit(Math.max(LEAST, Math.min(most, this.#part)), LEAST);
    this.#permits.setElsewhere(elsewhere);
    this.#tell(true);
  }

  #tell(isAnswer: boolean): void {
    const lacking = this.#permits.lackingByAll;
    // Added up after the limit was written: there will be no more than this, or than the limit.
    const held = this.#permits.heldByAll;
    this.#neededNow = Math.max(this.#neededNow, held + lacking);
    const needed = Math.max(this.#neededNow, this.#neededBefore);
    const given = Math.max(0, this.#part - Math.max(this.#most, held, LEAST));
    const isNews = given > 0 || needed !== this.#toldNeeded || lacking !== this.#toldLacking;
    if (!isNews && !isAnswer) return;
    this.#part -= given;
    this.#toldNeeded = needed;
    this.#toldLacking = lacking;
    this.#send({ kind: 'connections', given, needed, lacking, isAnswer });
  }
}
