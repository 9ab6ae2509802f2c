/**
 * Two real Postfix behind one Sluice: clients are dealt out by weight, and what one does not do the other does.
 * Each test has servers and a Sluice of its own and waits most of the time, so they run side by side.
 */
import { expect, test } from 'vitest';

import { Prng } from '../../src/base/prng.ts';
import { greeted, transaction } from './client.ts';
import { copyOf, disagreements, isOpen, Ledger } from './ledger.ts';
import type { Copy } from './ledger.ts';
import { startPostfix } from './postfix.ts';
import type { Postfix } from './postfix.ts';
import { until } from './process.ts';
import { startSluice } from './sluice.ts';
import type { Sluice } from './sluice.ts';

const CLIENTS = 8;
const COMES_BACK_MS_MAX = 60_000;

interface House {
  readonly one: Postfix;
  readonly other: Postfix;
  readonly sluice: Sluice;
}

interface HouseOptions {
  readonly weights?: readonly [number, number];
  /** The listener that the first server is spoken to on; that of the second reuses connections. */
  readonly first?: 'fresh' | 'reused';
  readonly backend?: Readonly<Record<string, unknown>>;
}

/** Runs a test with two Postfix and a Sluice, which has heard both by then, and stops them behind it. */
async function withTwo(options: HouseOptions, act: (house: House) => Promise<void>): Promise<void> {
  // Else one that was killed writes to its postmaster about it.
  const mainCf = { notify_classes: '' };
  const started = await Promise.allSettled([startPostfix({ mainCf }), startPostfix({ mainCf })]);
  const running = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  try {
    const [one, other] = running;
    if (one === undefined || other === undefined) throw new Error('a Postfix did not start');
    const [weight, otherWeight] = options.weights ?? [1, 1];
    const firstPort = options.first === 'fresh' ? one.freshPort : one.reusedPort;
    const server = [
      { address: `127.0.0.1:${firstPort}`, weight },
      { address: `127.0.0.1:${other.reusedPort}`, weight: otherWeight },
    ];
    const backend = { address: undefined, reuse: 'auto', ...options.backend };
    const sluice = await startSluice({
      backendPort: 0,
      config: { server, backend, screen: { greet_wait: '0s' } },
    });
    try {
      for (const { address } of server)
        await until(`${address} was heard`, () => reuseOf(sluice, address) !== undefined);
      await act({ one, other, sluice });
    } finally {
      await sluice.stop();
    }
  } finally {
    await Promise.all(running.map((postfix) => postfix.stop()));
  }
}

/** What Sluice said of a server's connections when it had tried them out. */
function reuseOf(sluice: Sluice, address: string): string | undefined {
  return new RegExp(`backend ${address}: (connections are reused|one connection for each client)`).exec(
    sluice.said,
  )?.[1];
}

/** All that is in the queues of both, when Sluice has gone and nothing is under way any more. */
async function storedIn({ one, other, sluice }: House): Promise<Copy[]> {
  await sluice.stop();
  const copies: Copy[] = [];
  for (const postfix of [one, other]) {
    await postfix.settled();
    for (const { content } of await postfix.messages()) copies.push(copyOf(content));
  }
  return copies;
}

/** So many messages, each of a client of its own that has one session, with so many sessions at once. */
async function send(ledger: Ledger, port: number, messages: number, atOnce: number): Promise<void> {
  let next = ledger.attempts.length;
  const end = next + messages;
  const work = async (client: number): Promise<void> => {
    while (next < end) expect(await ledger.attempt(next++, port, sourceOf(client))).toBe(true);
  };
  await Promise.all(Array.from({ length: atOnce }, (_, client) => work(client)));
}

const sourceOf = (client: number): string => `127.0.60.${client + 1}`;

/** Codes of one message, up to the first refusal. */
async function deliver({ sluice }: House, source: string, recipient: string): Promise<number[]> {
  const { client } = await greeted(sluice.port, source);
  const codes = await transaction(client, recipient, 'Subject: x\n\nbody\n');
  client.close();
  return codes;
}

test.concurrent('clients one after another: 30 of 40 at the server of weight 3, one more or less', () =>
  withTwo({ weights: [3, 1] }, async (house) => {
    const ledger = new Ledger(new Prng(1));
    await send(ledger, house.sluice.port, 40, 1);
    expect(disagreements(ledger, await storedIn(house))).toEqual([]);
    // Two servers that both have room are never further apart than a turn of each: |a / 3 - b / 1| <= 1 / 3 + 1.
    const [a, b] = [house.one.queuedIds().length, house.other.queuedIds().length];
    expect(a + b).toBe(40);
    expect(Math.abs(a - 3 * b)).toBeLessThanOrEqual(4);
  }));

test.concurrent('eight clients at once: three at the server of weight 3 for each one of the other, within a quarter, each stored once', () =>
  // A machine that is busy makes both slower, which must not make Sluice give one of them less than its weight.
  withTwo({ weights: [3, 1], backend: { adapt: false } }, async (house) => {
    const ledger = new Ledger(new Prng(2));
    await send(ledger, house.sluice.port, 160, CLIENTS);
    expect(disagreements(ledger, await storedIn(house))).toEqual([]);
    const ratio = house.one.queuedIds().length / house.other.queuedIds().length;
    expect(ratio).toBeGreaterThan(3 * 0.75);
    expect(ratio).toBeLessThan(3 * 1.25);
  }));

