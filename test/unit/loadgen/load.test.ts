import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ClientRandom, clientSeed } from '../../../loadgen/bots/client-random.ts';
import { messageText } from '../../../loadgen/bots/message.ts';
import { SocketDriver } from '../../../loadgen/drivers/socket-driver.ts';
import { Ledger, audit } from '../../../loadgen/ledger.ts';
import type { LedgerEntry } from '../../../loadgen/ledger.ts';
import { Load } from '../../../loadgen/load.ts';
import type { LoadResult } from '../../../loadgen/load.ts';
import { connectionsMax, parseTarget, planDefaults } from '../../../loadgen/plan.ts';
import type { Plan } from '../../../loadgen/plan.ts';
import {
  commandOf,
  honestTroubles,
  machine,
  markdownOf,
  textOf,
  writeResults,
} from '../../../loadgen/report.ts';
import { milliseconds } from '../../../loadgen/tables.ts';
import { Sink } from '../../../loadgen/sink.ts';
import type { SinkOptions } from '../../../loadgen/sink-options.ts';

const toClose: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of toClose.splice(0)) await close();
});

const hashOf = (entry: LedgerEntry): string =>
  createHash('sha256').update(messageText(entry.id, entry.bytes)).digest('hex');

const quickPlan: Plan = {
  ...planDefaults,
  sessions: 0,
  rate: 1_000,
  honestPerSecond: 0,
  durationMs: 10_000,
  graceMs: 5_000,
  seed: 7,
  run: 't',
};

async function directSink(options: Partial<SinkOptions> = {}): Promise<Sink> {
  const sink = new Sink({ mustXclient: false, ...options });
  await sink.listen();
  toClose.push(() => sink.close());
  return sink;
}

async function runAgainst(sink: Sink, change: Partial<Plan>): Promise<{ load: Load; result: LoadResult }> {
  const load = new Load({ ...quickPlan, target: { host: '127.0.0.1', port: sink.port }, ...change });
  return { load, result: await load.run() };
}

describe('a load run against the sink', () => {
  it('of honest senders alone delivers every message once, unchanged, each told 250', async () => {
    const sink = await directSink();
    const { load, result } = await runAgainst(sink, {
      population: 'honest',
      honestPerSecond: 300,
      durationMs: 400,
    });
    const entries = [...load.ledger.entries()];
    expect(entries.length).toBeGreaterThan(60);
    expect(entries.every((entry) => entry.answer === 250)).toBe(true);
    expect(sink.stats.messages).toBe(entries.length);
    expect(audit(entries, sink.messages, hashOf)).toEqual({
      lost: [],
      doubled: [],
      changed: [],
      storedButRefused: [],
    });
    expect(honestTroubles(result)).toEqual([]);
    expect(sink.stats.quits).toBe(entries.length);
    expect(result.kinds[0]?.deliverMs.count).toBe(entries.length);
  });

  it('ends by itself when every zombie has come and gone, and accounts for each', async () => {
    const sink = await directSink();
    const { load, result } = await runAgainst(sink, {
      population: 'mixed',
      sessions: 150,
      patiencePercent: 0.2,
    });
    const started = result.kinds.reduce((sum, kind) => sum + kind.started, 0);
    const ended = result.kinds
      .flatMap((kind) => Object.values(kind.ended))
      .flatMap((stages) => Object.values(stages))
      .reduce((sum, count) => sum + count, 0);
    expect([started, ended, result.withheld]).toEqual([150, 150, 0]);
    expect(result.errors['EADDRNOTAVAIL']).toBeUndefined();
    expect(audit(load.ledger.entries(), sink.messages, hashOf)).toMatchObject({
      lost: [],
      doubled: [],
      changed: [],
    });
  });

  it('cuts the zombies when the time is over, and the honest ones after their grace', async () => {
    const sink = await directSink({ faults: { greetDelayMs: 600_000 } });
    const { result } = await runAgainst(sink, {
      population: 'patient',
      sessions: 30,
      honestPerSecond: 100,
      durationMs: 200,
      graceMs: 100,
    });
    const cut = result.kinds.flatMap((kind) => Object.entries(kind.ended));
    expect(new Set(cut.map(([ending]) => ending))).toEqual(new Set(['cut']));
    expect(result.kinds.filter((kind) => !kind.honest).reduce((sum, kind) => sum + kind.started, 0)).toBe(30);
    expect(honestTroubles(result).join()).toMatch(
      /did not finish: was still there when the run ended \(\d+ at greeting\).*no honest message/,
    );
  });

  it('with keep, replaces the zombies that left', async () => {
    const sink = await directSink({ faults: { refuseGreeting: '554' } });
    const { result } = await runAgainst(sink, {
      population: 'storm',
      sessions: 5,
      keep: true,
      durationMs: 300,
      patiencePercent: 0,
    });
    expect(result.kinds.reduce((sum, kind) => sum + kind.started, 0)).toBeGreaterThan(5);
    expect(result.connectionsOpenMax).toBeLessThanOrEqual(5);
  });

  it('with the same seed sends the same messages to the same people', async () => {
    const runs: string[] = [];
    for (let round = 0; round < 2; round += 1) {
      const sink = await directSink();
      await runAgainst(sink, { population: 'honest', honestPerSecond: 200, durationMs: 300 });
      const stored = sink.messages.map(
        (message) => `${message.id} ${message.sha256} ${message.recipients.join()}`,
      );
      runs.push(stored.sort().join('\n'));
    }
    expect(runs[0]?.length).toBeGreaterThan(500);
    expect(runs[1]).toBe(runs[0]);
  });

  it('notes a refused connection, and that no connection was made', async () => {
    const sink = await directSink();
    const { port } = sink;
    await sink.close();
    const load = new Load({
      ...quickPlan,
      target: { host: '127.0.0.1', port },
      sessions: 3,
      population: 'storm',
    });
    const result = await load.run();
    expect(result.errors).toEqual({ ECONNREFUSED: 3 });
    expect(honestTroubles(result)).toEqual(['no connection was made']);
  });

  it('can be stopped', async () => {
    const sink = await directSink({ faults: { greetDelayMs: 600_000 } });
    const load = new Load({
      ...quickPlan,
      target: { host: '127.0.0.1', port: sink.port },
      sessions: 3,
      durationMs: 3_600_000,
    });
    const running = load.run();
    load.stop();
    expect((await running).elapsedMs).toBeLessThan(3_600_000);
  });
});

