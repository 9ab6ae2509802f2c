/**
 * bot — a client's behaviour, without a clock, chance or socket of its own
 *
 * A bot is shown what happens to its connection (connected, a reply line, its timer, everything was sent,
 * the other side closed) and fills in what it does next (say bytes, set its timer, leave). What it
 * remembers is one row of integers in a table that the world owns, so one bot object plays any number of
 * clients and 100,000 of them are a few megabytes. Time and chance come in as arguments.
 *
 * So the same bot serves the simulation (virtual clock, memory transport, reproducible by seed) and real
 * load (drivers/socket-driver). Whoever drives it keeps these rules:
 * - `start` once per client, then `react` with Connected, then one `react` per thing seen, in order.
 * - One timer per client. `move.wake(at)` sets or moves it; it fires once, as Timer, never before `at`.
 * - Bytes said in one move are written together. A move that asks `tellWhenSent` is owed one Sent as soon as
 *   the other side has taken everything said so far (the kernel counts as the other side).
 * - After `hangUp`, or after Closed was shown, the bot is not called again. After `halfClose` it may
 *   still hear.
 * - `Seen` and `Move` objects are lent for one call and used again.
 *
 * Not taken: a promise or generator per client (a heap object per step; no replay), and a timer object each.
 */
import type { Random } from '../../src/base/prng.ts';

/** Where a client stands: what it waits for. The driver reports in these words where clients left. */
export const Stage = {
  /** The connection itself. */
  Connecting: 0,
  /** The last line of the greeting. */
  Greeting: 1,
  /** The reply to EHLO or HELO. */
  Helo: 2,
  /** The reply to MAIL. */
  Mail: 3,
  /** The reply to RCPT. */
  Rcpt: 4,
  /** The reply to DATA. */
  Data: 5,
  /** The network to take the body. */
  Body: 6,
  /** The reply to the final dot. */
  Dot: 7,
  /** The reply to QUIT. */
  Quit: 8,
} as const;
export type Stage = (typeof Stage)[keyof typeof Stage];

/** The words for stages, in the order of their numbers. */
export const stageNames = [
  'connecting',
  'greeting',
  'helo',
  'mail',
  'rcpt',
  'data',
  'body',
  'dot',
  'quit',
] as const;

/** What a bot can be shown. */
export const Saw = {
  Connected: 0,
  /** One line of a reply; `code` and `isLast` say which. */
  Line: 1,
  Timer: 2,
  /** Everything said so far was taken. Only after `tellWhenSent`. */
  Sent: 3,
  /** The other side closed or reset the connection. The last thing a bot sees. */
  Closed: 4,
} as const;
export type Saw = (typeof Saw)[keyof typeof Saw];

/** One thing that happened. */
export class Seen {
  what: Saw = Saw.Connected;
  /** The reply code of a line, 200 … 599; 0 for a line that is no SMTP reply. */
  code = 0;
  /** Whether the line ends its reply. */
  isLast = false;

  /** Makes this a reply line. */
  line(code: number, isLast: boolean): this {
    this.what = Saw.Line;
    this.code = code;
    this.isLast = isLast;
    return this;
  }

  /** Makes this anything but a reply line. */
  event(what: Saw): this {
    this.what = what;
    this.code = 0;
    this.isLast = false;
    return this;
  }
}

/** Why a client left by its own choice. */
export const partings = {
  none: 'still there',
  finished: 'said all it had to say and quit',
  refused: 'left because it was refused',
  gaveUp: 'left because its patience was over',
  misled: 'left because what it heard was no SMTP',
} as const;
export type Parting = keyof typeof partings;

/** What a bot does next. A move with nothing in it waits on, with the timer as it was. */
export class Move {
  /** What to write, null for nothing. */
  bytes: Uint8Array | null = null;
  tellWhenSent = false;
  /** When the timer is to fire, in the world's milliseconds; -1 leaves it as it is. */
  wakeMs = -1;
  halfCloses = false;
  parting: Parting = 'none';
  /** The message whose final dot is in `bytes`, empty for none. */
  offeredId = '';
  /** The size of that message as the sender counts it: before dot-stuffing, final dot not included. */
  offeredBytes = 0;
  /** The code that answered a message's final dot, 0 for none, and which message it was. */
  answer = 0;
  answeredId = '';

  clear(): void {
    this.bytes = null;
    this.tellWhenSent = false;
    this.wakeMs = -1;
    this.halfCloses = false;
    this.parting = 'none';
    this.offeredId = '';
    this.offeredBytes = 0;
    this.answer = 0;
    this.answeredId = '';
  }

  /** Says these bytes. Once per move. */
  say(bytes: Uint8Array): void {
    this.bytes = bytes;
  }

  /** Sets the one timer to fire at `atMs`, instead of whenever it was set before. */
  wake(atMs: number): void {
    this.wakeMs = atMs;
  }

  /** Closes the connection at once. */
  hangUp(parting: Parting): void {
    this.parting = parting;
  }

  /** Sends what was said, then a FIN; replies are still heard. */
  halfClose(): void {
    this.halfCloses = true;
  }

  /** Notes that `bytes` holds the end of message `id`. */
  offers(id: string, messageBytes: number): void {
    this.offeredId = id;
    this.offeredBytes = messageBytes;
  }

  /** Notes that message `id` was answered with `code`. */
  told(id: string, code: number): void {
    this.answeredId = id;
    this.answer = code;
  }
}

export interface Bot {
  /** The word for this kind in tables. */
  readonly name: string;
  /** Whether it is a sender whose mail must go through. */
  readonly honest: boolean;
  /** Fills the row of a new client; `me.serial` is set already, the rest is zero. */
  start(me: BotRow, random: Random): void;
  /** Answers one thing seen at `nowMs` by filling in `move`, which comes cleared. */
  react(me: BotRow, seen: Seen, nowMs: number, random: Random, move: Move): void;
}

/** The integers of one client, lent to a bot for one call. All are 32 bits wide and begin at 0. */
export interface BotRow {
  stage: Stage;
  /** The number of this client in its run; the driver gives it. */
  serial: number;
  connectedMs: number;
  /** When patience ends, in the world's milliseconds; 0 for never. */
  deadlineMs: number;
  messagesLeft: number;
  /** Messages begun so far; part of their id. */
  messageNo: number;
  rcptsLeft: number;
  rcptsOk: number;
  bodyBytes: number;
  /** For the bot's own use: how far it got, which way it drew. */
  progress: number;
  mood: number;
}
