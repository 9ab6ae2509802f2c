/**
 * Real Sluice, real rbldnsd, real unbound: what DNS lists do to clients, and what a broken one does not.
 *
 * Clients are addresses of 127.0.0.0/8 and ::1. Every test has a good zone, one with IPv6, and the broken ones.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { Sink } from '../../loadgen/sink.ts';
import type { Reply } from './client.ts';
import { greeted, onTheWire } from './client.ts';
import { DnsRoad } from './dns-road.ts';
import { freePort, run, until } from './process.ts';
import { head, head6, Rbldnsd } from './rbldnsd.ts';
import type { Sluice } from './sluice.ts';
import { startSluice } from './sluice.ts';
import { Unbound } from './unbound.ts';
import { fileURLToPath } from 'node:url';
import { stringify } from 'smol-toml';

const LISTED = '127.66.0.7';
const GREET_WAIT_MS = 1_000;
const program = fileURLToPath(new URL('./start-sluice.ts', import.meta.url));

const zones = {
  'good.test': { ip4trie: [...head, '127.66.0.0/16'] },
  'six.test': { ip4trie: head, ip6trie: [...head6, '0:0:0:0:0:0:0:1'] },
  'world.test': { ip4trie: [head[0]!, ':127.0.0.2:Everybody', '0.0.0.0/0'] },
  'error.test': { ip4trie: [head[0]!, '0.0.0.0/0 :127.255.255.254:Error: open resolver'] },
  'slow.test': { ip4trie: [...head, '127.77.0.0/16'] },
  'dead.test': { ip4trie: head },
  'turning.test': { ip4trie: head },
} as const;

/** What the operator is told of each broken zone. */
const faults = {
  'dead.test': /dnsxl dead\.test is suspended: it does not answer/,
  'slow.test': /dnsxl slow\.test is slow: half of its answers take/,
  'world.test': /dnsxl world\.test is suspended: it lists 127\.0\.0\.1, so it lists everybody/,
  'error.test': /dnsxl error\.test is suspended: it answers 127\.255\.255\.254/,
} as const;

type Zone = keyof typeof zones;

let server: Rbldnsd;
let road: DnsRoad;
let sluice: Sluice | null = null;
let backendPort: number;
let zonesAsked = 0;
const sink = new Sink({});

beforeAll(async () => {
  server = await Rbldnsd.start(zones);
  road = await DnsRoad.open(server.port, { 'slow.test': { delayMs: 1_500 }, 'dead.test': { drops: true } });
  backendPort = await sink.listen();
});
afterEach(async () => {
  await sluice?.stop();
  sluice = null;
});
afterAll(async () => {
  road.close();
  await server.stop();
  await sink.close();
});

function settingsOf(names: readonly Zone[], policy: Readonly<Record<string, unknown>> = {}) {
  return {
    dnsxl: names.map((zone) => ({ zone, weight: 8 })),
    dnsxl_policy: { resolvers: [`127.0.0.1:${road.port}`], deadline: '4s', ...policy },
  };
}

/** Starts Sluice with these zones, and waits until those that should have passed their test have. */
async function start(
  names: readonly Zone[],
  policy: Readonly<Record<string, unknown>> = {},
  passing: readonly Zone[] = names.filter((zone) => !(zone in faults)),
  engine: Readonly<Record<string, unknown>> = {},
): Promise<Sluice> {
  const port = await freePort();
  zonesAsked = names.length;
  sluice = await startSluice({
    port,
    backendPort,
    config: {
      ...settingsOf(names, policy),
      engine,
      // Long enough for a listing and its proof, as a rule, on a machine that has other things to do.
      screen: { greet_wait: `${GREET_WAIT_MS}ms` },
      listener: [{ address: `127.0.0.1:${port}` }, { address: `[::1]:${port}` }],
    },
  });
  await until('the good zones have passed their test', async () => {
    const lines = await zoneLines();
    return passing.every((zone) => lines.some((line) => line.includes(`${zone}: good`)));
  });
  return sluice;
}

/** What SIGUSR2 brings: the counters, and a line for each zone. */
async function zoneLines(): Promise<readonly string[]> {
  const running = sluice!;
  const before = running.said.length;
  const lines = (): readonly string[] => running.said.slice(before).split('\n').slice(0, -1);
  process.kill(running.pid, 'SIGUSR2');
  await until('counters and zones are said', () => {
    const zoneCount = lines().filter((line) => /^sluice: dnsxl \S+: /.test(line)).length;
    return zoneCount === zonesAsked && lines().some((line) => line.startsWith('sluice: counters '));
  });
  return lines();
}

/** A counter of the running Sluice. */
async function counter(name: string): Promise<number> {
  const line = (await zoneLines()).find((one) => one.startsWith('sluice: counters '));
  return (JSON.parse(line!.slice('sluice: counters '.length)) as Record<string, number>)[name] ?? 0;
}

