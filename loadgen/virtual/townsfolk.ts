/**
 * townsfolk — the crowd of a simulated town: nothing is written down of it but its rows in the register
 *
 * Each client draws from a state of its own (bots/client-random): client 17 of a seed is as patient and as talkative under
 * one plan as under the next, so that plans differ by what they do and not by who came.
 */
import type { SimTransport } from './sim-transport.ts';
import type { Bot } from '../bots/bot.ts';
import { ClientRandom, clientSeed } from '../bots/client-random.ts';
import { Client } from './client.ts';
import { Crowd } from './crowd.ts';
import type { Register } from './register.ts';

export class Townsfolk extends Crowd<Client> {
  readonly #bots: readonly Bot[];
  readonly #seed: number;
  readonly #register: Register;
  /** Addresses from which mail was accepted. */
  readonly #known = new Set<string>();

  constructor(bots: readonly Bot[], seed: number, register: Register) {
    super(register.clients);
    this.#bots = bots;
    this.#seed = seed;
    this.#register = register;
  }

  /** A client begins to connect. */
  start(serial: number, botNumber: number, address: string, net: SimTransport): void {
    const random = new ClientRandom();
    random.state = clientSeed(this.#seed, serial);
    const bot = this.#bots[botNumber]!;
    this.#register.kinds[serial] = botNumber;
    this.#register.known[serial] = this.#known.has(address) ? 1 : 0;
    const { nowMs: startedMs } = this;
    this.admit(new Client({ slot: this.newSlot(), serial, botNumber, bot, address, net, random, startedMs }));
  }

  protected override onAnswer(client: Client, _id: string, code: number): void {
    if (code >= 300) return;
    const { deliverMs } = this.#register;
    if (deliverMs[client.serial]! < 0) deliverMs[client.serial] = this.nowMs - client.startedMs;
    if (client.bot.honest) this.#known.add(client.address);
  }
}