describe('the socket driver', () => {
  /** A server that hands its sockets to the test. */
  async function rawServer(): Promise<{ server: Server; port: number; nextSocket: () => Promise<Socket> }> {
    const waiting: ((socket: Socket) => void)[] = [];
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      socket.on('error', () => {});
      const wake = waiting.shift();
      if (wake) wake(socket);
      else sockets.push(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    toClose.push(() => server.close());
    const nextSocket = (): Promise<Socket> =>
      new Promise((resolve) => {
        const ready = sockets.shift();
        if (ready) resolve(ready);
        else waiting.push(resolve);
      });
    return { server, port: (server.address() as AddressInfo).port, nextSocket };
  }

  const quiet = { name: 'quiet', honest: false, start: () => {}, react: () => {} };

  it('connects each client from its own address', async () => {
    const { port, nextSocket } = await rawServer();
    const driver = new SocketDriver({ host: '127.0.0.1', port }, [quiet], 2, 1, () => performance.now());
    driver.start(0, '127.64.1.2', 1);
    const socket = await nextSocket();
    expect(socket.remoteAddress).toBe('127.64.1.2');
    driver.cut('all');
    expect(driver.open).toBe(0);
  });

  it('refuses a client when all places are taken, and has a place again when one has left', async () => {
    const { port } = await rawServer();
    const driver = new SocketDriver({ host: '127.0.0.1', port }, [quiet], 2, 1, () => performance.now());
    expect([1, 2, 3].map((serial) => driver.start(0, '127.64.0.1', serial))).toEqual([true, true, false]);
    driver.cut('zombies');
    expect(driver.start(0, '127.64.0.1', 4)).toBe(true);
    driver.cut('all');
    expect(driver.tallies[0]?.endedCount('cut')).toBe(3);
  });

  it('tells a close from a reset', async () => {
    const { port, nextSocket } = await rawServer();
    let seenLast = (): void => {};
    const watcher = {
      ...quiet,
      react: (_me: unknown, seen: { what: number }) => void (seen.what === 4 && seenLast()),
    };
    const driver = new SocketDriver({ host: '127.0.0.1', port }, [watcher], 2, 1, () => performance.now());
    for (const [leave, ending] of [
      [(socket: Socket) => void socket.end(), 'closedByServer'],
      [(socket: Socket) => void socket.resetAndDestroy(), 'resetByServer'],
    ] as const) {
      const gone = new Promise<void>((resolve) => (seenLast = resolve));
      const connected = new Promise<void>((resolve) => {
        watcher.react = (me, seen) => {
          if (seen.what === 0) {
            (me as { stage: number }).stage = 1;
            resolve();
          }
          if (seen.what === 4) seenLast();
        };
      });
      driver.start(0, '127.64.0.1', 1);
      const socket = await nextSocket();
      await connected;
      leave(socket);
      await gone;
      expect(driver.tallies[0]?.endedCount(ending)).toBe(1);
    }
  });

  it.each(['192.0.2.1', '10.0.0.1', '::1', 'mx.example.com', '0.0.0.0', '127.0.0.1.example.com'])(
    'refuses to aim at %s',
    (host) => {
      expect(() => new SocketDriver({ host, port: 25 }, [quiet], 1, 1, () => 0)).toThrow(
        /not in 127\.0\.0\.0\/8/,
      );
      expect(() => parseTarget(`${host}:25`)).toThrow(/not in 127\.0\.0\.0\/8/);
    },
  );
});

describe('a target', () => {
  it('is an address and a port', () => {
    expect(parseTarget('127.0.0.5:2525')).toEqual({ host: '127.0.0.5', port: 2_525 });
    expect(parseTarget('localhost:25')).toEqual({ host: '127.0.0.1', port: 25 });
  });

  it.each(['127.0.0.1', '127.0.0.1:0', '127.0.0.1:70000', ':25', '127.0.0.1:x'])('is not %j', (text) => {
    expect(() => parseTarget(text)).toThrow(/is no target|127\.0\.0\.0/);
  });
});

describe('an audit', () => {
  const stored = (...ids: string[]): { id: string; idSha256: string }[] =>
    ids.map((id) => ({ id, idSha256: 'h' }));

  it('finds what was lost, doubled, changed, or stored though it was refused', () => {
    const ledger = new Ledger();
    for (const id of ['good', 'lost', 'twice', 'changed', 'refused', 'silent', 'waiting'])
      ledger.offered(id, 1, true);
    for (const id of ['good', 'lost', 'twice', 'changed']) ledger.told(id, 250);
    ledger.told('refused', 451);
    ledger.told('stranger', 250);
    const found = audit(
      ledger.entries(),
      [...stored('good', 'twice', 'twice', 'refused', 'silent'), { id: 'changed', idSha256: 'other' }],
      () => 'h',
    );
    expect(found).toEqual({
      lost: ['lost'],
      doubled: ['twice'],
      changed: ['changed'],
      storedButRefused: ['refused'],
    });
    expect(ledger.size).toBe(7);
    expect(ledger.jsonLines().split('\n')[0]).toBe('{"id":"good","bytes":1,"honest":true,"answer":250}');
  });
});

describe('a client’s chance', () => {
  const draws = (seed: number, serial: number): number[] => {
    const random = new ClientRandom();
    random.state = clientSeed(seed, serial);
    return Array.from({ length: 50 }, () => random.below(1_000));
  };

  it('follows from the seed and its number', () => {
    expect(draws(7, 3)).toEqual(draws(7, 3));
    expect(draws(7, 4)).not.toEqual(draws(7, 3));
    expect(draws(8, 3)).not.toEqual(draws(7, 3));
  });

  it('is spread evenly over many clients’ first draws', () => {
    const counts = new Array<number>(10).fill(0);
    const random = new ClientRandom();
    for (let serial = 1; serial <= 20_000; serial += 1) {
      random.state = clientSeed(1, serial);
      const drawn = random.below(10);
      counts[drawn] = (counts[drawn] as number) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 2_000)).toBeLessThan(200);
  });
});