/** Sends a message as an honest client does; the answer to it, or the first refusal. */
async function send(port: number, from: string): Promise<Reply | null> {
  const { client } = await greeted(port, from);
  try {
    await client.expect('MAIL FROM:<a@example.org>', 250);
    const recipient = await client.ask('RCPT TO:<b@example.com>');
    if (recipient?.code !== 250) return recipient;
    const data = await client.ask('DATA');
    if (data?.code !== 354) return data;
    client.send(onTheWire('Subject: honest\n\nHello\n'));
    const answer = await client.reply();
    await client.ask('QUIT');
    return answer;
  } finally {
    client.close();
  }
}

async function expectHonest(count: number, network: string): Promise<void> {
  const before = sluice!.sessions.length;
  const answers = await Promise.all(
    Array.from({ length: count }, async (_, at) => send(sluice!.port, `${network}.${at + 1}`)),
  );
  expect(answers.map((answer) => answer?.code)).toEqual(answers.map(() => 250));
  await until('every session is in the log', () => sluice!.sessions.length >= before + count);
  for (const session of sluice!.sessions.slice(before)) {
    expect(session).toMatchObject({ dnsxl: [], dnsxl_reason: '', verdict: 'pass' });
    expect(['instant', 'screened']).toContain(session['pace']);
    // What it was made to wait is the greeting's wait and nothing else.
    expect(session['delay_ms']).toBeLessThanOrEqual(GREET_WAIT_MS);
  }
}

/** `sluice dnsxl test` with the same zones. */
async function dnsxlTest(
  names: readonly Zone[],
  ...args: readonly string[]
): Promise<{ code: number | null; text: string }> {
  const file = join(sluice!.directory, 'test.toml');
  writeFileSync(file, stringify({ hostname: 'mx.example.test', ...settingsOf(names) }));
  const done = await run(process.execPath, [program, 'dnsxl', 'test', '-c', file, ...args]);
  return { code: done.code, text: `${done.stdout.toString()}${done.stderr}` };
}

