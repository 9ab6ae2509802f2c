/**
 * kill -9 at any moment of a delivery: what a client was told 250 for is in Postfix's queue, exactly once; what was refused
 * is not; what was left unanswered is there at most once, and only when its final dot had been sent.
 */
import { afterEach, expect, test } from 'vitest';

import { Prng } from '../../src/base/prng.ts';
import { disagreements, Ledger, untold } from './ledger.ts';
import { startPostfix } from './postfix.ts';
import type { Postfix } from './postfix.ts';
import { freePort } from './process.ts';
import { startSluice } from './sluice.ts';
import type { Sluice } from './sluice.ts';
import { laneOf, sluiceWays } from './way.ts';

const seed = Number(process.env['SLUICE_SEED'] ?? 20_260_722);
const rounds = 12;
const clients = 8;
/** Moments (pieces sent, replies heard) of all clients together until the plug is pulled, at most. */
const momentsMax = 600;

const started: { postfix?: Postfix; sluice?: Sluice | undefined } = {};

afterEach(async () => {
  try {
    await started.sluice?.stop();
  } finally {
    await started.postfix?.stop();
  }
  started.sluice = undefined;
});

test.each(sluiceWays)(
  `kill -9, ${rounds} times (seed ${seed}), %s: told 250 means stored once`,
  async (name) => {
    const random = new Prng(seed);
    const postfix = await startPostfix();
    started.postfix = postfix;
    const { backendPort, backend } = laneOf(name, postfix);
    const port = await freePort();
    const config = { backend, screen: { greet_wait: '0s' } };
    const ledger = new Ledger(random.fork('messages'));
    const kills = random.fork('kills');
    let nextMessage = 0;

    for (let round = 0; round < rounds; round += 1) {
      const sluice = await startSluice({ backendPort, port, config });
      started.sluice = sluice;
      let left = 1 + kills.below(momentsMax);
      const kill: { done?: Promise<void> } = {};
      ledger.onMoment = () => {
        left -= 1;
        if (left === 0) kill.done = sluice.kill9();
      };
      const work = async (client: number): Promise<void> => {
        let message = -1;
        while (kill.done === undefined) {
          if (message < 0 || ledger.done.has(message)) message = nextMessage++;
          await ledger.attempt(message, port, `127.60.${round}.${client + 1}`);
        }
      };
      await Promise.all(Array.from({ length: clients }, (_, client) => work(client)));
      await kill.done;
      started.sluice = undefined;
    }

    // After the last kill everything that is still open goes through: no round left a lane or a lock behind.
    ledger.onMoment = () => {};
    const sluice = await startSluice({ backendPort, port, config });
    started.sluice = sluice;
    for (let message = 0; message < nextMessage; message += 1) {
      if (!ledger.done.has(message)) expect(await ledger.attempt(message, port, '127.60.250.1')).toBe(true);
    }
    await sluice.stop();
    started.sluice = undefined;
    await postfix.settled();

    const stored = (await postfix.messages()).map((message) => message.content);
    const told = ledger.attempts.filter((attempt) => attempt.code === 250).length;
    const unanswered = ledger.attempts.filter((attempt) => attempt.code === 0);
    process.stdout.write(
      `kill -9 ${name}: ${ledger.attempts.length} attempts, ${told} told 250, ${unanswered.length} unanswered ` +
        `(${unanswered.filter((attempt) => attempt.isDotSent).length} after the final dot), ` +
        `${untold(ledger, stored)} of these stored\n`,
    );
    expect(disagreements(ledger, stored)).toEqual([]);
    expect(told).toBe(nextMessage);
    expect(unanswered.length).toBeGreaterThan(0);
  },
);
