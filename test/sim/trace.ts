/**
 * trace — what happened in a world, as one number and as the last few lines
 *
 * Every event is folded into a 32-bit hash: two runs with the same hash did the same things at the same times.
 * The last events of the whole world are kept as numbers; the session that is followed is written down in
 * words, in the form of the dialogues in test/dialogues, so that a bug that was found here becomes one.
 */

/** What can be told of a session in one word and one number. */
export const events = [
  'dials',
  'connected',
  'line',
  'says',
  'leaves',
  'closed',
  'answer',
  'fault',
  'stored',
  'ended',
] as const;
export type EventName = (typeof events)[number];

const KEPT = 40;

export class Trace {
  /** FNV-1a over all events so far, 32 bits. */
  hash = 0x811c9dc5 | 0;
  readonly #follow: number;
  readonly #ring: { ms: number; serial: number; event: EventName; value: number }[] = [];
  #lines: string[] = [];
  readonly #keepsAll: boolean;

  /** `follow` is the serial number of the session to be written down; -1 for none. `keepsAll`: to its very start. */
  constructor(follow: number, keepsAll = false) {
    this.#follow = follow;
    this.#keepsAll = keepsAll;
  }

  /** Whether a session is being written down. */
  follows(serial: number): boolean {
    return serial === this.#follow;
  }

  /** Notes an event of a session (-1: of none). */
  note(ms: number, serial: number, event: EventName, value: number): void {
    this.#mix(ms);
    this.#mix(serial);
    this.#mix(events.indexOf(event));
    this.#mix(value);
    this.#ring.push({ ms, serial, event, value });
    if (this.#ring.length >= KEPT * 2) this.#ring.splice(0, KEPT);
  }

  /** Writes down what was said if the session is followed: by the client (C), the server (S), to or by the backend. */
  said(ms: number, serial: number, who: 'C' | 'S' | 'B>' | 'B<', text: string): void {
    if (serial !== this.#follow) return;
    for (const line of text.split('\r\n').slice(0, 12))
      if (line !== '') this.#write(ms, `${who.padEnd(3)}${line.slice(0, 100)}`);
  }

  /** Writes down anything else about the session that is followed. */
  tell(ms: number, serial: number, text: string): void {
    if (serial === this.#follow) this.#write(ms, text);
  }

  /** The last lines of the session that was followed. */
  get lines(): readonly string[] {
    return this.#keepsAll ? this.#lines : this.#lines.slice(-KEPT);
  }

  /** The last events of the whole world. */
  get lastEvents(): readonly string[] {
    return this.#ring
      .slice(-KEPT)
      .map(({ ms, serial, event, value }) => `${margin(ms)}client ${serial} ${event} ${value}`);
  }

  #write(ms: number, text: string): void {
    this.#lines.push(`${margin(ms)}${text}`);
    if (!this.#keepsAll && this.#lines.length >= KEPT * 2) this.#lines = this.#lines.slice(-KEPT);
  }

  #mix(value: number): void {
    this.hash = Math.imul(this.hash ^ (value & 0xffff), 0x01000193);
    this.hash = Math.imul(this.hash ^ (value >>> 16), 0x01000193);
  }
}

const margin = (ms: number): string => `    ${(ms / 1_000).toFixed(3).padStart(9)}  `;
