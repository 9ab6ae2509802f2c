import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { build } from 'hdr-histogram-js';
import { describe, expect, it } from 'vitest';
import type { LoadResult } from '../../../loadgen/load.ts';
import { Asker } from '../../../native-bench/asker.ts';
import { connectionsAtOnce, p99Ratio } from '../../../native-bench/crowded-page.ts';
import type { Phase } from '../../../native-bench/crowded-page.ts';
import { addedP50, goalLines as fastPathGoals } from '../../../native-bench/fast-path-page.ts';
import { cpuUs, cpuWithEndedUs, endedChildrenCpuUs } from '../../../native-bench/proc.ts';
import { shippedConfiguration } from '../../../native-bench/shipped.ts';
import { goalLines, summarizeRuns, throughputPage } from '../../../native-bench/throughput-page.ts';
import type { Run, WayName } from '../../../native-bench/throughput-page.ts';
import { parseConfig } from '../../../src/config/load.ts';

const runOf = (way: WayName, seconds: number): Run => ({
  shape: 'one',
  way,
  seconds,
  messages: 1_000,
  sluiceCpuSec: way === 'direct' ? 0 : 0.5,
  postfixCpuSec: 2,
  clientCpuSec: 0.25,
});

describe('throughput', () => {
  it('takes each ratio within its round, however much slower the machine is in another', () => {
    const rounds = [
      [runOf('direct', 1), runOf('reused', 2)],
      [runOf('direct', 10), runOf('reused', 20)],
      [runOf('direct', 100), runOf('reused', 200)],
    ];
    const reused = summarizeRuns(rounds).find(({ way }) => way === 'reused')!;
    expect(reused.ratio).toEqual({ min: 0.5, median: 0.5, max: 0.5 });
    expect(reused.perSec).toEqual({ min: 5, median: 50, max: 500 });
    expect(reused.sluiceCpuMs.median).toBe(0.5);
  });

  it('leaves out ways and shapes that were not run', () => {
    const summaries = summarizeRuns([[runOf('direct', 1), runOf('fresh', 1)]]);
    expect(summaries.map(({ shape, way }) => `${shape} ${way}`)).toEqual(['one direct', 'one fresh']);
  });

  it('says plainly which goal was missed', () => {
    const summaries = summarizeRuns([[runOf('direct', 1), runOf('fresh', 1.04), runOf('reused', 1.04)]]);
    expect(goalLines(summaries)).toEqual([
      '- one message a connection, through Sluice, fresh lanes: 0.962, wanted 0.95: reached',
      '- one message a connection, through Sluice, reused lanes: 0.962, wanted 1: **missed**',
    ]);
  });

  it('has a line for every single run on its page', () => {
    const rounds = [[runOf('direct', 1), runOf('fresh', 2)]];
    const page = throughputPage(
      { command: 'the command', facts: 'the facts', setting: 'the setting' },
      rounds,
    );
    expect(page).toContain('| 1 | one message a connection | through Sluice, fresh lanes | 1000 | 2.00 |');
    expect(page).toContain('    the command\n\nthe facts\n\nthe setting\n');
  });
});

describe('connections that Postfix had at once', () => {
  const line = (name: string, pid: number, what: string): string =>
    `Nov 25 17:12:16 backend postfix/${name}/smtpd[${pid}]: ${what} from unknown[127.0.0.1]\n`;

  it('are those that an smtpd took and had not let go of', () => {
    const log =
      line('reused', 1, 'connect') +
      line('reused', 2, 'connect') +
      line('reused', 1, 'disconnect') +
      line('reused', 3, 'connect') +
      line('reused', 1, 'connect') +
      line('reused', 1, 'disconnect');
    expect(connectionsAtOnce(log, 'postfix/reused')).toEqual({ most: 3, taken: 4 });
  });

  it('are counted for one listener, and neither its other lines nor those of others count', () => {
    const log =
      line('reused', 1, 'connect') +
      line('fresh', 2, 'connect') +
      line('reused', 3, 'lost connection after connect') +
      'Nov 25 17:12:16 backend postfix/reused/smtpd[4]: warning: connect from nowhere\n';
    expect(connectionsAtOnce(log, 'postfix/reused')).toEqual({ most: 1, taken: 1 });
  });
});