describe('the report', () => {
  it('names the command and the seed that give a run again, and no more than that of the machine', async () => {
    const sink = await directSink();
    const { result } = await runAgainst(sink, {
      population: '2009',
      sessions: 40,
      honestPerSecond: 60,
      durationMs: 300,
    });
    const folder = mkdtempSync(join(tmpdir(), 'load-report-'));
    try {
      writeResults(join(folder, 'deeper', 'run'), result);
      const markdown = readFileSync(join(folder, 'deeper', 'run.md'), 'utf8');
      const json = JSON.parse(readFileSync(join(folder, 'deeper', 'run.json'), 'utf8')) as {
        command: string;
        plan: Plan;
      };
      expect(json.plan).toEqual(result.plan);
      expect(json.command).toBe(
        `npm run load -- --target 127.0.0.1:${sink.port} --population 2009 --sessions 40 --rate 1000 --duration 0.3 --seed 7 --honest 60 --grace 5`,
      );
      expect(markdown).toContain(json.command);
      expect(markdown).toContain(`Node ${process.version}`);
      expect(markdown).not.toContain(folder);
      expect(markdown).toMatch(/\| polite \| \d+ \|/);
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect(textOf(result)).toMatch(/^kind +started +greeted/);
    expect(
      markdownOf(result, machine())
        .split('\n')
        .filter((line) => line.startsWith('| pregreeter')).length,
    ).toBe(1);
  });

  it('writes times as people read them', () => {
    expect([0, 999, 1_000, 21_000, 300_000].map(milliseconds)).toEqual([
      '0 ms',
      '999 ms',
      '1.0 s',
      '21.0 s',
      '5.0 min',
    ]);
  });

  it('gives flags that differ from the usual, and only those', () => {
    expect(commandOf({ ...planDefaults, keep: true, curve: 'ramp' })).toBe(
      'npm run load -- --target 127.0.0.1:2525 --population mixed --sessions 1000 --rate 200 --duration 60 --seed 1 --keep --curve ramp',
    );
  });
});

it('a plan knows how many connections it may open at once', () => {
  expect(connectionsMax({ ...planDefaults, sessions: 10_000, honestPerSecond: 50 })).toBe(13_001);
  expect(
    connectionsMax({ ...planDefaults, sessions: 10, honestPerSecond: 1, durationMs: 1_000, graceMs: 1_000 }),
  ).toBe(13);
});
