/**
 * fairness — good standing goes first, nobody is forgotten: with windows, and with several servers
 *
 * First the line by itself, then whole shards: clients of good standing that always want more, strangers that want one thing,
 * servers of any weight that refuse now and then, so that their windows are small.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WaitingLine } from '../../../src/backend/waiting-line.ts';
import { defaultConfig } from '../../../src/config/load.ts';
import { Backend } from '../../dialogues/backend.ts';
import type { Client } from '../../dialogues/world.ts';
import { World } from '../../dialogues/world.ts';

/** Of four turns one belongs to the others. */
const OTHERS_EVERY = 4;
const CAPACITY = 40;
const REPLY_MS = 100;
/** A client that goes on and on may keep its lane for so long while others wait (dealer). */
const TURN_MS = 1_000;

describe('the waiting line', () => {
  it('serves each line in its order, and of four turns at least one to the others while one of them waits', () => {
    const event = fc.record({
      what: fc.constantFrom('join', 'join', 'leave', 'serve', 'serve'),
      slot: fc.nat(CAPACITY - 1),
      isPreferred: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 300 }), (events) => {
        const line = new WaitingLine(CAPACITY);
        const preferred: number[] = [];
        const others: number[] = [];
        let passedOver = 0;
        for (const { what, slot, isPreferred } of events) {
          const isIn = preferred.includes(slot) || others.includes(slot);
          if (what === 'join' && !isIn) {
            line.join(slot, isPreferred);
            (isPreferred ? preferred : others).push(slot);
          } else if (what === 'leave' && isIn) {
            line.leave(slot);
            for (const one of [preferred, others]) if (one.includes(slot)) one.splice(one.indexOf(slot), 1);
          } else if (what === 'serve') {
            const served = line.serve();
            const mine = others.includes(served) ? others : preferred;
            expect(served).toBe(mine[0] ?? -1);
            passedOver = mine === others || others.length === 0 ? 0 : passedOver + 1;
            expect(passedOver).toBeLessThan(OTHERS_EVERY);
            mine.shift();
          }
          if (others.length === 0) passedOver = 0;
        }
      }),
    );
  });
});

interface Plan {
  readonly weights: readonly number[];
  readonly lanesMax: number;
  readonly good: number;
  readonly strangers: number;
  readonly refusals: number;
}

const plans: fc.Arbitrary<Plan> = fc.record({
  weights: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 }),
  lanesMax: fc.integer({ min: 4, max: 7 }),
  good: fc.integer({ min: 8, max: 12 }),
  strangers: fc.integer({ min: 1, max: 6 }),
  refusals: fc.nat(2),
});

/** How long each stranger waited, and the clients of good standing on average. */
function waits(plan: Plan): { readonly strangers: readonly number[]; readonly good: number } {
  const backends = plan.weights.map(() => new Backend());
  for (const backend of backends) backend.delay('rcpt', REPLY_MS);
  const server = plan.weights.map((weight, index) => ({
    address: `192.0.2.${25 + index}:25`,
    weight,
    tlsName: '',
  }));
  const world = new World({
    config: defaultConfig({
      hostname: 'mx.example.net',
      screen: { greetWaitMs: 0 },
      backend: { reuse: 'always', holdMs: 0 },
      server,
      smtp: { commandsMax: 100_000, recipientsMax: 100_000 },
      limits: { connections: 100 },
    }),
    backend: backends[0]!,
    moreBackends: backends.slice(1),
    capacity: CAPACITY,
    lanesMax: plan.lanesMax,
  });
  world.start();
  const say = (client: Client, text: string): number => {
    const from = client.heard.length;
    client.send(`${text}\r\n`);
    return from;
  };
  const begin = (address: string, isKnown: boolean): Client => {
    if (isKnown) world.remember(address, 0, true);
    const client = world.dial(address);
    for (const text of ['EHLO a.example', 'MAIL FROM:<a@a.example>']) {
      world.settle();
      say(client, text);
    }
    world.settle();
    return client;
  };
  const strangers = Array.from({ length: plan.strangers }, (_, at) => begin(`198.51.${at}.1`, false));
  const good = Array.from({ length: plan.good }, (_, at) => begin(`192.0.2.${100 + at}`, true));
  const asked = new Map<Client, { sinceMs: number; from: number; times: number }>();
  const sums = { ms: 0, count: 0 };
  const ask = (client: Client, times: number): void => {
    const from = say(client, `RCPT TO:<good${times}@example.org>`);
    asked.set(client, { sinceMs: world.nowMs, from, times });
  };
  for (const client of good) ask(client, 0);
  world.runUntil(world.nowMs + 10 * REPLY_MS);
  for (let refusal = 0; refusal < plan.refusals; refusal++)
    backends[refusal % backends.length]!.fault('rcpt', '421', 1);
  for (const client of strangers) ask(client, 0);
  const waited: number[] = [];
  while (waited.length < strangers.length) {
    if (world.nowMs > 600_000) throw new Error('a stranger was forgotten');
    world.runUntil(world.nowMs + 5);
    for (const [client, { sinceMs, from, times }] of asked) {
      if (!client.isAnswered(from)) continue;
      expect(client.heard.slice(from)).toMatch(/^250 /);
      if (strangers.includes(client)) {
        waited.push(world.nowMs - sinceMs);
        asked.delete(client);
      } else {
        sums.ms += world.nowMs - sinceMs;
        sums.count += 1;
        ask(client, times + 1);
      }
    }
  }
  return { strangers: waited, good: sums.ms / sums.count };
}

describe('a shard whose lanes are all wanted', () => {
  it('forgets no stranger: each has its turn within four times its place in line, though others never have enough', () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const { strangers, good } = waits(plan);
        // The least that is used at once is one lane; a refusal costs a step done again and half a second of trial.
        const turnMs = TURN_MS + 2 * REPLY_MS;
        const boundMs = (OTHERS_EVERY * strangers.length + 2) * turnMs + plan.refusals * (turnMs + 500);
        expect(Math.max(...strangers)).toBeLessThanOrEqual(boundMs);
        expect(good).toBeLessThan(turnMs * 4);
      }),
      { numRuns: 25 },
    );
  });
});