describe('a crowd', () => {
  const phase = (p99: number, heldMax: number): Phase => ({
    name: '',
    result: {
      kinds: [{ honest: true, messages: { told2xx: p99 > 0 ? 1 : 0 }, deliverMs: { p99 } }],
    } as unknown as LoadResult,
    heldMin: heldMax,
    heldMax,
    sluiceCpuSec: 0,
    postfixCpuSec: 0,
  });

  it('is held against the mean of the stretches without it', () => {
    expect(p99Ratio([phase(10, 0), phase(30, 20_000), phase(20, 0)])).toBe(2);
  });

  it('that lets nothing through is no good figure', () => {
    expect(p99Ratio([phase(10, 0), phase(0, 20_000), phase(20, 0)])).toBe(Infinity);
  });
});

describe('what the fast path adds', () => {
  const histogramOf = (values: readonly number[]) => {
    const histogram = build();
    for (const value of values) histogram.recordValue(value);
    return histogram;
  };
  const trips = {
    backend: 'sink',
    command: 'RCPT',
    direct: histogramOf([100_000]),
    through: histogramOf([180_000]),
    blocks: [
      { directNs: 100_000, throughNs: 190_000 },
      { directNs: 900_000, throughNs: 970_000 },
      { directNs: 100_000, throughNs: 900_000 },
    ],
  };

  it('is the median difference of blocks that were neighbours', () => {
    expect(addedP50(trips).blocksMs).toBe(0.09);
    expect(addedP50(trips).wholeMs).toBeCloseTo(0.08, 2);
    expect(fastPathGoals([trips], 'RCPT')[0]).toMatch(
      /^- RCPT, sink: the median grows by 0\.090 ms .*: reached$/,
    );
    expect(fastPathGoals([trips], 'DATA')).toEqual([]);
  });
});

describe('an asker', () => {
  const serve = async (replies: readonly string[]) => {
    const left = [...replies];
    const server = createServer((socket) => {
      socket.write(left.shift()!);
      socket.on('data', () => {
        const reply = left.shift();
        if (reply === undefined) socket.destroy();
        else socket.write(reply);
      });
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { port: (server.address() as AddressInfo).port, close: () => server.close() };
  };

  it('waits for the last line of a reply, and refuses another code', async () => {
    const server = await serve(['220 hello\r\n', '250-one\r\n250 two\r\n', '250 ok\r\n', '550 no\r\n']);
    const asker = await Asker.open(server.port, '127.0.0.1');
    expect(await asker.ask('MAIL', '250')).toBeGreaterThan(0);
    await expect(asker.ask('RCPT', '250')).rejects.toThrow('answered 550 no');
    server.close();
  });

  it('says so when the connection ends in place of a reply', async () => {
    const server = await serve(['220 hello\r\n', '250 ok\r\n']);
    const asker = await Asker.open(server.port, '127.0.0.1');
    await expect(asker.ask('MAIL', '250')).rejects.toThrow('the connection ended');
    server.close();
  });
});

describe('CPU of a family', () => {
  it('has that of children that have ended, which the sum over the living lacks', () => {
    const before = endedChildrenCpuUs();
    // Twice a tick of the kernel's clock is allowed for.
    const program =
      'for (let at = 0; at < 2e8; at++); const { user, system } = process.cpuUsage(); console.log(user + system)';
    const usedUs = Number(execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' }));
    expect(endedChildrenCpuUs() - before).toBeGreaterThanOrEqual(usedUs - 20_000);
    expect(cpuWithEndedUs(process.pid) - cpuUs(process.pid)).toBeGreaterThanOrEqual(usedUs - 20_000);
  });
});

describe('Sluice as shipped', () => {
  it('is a configuration that Sluice takes, further lines included', () => {
    const lines = ['engine.shards = 1'];
    const plan = { name: 'x', backendPort: 10_025, folder: '', sessionsMax: 5_000, lines };
    const config = parseConfig(shippedConfiguration(plan, 2_525), 'x.toml');
    expect(config.engine.shards).toBe(1);
    expect(config.backend.address).toBe('127.0.0.1:10025');
    expect(config.engine.maxSessions).toBe(5_000);
  });
});
