/**
 * stage — lets one bot play against a scripted server on virtual time
 *
 * The script names what happens and when; the player fires the bot's timer in between, and writes down
 * what the bot said and when it left.
 */
import { Prng } from '../../../src/base/prng.ts';
import { Move, Saw, Seen, stageNames } from '../../../loadgen/bots/bot.ts';
import type { Bot, BotRow } from '../../../loadgen/bots/bot.ts';
import { BotMemory } from '../../../loadgen/bots/memory.ts';

export class Player {
  readonly said: string[] = [];
  readonly offered: { id: string; bytes: number }[] = [];
  readonly told: { id: string; code: number }[] = [];
  /** When, why and at which stage it left; empty while it is there. */
  left = '';
  nowMs = 0;
  readonly row: BotRow;
  readonly #bot: Bot;
  readonly #random: Prng;
  readonly #seen = new Seen();
  readonly #move = new Move();
  #wakeMs = Infinity;

  constructor(bot: Bot, seed = 1, serial = 1) {
    this.#bot = bot;
    this.#random = new Prng(seed);
    this.row = new BotMemory(1).fresh(0, serial);
    bot.start(this.row, this.#random);
  }

  connect(): this {
    return this.#see(this.#seen.event(Saw.Connected));
  }

  /** One whole reply; lines but the last are given as text joined with "-" by their code: '220-', '220'. */
  hear(...lines: string[]): this {
    for (const line of lines) this.#see(this.#seen.line(Number(line.slice(0, 3)), line[3] !== '-'));
    return this;
  }

  sent(): this {
    return this.#see(this.#seen.event(Saw.Sent));
  }

  /** Lets time pass; timers fire on the way. */
  wait(ms: number): this {
    const untilMs = this.nowMs + ms;
    while (this.#wakeMs <= untilMs && this.left === '') {
      this.nowMs = Math.max(this.nowMs, this.#wakeMs);
      this.#wakeMs = Infinity;
      this.#see(this.#seen.event(Saw.Timer));
    }
    this.nowMs = untilMs;
    return this;
  }

  get lastSaid(): string {
    return this.said[this.said.length - 1] ?? '';
  }

  #see(seen: Seen): this {
    if (this.left !== '') return this;
    const move = this.#move;
    move.clear();
    this.#bot.react(this.row, seen, this.nowMs, this.#random, move);
    if (move.bytes !== null) this.said.push(new TextDecoder().decode(move.bytes));
    if (move.wakeMs >= 0) this.#wakeMs = move.wakeMs;
    if (move.offeredId !== '') this.offered.push({ id: move.offeredId, bytes: move.offeredBytes });
    if (move.answer !== 0) this.told.push({ id: move.answeredId, code: move.answer });
    if (move.parting !== 'none') this.left = `${this.nowMs} ${move.parting} at ${stageNames[this.row.stage]}`;
    return this;
  }
}
