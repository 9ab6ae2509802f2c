/**
 * shared-lanes — shards that share the connections to one backend, each a world of its own on the same clock
 */
import { describe, expect, test } from 'vitest';
import { Allowance } from '../../../src/backend/allowance.ts';
import { LOOK_MS, TURN_MS } from '../../../src/backend/permits.ts';
import { defaultConfig } from '../../../src/config/load.ts';
import { Backend } from '../../dialogues/backend.ts';
import type { Client } from '../../dialogues/world.ts';
import { World } from '../../dialogues/world.ts';

const STEP_MS = 10;
/** What a client may wait for a permit of another shard: two looks, a turn, and the steps of this test. */
const PASSING_MS = 2 * LOOK_MS + TURN_MS + 5 * STEP_MS;

class Street {
  readonly worlds: readonly World[];
  readonly allowance: (shard: number) => Allowance;
  /** The most connections that were open at once. */
  most = 0;
  readonly #lanesMax: number;
  readonly #shared: SharedArrayBuffer;

  constructor(shards: number, lanesMax: number, reuse: boolean) {
    this.#lanesMax = lanesMax;
    this.#shared = new SharedArrayBuffer(Allowance.bytesFor(shards));
    const limits = { lanesMax, memoryMaxBytes: 1_000_000, diskMaxBytes: 1_000_000 };
    this.allowance = (shard) => new Allowance(this.#shared, limits, shards, shard);
    this.worlds = Array.from({ length: shards }, (_, shard) => {
      const backend = new Backend();
      backend.settings.reuse = reuse;
      const config = defaultConfig({
        hostname: 'mx.example.net',
        screen: { greetWaitMs: 0 },
        limits: { connections: 100 },
      });
      return new World({ config, backend, capacity: 64, lanesMax, allowance: this.allowance(shard) });
    });
    for (const world of this.worlds) world.start();
  }

  get open(): number {
    return this.worlds.reduce((sum, { back }) => sum + back.streamsOpen, 0);
  }

  run(forMs: number): void {
    for (let ms = 0; ms < forMs; ms += STEP_MS) {
      for (const world of this.worlds) {
        world.runUntil(world.nowMs + STEP_MS);
        this.most = Math.max(this.most, this.open);
        expect(this.open).toBeLessThanOrEqual(this.#lanesMax);
      }
    }
  }

  /** A client that has said all it has to say but the end, which it says when it is answered. */
  dial(shard: number, number: number): Client {
    const client = this.worlds[shard]!.dial(`192.0.2.${number}`);
    for (const line of [
      `EHLO c${number}.example`,
      `MAIL FROM:<a@c${number}.example>`,
      'RCPT TO:<good@example.org>',
    ]) {
      this.run(STEP_MS);
      client.send(`${line}\r\n`);
    }
    return client;
  }
}

const codes = (client: Client): string[] =>
  client.heard.split('\r\n').flatMap((line) => (/^\d{3} /.test(line) ? [line.slice(0, 3)] : []));
/** What is heard when the recipient was taken. */
const taken = ['220', '250', '250', '250'];

describe.each([true, false])('shards that share connections, reused: %o', (reuse) => {
  test('use what the others do not need', () => {
    const street = new Street(2, 6, reuse);
    const clients = Array.from({ length: 5 }, (_, number) => street.dial(0, number + 1));
    street.run(STEP_MS);
    for (const client of clients) expect(codes(client)).toEqual(taken);
    expect(street.worlds[0]!.back.streamsOpen).toBe(5);
  });

  test('free one for a shard that has less than its share, though their own clients wait too', () => {
    const street = new Street(2, 4, reuse);
    // Six clients that hold on to what they have, and go on asking.
    const greedy = Array.from({ length: 6 }, (_, number) => street.dial(0, number + 1));
    street.run(200);
    const late = street.dial(1, 100);
    for (let ms = 0; ms < PASSING_MS; ms += STEP_MS) {
      for (const client of greedy) client.send('NOOP\r\n');
      street.run(STEP_MS);
    }
    expect(codes(late)).toEqual(taken);
    expect(street.most).toBe(4);
  });

  test('have nothing at rest that another wants, however long it might rest', () => {
    const street = new Street(2, 1, reuse);
    for (let round = 1; round <= 6; round++) {
      const client = street.dial(round % 2, round);
      street.run(PASSING_MS);
      expect(codes(client), `round ${round}`).toEqual(taken);
      client.send('QUIT\r\n');
      street.run(STEP_MS);
    }
    expect(street.most).toBe(1);
  });

  test('take turns at the only one, and the first in line is served first', () => {
    const street = new Street(3, 1, reuse);
    const clients: Client[] = [];
    for (let number = 0; number < 12; number++) clients.push(street.dial(number % 3, number + 1));
    const served: number[] = [];
    for (let ms = 0; ms < 30_000 && served.length < 12; ms += STEP_MS) {
      street.run(STEP_MS);
      for (const [number, client] of clients.entries()) {
        if (served.includes(number) || codes(client).length < 4) continue;
        expect(codes(client)).toEqual(taken);
        served.push(number);
        client.send('QUIT\r\n');
      }
    }
    expect(served.length).toBe(12);
    for (const shard of [0, 1, 2]) {
      const here = served.filter((number) => number % 3 === shard);
      expect(here).toEqual([...here].sort((one, other) => one - other));
    }
    // No shard is served twice as often as another that still waits.
    for (let end = 1; end <= 12; end++) {
      const counts = [0, 1, 2].map((shard) => served.slice(0, end).filter((n) => n % 3 === shard).length);
      const waiting = counts.filter((count) => count < 4);
      if (waiting.length > 0) expect(Math.max(...counts) - Math.min(...waiting)).toBeLessThanOrEqual(4);
    }
  });

  test('give back all they had when they are emptied', () => {
    const street = new Street(2, 3, reuse);
    for (let number = 1; number <= 8; number++) street.dial(number % 2, number);
    street.run(100);
    for (const world of street.worlds) world.drain();
    street.run(70_000);
    expect(street.open).toBe(0);
    expect(street.allowance(0).permits.withinReach).toBe(3);
    for (const world of street.worlds) expect(world.leaks()).toEqual([]);
  });
});