describe('DNS lists', () => {
  it('refuse a client they have, name the list, and write its reason down', async () => {
    const { port } = await start(['good.test', 'six.test']);
    const answer = await send(port, LISTED);
    expect(answer?.lines).toEqual([
      `550 5.7.1 Service unavailable; client [${LISTED}] blocked using good.test`,
    ]);
    await until('its session is in the log', () => sluice!.sessions.length === 1);
    expect(sluice!.sessions[0]).toMatchObject({
      client: LISTED,
      dnsxl: ['good.test'],
      dnsxl_reason: `Listed by the test, see https://list.test/${LISTED}`,
      reasons: expect.arrayContaining(['listed']) as unknown,
    });
    expect(server.queries().filter(({ name }) => name === '7.0.66.127.good.test')).toEqual([
      { name: '7.0.66.127.good.test', type: 'A' },
      { name: '7.0.66.127.good.test', type: 'TXT' },
    ]);
    expect(await counter('dnsListed')).toBe(1);
    await expectHonest(10, '127.10.1');
  });

  it('refuse an IPv6 client that an IPv6 list has', async () => {
    const { port } = await start(['good.test', 'six.test']);
    const answer = await send(port, '::1');
    expect(answer?.lines).toEqual(['550 5.7.1 Service unavailable; client [::1] blocked using six.test']);
  });

  it('that answer late count in the running session', async () => {
    const { port } = await start(['good.test', 'slow.test']);
    await until('the slow zone has passed its test', async () =>
      (await zoneLines()).some((line) => line.includes('slow.test: good')),
    );
    const { client } = await greeted(port, '127.77.0.1');
    await client.expect('MAIL FROM:<a@example.org>', 250);
    await client.expect('RCPT TO:<first@example.com>', 250);
    let last: Reply | null = null;
    await until('a later recipient is refused', async () => {
      last = await client.ask('RCPT TO:<later@example.com>');
      return last?.code !== 250;
    });
    expect(last!.lines).toEqual([
      '550 5.7.1 Service unavailable; client [127.77.0.1] blocked using slow.test',
    ]);
    const data = await client.ask('DATA');
    client.close();
    expect(data?.code).toBe(550);
  });

  const broken = Object.keys(faults) as (keyof typeof faults)[];
  for (const zone of broken) {
    it(`of which ${zone} is broken do no honest client harm, and the fault is shown`, async () => {
      const names: readonly Zone[] = ['good.test', 'six.test', zone];
      const { port } = await start(names);
      await expectHonest(10, '127.20.1');
      await until('the operator is told', () => faults[zone].test(sluice!.said));
      await expectHonest(10, '127.20.2');
      expect((await send(port, LISTED))?.lines[0]).toMatch(/blocked using good\.test$/);
      const line = (await zoneLines()).find((one) => one.startsWith(`sluice: dnsxl ${zone}: `));
      expect(line).toMatch(zone === 'slow.test' ? /good, slow for/ : /suspended for/);
      const counts = {
        'dead.test': 'dnsTimeouts',
        'slow.test': 'dnsSlow',
        'world.test': 'dnsSuspensions',
        'error.test': 'dnsErrors',
      };
      expect(await counter(counts[zone])).toBeGreaterThan(0);
      const tested = await dnsxlTest(names, LISTED);
      expect(tested.code).toBe(1);
      expect(tested.text).toMatch(new RegExp(`^${zone} .* (broken|slow)$`, 'm'));
      expect(tested.text).toMatch(/^good\.test .* good$/m);
      expect(tested.text).toMatch(/^good\.test +listed +8 +Listed by the test/m);
      const verdicts = JSON.parse((await dnsxlTest(names, '--json')).text) as {
        zone: string;
        verdict: string;
      }[];
      expect(verdicts.map((one) => one.verdict)).toEqual([
        'good',
        'good',
        zone === 'slow.test' ? 'slow' : 'broken',
      ]);
    });
  }

  it('of which all are broken but two do no honest client harm', async () => {
    const names: readonly Zone[] = ['good.test', 'six.test', ...broken];
    const { port } = await start(names);
    await expectHonest(20, '127.30.1');
    for (const zone of broken) await until(`${zone} is reported`, () => faults[zone].test(sluice!.said));
    await expectHonest(20, '127.30.2');
    expect((await send(port, LISTED))?.lines[0]).toMatch(/blocked using good\.test$/);
    expect((await dnsxlTest(names)).code).toBe(1);
    expect((await dnsxlTest(['good.test', 'six.test'])).code).toBe(0);
  });

  it('of which one begins to list the world refuse nobody for it, long before its next test', async () => {
    await start(['good.test', 'turning.test']);
    await expectHonest(5, '127.40.1');
    await server.rewrite('turning.test', 'ip4trie', zones['world.test'].ip4trie);
    try {
      await expectHonest(40, '127.40.2');
      await until('the operator is told', () =>
        /dnsxl turning\.test is suspended: it lists 127\.0\.0\.1/.test(sluice!.said),
      );
    } finally {
      await server.rewrite('turning.test', 'ip4trie', zones['turning.test'].ip4trie);
    }
    await until('it is trusted again', () => /turning\.test has passed its test/.test(sluice!.said));
  });

  it('are asked through a resolver as well, and a dead and a slow one behind it harm nobody', async () => {
    const resolver = await Unbound.start({
      'good.test': server.port,
      'six.test': server.port,
      'world.test': server.port,
      'slow.test': road.port,
      'dead.test': road.port,
    });
    try {
      const names: readonly Zone[] = ['good.test', 'six.test', 'world.test', 'slow.test', 'dead.test'];
      const { port } = await start(names, { resolvers: [`127.0.0.1:${resolver.port}`] });
      await expectHonest(10, '127.50.1');
      expect((await send(port, LISTED))?.lines[0]).toMatch(/blocked using good\.test$/);
      await until('the dead zone is reported', () => /dnsxl dead\.test is suspended/.test(sluice!.said));
      await expectHonest(10, '127.50.2');
    } finally {
      await resolver.stop();
    }
  });

  it('are asked once for a client that comes to shards of several processes at once', async () => {
    const { port } = await start(['good.test', 'six.test'], {}, undefined, { processes: 2, shards: 2 });
    const before = server.queries().length;
    const answers = await Promise.all(Array.from({ length: 20 }, async () => send(port, '127.66.9.9')));
    expect(answers.map((answer) => answer?.code)).toEqual(answers.map(() => 550));
    const asked = server
      .queries()
      .slice(before)
      .filter(({ name }) => name === '9.9.66.127.good.test');
    expect(asked.map(({ type }) => type)).toEqual(['A', 'TXT']);
  });

  it('that cannot be asked for want of a name server harm nobody, and count when it comes', async () => {
    const resolver = await freePort();
    const { port } = await start(['good.test'], { resolvers: [`127.0.0.1:${resolver}`] }, []);
    await expectHonest(5, '127.60.1');
    expect((await send(port, LISTED))?.code).toBe(250);
    await until('the operator is told', () =>
      /dnsxl good\.test is suspended: its name server cannot be reached \(ECONNREFUSED\)/.test(sluice!.said),
    );
    const late = await DnsRoad.open(server.port, {}, resolver);
    await until('the zone is trusted', () => /good\.test has passed its test/.test(sluice!.said));
    await until('a listed client is refused', async () => (await send(port, LISTED))?.code === 550);
    late.close();
  });
});