test.concurrent('one server is stopped, then killed, under way: the other has its clients, nothing is lost or stored twice', () =>
  withTwo({}, async (house) => {
    const { one, other, sluice } = house;
    const ledger = new Ledger(new Prng(3));
    let nextMessage = 0;
    let isOver = false;
    const work = async (client: number): Promise<void> => {
      let message = nextMessage++;
      while (!isOver) {
        if (await ledger.attempt(message, sluice.port, sourceOf(client))) message = nextMessage++;
      }
    };
    const storesMore = async (postfix: Postfix, messages: number): Promise<void> => {
      const wanted = postfix.queuedIds().length + messages;
      await until(
        `${messages} more are stored`,
        () => postfix.queuedIds().length >= wanted,
        COMES_BACK_MS_MAX,
      );
    };
    const clients = Promise.all(Array.from({ length: CLIENTS }, (_, client) => work(client)));
    try {
      for (const end of [() => one.halt(), () => one.kill9('whole')]) {
        await storesMore(one, 2 * CLIENTS);
        // The worst moment: a final dot is sent, its answer not heard.
        await new Promise<void>((resolve) => {
          ledger.onMoment = () => {
            if (ledger.attempts.some(({ isDotSent, code }) => isDotSent && code === 0)) resolve();
          };
        });
        ledger.onMoment = () => {};
        await end();
        await storesMore(other, 4 * CLIENTS);
        await one.start();
        await storesMore(one, 2 * CLIENTS);
      }
    } finally {
      isOver = true;
      await clients;
    }
    const refused = ledger.attempts.filter((attempt) => attempt.code !== 250 && !isOpen(attempt));
    expect(refused.map(({ number, code }) => `attempt ${number}: ${code}`)).toEqual([]);
    // Each client had at most one message at its end when the server went, twice.
    expect(ledger.attempts.filter(isOpen).length).toBeLessThanOrEqual(2 * CLIENTS);
    expect(disagreements(ledger, await storedIn(house))).toEqual([]);
  }));

test.concurrent('both servers are stopped: RCPT hears 451 and waits for nothing; one is back, mail flows; the other is back and has its share', () =>
  withTwo({ backend: { wait_max: '2min', reply_timeout: '1min' } }, async (house) => {
    const { one, other, sluice } = house;
    const known = 'anna@example.test';
    expect(await deliver(house, '127.0.61.1', known)).toEqual([250, 250, 354, 250]);
    await Promise.all([one.halt(), other.halt()]);
    // The deadline of `until` is a quarter of what a client may be kept waiting.
    const asked: number[][] = [];
    const clients = Array.from({ length: CLIENTS }, async (_, client) => {
      asked.push(await deliver(house, `127.0.61.${client + 2}`, known));
    });
    await until('all have heard', () => asked.length === CLIENTS);
    await Promise.all(clients);
    expect(asked).toEqual(Array.from({ length: CLIENTS }, () => [250, 451]));
    const before = one.queuedIds().length;
    await other.start();
    // A server that was away is left alone for eight seconds at most.
    await until('mail flows', async () => {
      const codes = await deliver(house, '127.0.61.20', known);
      if (codes.at(-1) !== 250) expect(codes).toEqual([250, 451]);
      return codes.length === 4;
    });
    expect(one.queuedIds()).toHaveLength(before);
    await one.start();
    await until('both have mail', async () => {
      expect(await deliver(house, '127.0.61.21', known)).toEqual([250, 250, 354, 250]);
      return one.queuedIds().length > before;
    });
    expect(sluice.said).not.toContain('ShardBug');
  }));

test.concurrent('a server that takes one client for each connection, beside one that takes many: each is used as it allows', () =>
  withTwo({ first: 'fresh' }, async (house) => {
    const { one, other, sluice } = house;
    expect(reuseOf(sluice, `127.0.0.1:${one.freshPort}`)).toBe('one connection for each client');
    expect(reuseOf(sluice, `127.0.0.1:${other.reusedPort}`)).toBe('connections are reused');
    const connectionsBefore = [await connectionsOf(one, 'fresh'), await connectionsOf(other, 'reused')];
    const sent: string[] = [];
    for (let number = 0; number < 24; number += 1) {
      const source = `127.0.62.${number + 1}`;
      sent.push(source);
      expect(await deliver(house, source, 'bert@example.test')).toEqual([250, 250, 354, 250]);
    }
    const [fresh, reused] = [await one.messages(), await other.messages()];
    expect([...fresh, ...reused].map(({ clientAddress }) => clientAddress).sort()).toEqual(sent.sort());
    expect(Math.abs(fresh.length - reused.length)).toBeLessThanOrEqual(2);
    const opened = async (postfix: Postfix, name: 'fresh' | 'reused', before: number): Promise<number> =>
      (await connectionsOf(postfix, name)) - before;
    await until(
      'each message at the fresh listener has a connection in the log',
      async () => (await opened(one, 'fresh', connectionsBefore[0]!)) >= fresh.length - 1,
    );
    expect(await opened(other, 'reused', connectionsBefore[1]!)).toBeLessThan(reused.length / 2);
  }));

/** Connections that its mail log tells of. */
async function connectionsOf(postfix: Postfix, name: 'fresh' | 'reused'): Promise<number> {
  const lines = (await postfix.log()).matchAll(
    new RegExp(`postfix/${name}/smtpd\\[\\d+\\]: connect from`, 'g'),
  );
  return [...lines].length;
}
