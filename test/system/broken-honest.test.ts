/**
 * Senders whose mail is wanted although they do not keep the timers of RFC 5321, through a real Sluice into the sink.
 *
 * Everything is at a twentieth: their timers, and the delays of Sluice as it is shipped. So the plan of a minute and the
 * timer of half a minute meet as they would, in seconds.
 */
import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { messageText } from '../../loadgen/bots/message.ts';
import { honestKinds } from '../../loadgen/honest.ts';
import type { HonestName } from '../../loadgen/honest.ts';
import { audit } from '../../loadgen/ledger.ts';
import type { LedgerEntry } from '../../loadgen/ledger.ts';
import { Sink } from '../../loadgen/sink.ts';
import { Client } from './client.ts';
import { until } from './process.ts';
import { sendFrom } from './senders.ts';
import type { Visit, Visited } from './senders.ts';
import type { SessionLine, Sluice } from './sluice.ts';
import { startSluice } from './sluice.ts';

const TWENTIETH_PERCENT = 5;
const KINDS = Object.keys(honestKinds) as HonestName[];
const SENDERS_OF_A_KIND = 3;
/** So many bad ones make 20 points for everybody of their network, a fifth of the plan (reputation/standing). */
const BAD_NEIGHBOURS = 8;
const NETWORKS: Readonly<Record<HonestName, string>> = {
  polite: '127.36.1',
  'total-timeout': '127.36.2',
  'short-block': '127.36.3',
  'mailing-list': '127.36.4',
};

/** As shipped, a twentieth of it. */
const shipped = {
  reply_delay: '750ms',
  hold: '3s',
  body_rate: '20kB',
  drip_interval: '100ms',
  total_max: '30s',
};
/** The worst name: four times as much. */
const worst = { ...shipped, reply_delay: '3s', hold: '8s', body_rate: '15kB' };

const sink = new Sink({});
let sluice: Sluice | undefined;
let runs = 0;

beforeAll(async () => {
  await sink.listen();
});
afterEach(async () => {
  await sluice?.stop();
  sluice = undefined;
});
afterAll(async () => {
  await sink.close();
});

async function start(shape: Readonly<Record<string, string>>, slow: readonly string[] = []): Promise<Sluice> {
  sluice = await startSluice({
    backendPort: sink.port,
    config: { screen: { greet_wait: '300ms' }, shape, lists: { slow: [...slow] } },
  });
  return sluice;
}

const visits: readonly Visit[] = KINDS.flatMap((kind) =>
  Array.from({ length: SENDERS_OF_A_KIND }, (_, at) => ({ kind, address: `${NETWORKS[kind]}.${at + 1}` })),
);

/** Everybody sends; what the sink has is what they were told. */
async function send(port: number): Promise<{ visited: readonly Visited[]; ledger: readonly LedgerEntry[] }> {
  runs += 1;
  const sent = await sendFrom(port, visits, {
    run: `b${runs}`,
    seed: runs,
    timersPercent: TWENTIETH_PERCENT,
  });
  const hashOf = ({ id, bytes }: LedgerEntry): string =>
    createHash('sha256').update(messageText(id, bytes)).digest('hex');
  const found = audit(sent.ledger, sink.messages, hashOf);
  expect(found).toEqual({ lost: [], doubled: [], changed: [], storedButRefused: [] });
  return sent;
}

const storedIn = (run: number): number => sink.messages.filter(({ id }) => id.startsWith(`b${run}.`)).length;

/** The log's lines of these visits, once all have come. */
async function linesOf(count: number): Promise<readonly SessionLine[]> {
  const senders = new Set(visits.map(({ address }) => address));
  const lines = (): readonly SessionLine[] =>
    sluice!.sessions.filter((line) => senders.has(String(line['client'])));
  await until('every sender is in the log', () => lines().length >= count);
  return lines();
}

/** Speaks before it was greeted, as only a zombie does. */
async function speakEarly(port: number, address: string): Promise<void> {
  const client = new Client(port, address);
  client.send(Buffer.from('HELO early.example\r\n'));
  await client.reply();
  client.close();
}

const failed = (visited: readonly Visited[]): readonly HonestName[] =>
  KINDS.filter((kind) => visited.some((one) => one.kind === kind && !one.hasDelivered));

describe('honest senders that do not keep the timers', () => {
  test('deliver as strangers', async () => {
    const { port } = await start(shipped);
    const { visited } = await send(port);
    expect(visited.map(({ ending }) => ending)).toEqual(visits.map(() => 'finished'));
    expect(storedIn(runs)).toBe(visits.length);
    const lines = await linesOf(visits.length);
    expect(lines.map((line) => line['pace'])).toEqual(lines.map(() => 'screened'));
  });

  test('deliver from a network with bad neighbours, slowed by a part of the plan', async () => {
    const { port } = await start(shipped);
    const neighbours = Object.values(NETWORKS).flatMap((network) =>
      Array.from({ length: BAD_NEIGHBOURS }, (_, at) => `${network}.${200 + at}`),
    );
    await Promise.all(neighbours.map(async (address) => speakEarly(port, address)));
    await until('the neighbours are in the log', () => sluice!.sessions.length === neighbours.length);
    const { visited } = await send(port);
    expect(failed(visited)).toEqual([]);
    expect(storedIn(runs)).toBe(visits.length);
    const lines = await linesOf(visits.length);
    // More than the greeting took: they were slowed.
    expect(lines.filter((line) => Number(line['delay_ms']) <= 1_000)).toEqual([]);
  });

  test('deliver under the full plan, but for one that is held longer behind its final dot than it waits', async () => {
    const { port } = await start(shipped, ['127.36.0.0/16']);
    const { visited } = await send(port);
    expect(failed(visited).filter((kind) => kind !== 'mailing-list')).toEqual([]);
    expect(storedIn(runs)).toBe(visited.filter(({ hasDelivered }) => hasDelivered).length);
  });

  test('do not deliver with a timer of five minutes over everything, or of half a minute a reply, under a plan of ten', async () => {
    const { port } = await start(worst, ['127.36.0.0/16']);
    const { visited } = await send(port);
    expect(failed(visited)).toEqual(['total-timeout', 'mailing-list']);
    const gone = visited.filter(({ hasDelivered }) => !hasDelivered);
    expect(gone.map(({ ending }) => ending)).toEqual(gone.map(() => 'gaveUp'));
    // Nothing of theirs is stored, so a later try brings the first copy; the log says who went.
    expect(storedIn(runs)).toBe(visits.length - gone.length);
    const lines = await linesOf(visits.length);
    const abandoned = lines
      .filter((line) => line['verdict'] === 'abandoned')
      .map((line) => String(line['client']));
    expect(new Set(abandoned)).toEqual(new Set(gone.map(({ address }) => address)));
  });
});
