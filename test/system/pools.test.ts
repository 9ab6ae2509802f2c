/**
 * Sender pools as a sender sees them: the real program, a real DNS server, and sessions from several networks.
 */
import { createSocket } from 'node:dgram';
import { afterEach, expect, test } from 'vitest';
import { Sink } from '../../loadgen/sink.ts';
import { Client, greeted, onTheWire } from './client.ts';
import { NameServer, txt } from './name-server.ts';
import { until } from './process.ts';
import { startSluice } from './sluice.ts';
import type { SessionLine, Sluice } from './sluice.ts';

const sink = new Sink({ keepBodies: false });
let names: NameServer | null = null;
let sluice: Sluice;

afterEach(async () => {
  await sluice?.stop();
  await names?.stop();
  names = null;
  await sink.close();
});

async function start(
  resolver: string,
  pools: Readonly<Record<string, boolean>> = {},
  engine: Readonly<Record<string, number>> = {},
): Promise<void> {
  const config = {
    engine,
    dnsxl_policy: { resolvers: [resolver] },
    reputation: { file: '' },
    admin: { socket: '' },
    pools: { spf: true, ...pools },
  };
  sluice = await startSluice({ backendPort: await sink.listen(), config });
}

const zone = [txt('sender.test', 'v=spf1 ip4:127.1.0.0/24 ip4:127.2.0.0/24 -all')];

/** Does what a client with this address does in one session, and waits for the log line of that session. */
async function logged(address: string, session: () => Promise<void>): Promise<SessionLine> {
  const linesOf = (): SessionLine[] => sluice.sessions.filter(({ client }) => client === address);
  const before = linesOf().length;
  await session();
  await until(`the session of ${address} is logged`, () => linesOf().length > before);
  return linesOf().at(-1)!;
}

/** Delivers one message and says QUIT. */
function deliver(address: string, sender: string): Promise<SessionLine> {
  return logged(address, async () => {
    const { client } = await greeted(sluice.port, address);
    await client.expect(`MAIL FROM:<${sender}>`, 250);
    await client.expect('RCPT TO:<anna@example.test>', 250);
    await client.expect('DATA', 354);
    client.send(onTheWire('Subject: hello\n\nHello\n'));
    expect((await client.reply())?.code).toBe(250);
    await client.ask('QUIT');
    client.close();
  });
}

/** Lines of the greeting that a client hears before QUIT, and the pace that is logged. */
async function visit(address: string): Promise<{ lines: number; pace: unknown }> {
  let lines = 0;
  const { pace } = await logged(address, async () => {
    const client = new Client(sluice.port, address);
    lines = (await client.reply())?.lines.length ?? 0;
    await client.ask('QUIT');
    client.close();
  });
  return { lines, pace };
}

const waits = { lines: 2, pace: 'screened' };
const atOnce = { lines: 1, pace: 'instant' };

async function counters(): Promise<Record<string, number>> {
  const before = sluice.said.split('counters {').length;
  process.kill(sluice.pid, 'SIGUSR2');
  await until('the counters are printed', () => {
    const all = sluice.said.split('counters ');
    return sluice.said.split('counters {').length > before && all.at(-1)!.includes('\n');
  });
  return JSON.parse(sluice.said.split('counters ').at(-1)!.split('\n')[0]!) as Record<string, number>;
}

/** Strangers of a network come, each from its own address, until one is not made to wait. */
async function untilKnown(network: string): Promise<void> {
  let host = 100;
  await until(
    `a stranger of ${network} is greeted at once`,
    async () => (await visit(`${network}.${(host += 1)}`)).pace === 'instant',
    20_000,
  );
}

test('a known sender is not made to wait when it comes from another /24 of its SPF domain, or from another address of its own', async () => {
  names = await NameServer.start(zone);
  await start(names.address);
  expect(await visit('127.2.0.8')).toEqual(waits);
  const first = await deliver('127.1.0.1', 'a@sender.test');
  expect(first).toMatchObject({ pace: 'screened', messages: 1, score: -20 });
  expect(await visit('127.1.0.77')).toEqual(atOnce);
  await untilKnown('127.2.0');
  expect(await visit('127.2.0.9')).toEqual(atOnce);
  expect(await visit('127.3.0.9')).toEqual(waits);
  expect(await counters()).toMatchObject({ spfChecked: 1, spfPassed: 1, poolsMade: 1 });
});

test('the pool counts in every process of the host', async () => {
  names = await NameServer.start(zone);
  await start(names.address, {}, { processes: 2, shards: 2 });
  await deliver('127.1.0.1', 'a@sender.test');
  await untilKnown('127.2.0');
  // The kernel spreads them over both processes; each has to hear of it from the other, or from the primary.
  const visits = async (): Promise<unknown[]> =>
    Promise.all(Array.from({ length: 16 }, async (_, at) => (await visit(`127.2.0.${10 + at}`)).pace));
  await until(
    'both processes know the pool',
    async () => (await visits()).every((pace) => pace === 'instant'),
    20_000,
  );
  expect((await visit('127.3.0.9')).pace).toBe('screened');
});

test('the pool counts without the network too, and for the addresses beside the first', async () => {
  names = await NameServer.start(zone);
  await start(names.address, { network: false });
  await deliver('127.1.0.1', 'a@Sender.Test');
  await untilKnown('127.1.0');
  expect(await visit('127.1.0.77')).toEqual(atOnce);
  expect(await visit('127.2.0.9')).toEqual(atOnce);
});

test('a member that turns bad ends the good standing of its pool', async () => {
  names = await NameServer.start(zone);
  await start(names.address);
  await deliver('127.1.0.1', 'a@sender.test');
  await untilKnown('127.2.0');
  const line = await logged('127.2.0.66', async () => {
    const bad = new Client(sluice.port, '127.2.0.66');
    expect((await bad.reply())?.lines).toHaveLength(1);
    expect((await bad.ask('GET / HTTP/1.1'))?.code).toBe(521);
    bad.close();
  });
  expect(line).toMatchObject({ ending: 'nonSmtp', reasons: ['nonSmtpCommand'] });
  expect(await visit('127.2.0.9')).toEqual(waits);
  expect(await visit('127.1.0.1')).toEqual(atOnce);
});

test('a sender that its domain does not authorise, a bounce, and a sender by address make no pool', async () => {
  names = await NameServer.start(zone);
  await start(names.address, { network: false });
  await deliver('127.9.0.1', 'a@sender.test');
  await deliver('127.1.0.2', '');
  await deliver('127.1.0.3', 'a@[127.1.0.3]');
  await until('the one with a domain was verified', async () => (await counters())['spfChecked'] === 1);
  expect(await visit('127.2.0.9')).toEqual(waits);
  expect((await counters())['poolsMade'] ?? 0).toBe(0);
});

test('a name server that never answers holds up neither mail nor the end', async () => {
  const silent = createSocket('udp4');
  let asked = 0;
  silent.on('message', () => (asked += 1));
  await new Promise<void>((resolve) => silent.bind(0, '127.0.0.1', resolve));
  try {
    await start(`127.0.0.1:${silent.address().port}`);
    await Promise.all(Array.from({ length: 20 }, (_, at) => deliver(`127.1.${at}.1`, `a@domain-${at}.test`)));
    await until('the name server was asked', () => asked > 0);
    expect(await deliver('127.1.0.1', 'a@domain-0.test')).toMatchObject({ pace: 'instant', messages: 1 });
    expect(await visit('127.2.0.9')).toEqual(waits);
  } finally {
    silent.close();
  }
});
