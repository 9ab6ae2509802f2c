/**
 * Observe mode and its report, against the real program: a crowd of every kind comes, nobody is delayed or refused, and
 * `sluice report` says of the log what a plain count of it says.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { Load } from '../../loadgen/load.ts';
import { planDefaults } from '../../loadgen/plan.ts';
import { Sink } from '../../loadgen/sink.ts';
import { run } from '../system/process.ts';
import { sendMail } from './mail.ts';
import type { LogLine, Running } from './program.ts';
import { startRunning } from './program.ts';

const entry = fileURLToPath(new URL('../system/start-sluice.ts', import.meta.url));
/** Honest, and on the slow list. */
const SUSPECT = '127.33.44.5';

const sink = new Sink();
let running: Running | null = null;

afterEach(async () => {
  await running?.program.dispose();
  running = null;
  await sink.close();
});

interface Would {
  readonly pace: string;
  readonly delay_ms: number;
}

const wouldOf = (line: LogLine): Would | null => line['would'] as Would | null;
const touched = (line: LogLine, pace: string): boolean => wouldOf(line)?.pace === pace;
const delivered = (line: LogLine): boolean => (line['messages'] as number) > 0;

async function report(
  args: readonly string[],
  input?: string,
): Promise<{ code: number | null; out: string; err: string }> {
  const done = await run(
    process.execPath,
    [entry, 'report', ...args],
    input === undefined ? {} : { input: Buffer.from(input) },
  );
  return { code: done.code, out: done.stdout.toString(), err: done.stderr };
}

test('in observe mode nobody is delayed or refused, and the report counts what would have been', async () => {
  running = await startRunning(await sink.listen(), {
    mode: 'observe',
    lists: { slow: [SUSPECT], deny: ['127.66.0.0/16'] },
    screen: { greet_wait: '6s' },
    limits: { connection_rate: 20 },
    // What bounds every dialogue holds in both modes.
    smtp: { errors_max: 1_000 },
  });
  const { program, port } = running;
  expect((await sendMail(port, SUSPECT, 'Subject: a\n\nhello\n'))?.code).toBe(250);
  const load = new Load({
    ...planDefaults,
    target: { host: '127.0.0.1', port },
    sessions: 150,
    rate: 100,
    honestPerSecond: 10,
    honestAddresses: 10,
    durationMs: 3_000,
    graceMs: 5_000,
    patiencePercent: 1,
    seed: 3,
  });
  await load.run();
  program.signal('SIGTERM');
  expect(await program.ended()).toBe(0);
  const lines = program.sessions;
  expect(lines.length).toBeGreaterThan(100);

  expect(lines.map((line) => line['delay_ms']).filter((delay) => delay !== 0)).toEqual([]);
  expect(lines.map((line) => line['pace']).filter((pace) => pace !== 'instant')).toEqual([]);
  expect(lines.map((line) => line['verdict']).filter((one) => one === 'refused' || one === 'limit')).toEqual(
    [],
  );
  expect(lines.filter((line) => !('would' in line))).toEqual([]);
  expect(lines.find((line) => line['client'] === SUSPECT)!['would']).toEqual({
    pace: 'slow',
    reason: 'slow_list',
    delay_ms: 135_000,
  });

  const middle = Math.floor(lines.length / 2);
  const first = join(program.directory, 'a.log');
  const second = join(program.directory, 'b.log.gz');
  writeFileSync(first, `${program.lines.slice(0, middle).join('\n')}\nno line of ours\n`);
  writeFileSync(second, gzipSync(`${program.lines.slice(middle).join('\n')}\n`));
  const { code, out, err } = await report(['--json', '--top', '512', first, second]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const said = JSON.parse(out) as Record<string, any>;

  const wrong = lines.filter(
    (line) => delivered(line) && (touched(line, 'slow') || touched(line, 'refused')),
  );
  const sumOf = (some: readonly LogLine[]): object => ({
    sessions: some.length,
    delivered: some.filter(delivered).length,
    messages: some.reduce((sum, line) => sum + (line['messages'] as number), 0),
    delay_ms: some.reduce((sum, line) => sum + (wouldOf(line)?.delay_ms ?? 0), 0),
  });
  expect(said).toMatchObject({ lines: lines.length, bad_lines: 1, old_lines: 0, enforce: null });
  expect(said['observe']).toMatchObject({
    ...sumOf(lines),
    untouched: sumOf(lines.filter((line) => wouldOf(line) === null)),
    screened: sumOf(lines.filter((line) => touched(line, 'screened'))),
    slowed: sumOf(lines.filter((line) => touched(line, 'slow'))),
    refused: sumOf(lines.filter((line) => touched(line, 'refused'))),
    false_positives: sumOf(wrong),
  });
  const clients = said['observe'].false_positives.clients as readonly Record<string, unknown>[];
  expect(new Set(clients.map(({ client }) => client))).toEqual(new Set(wrong.map((line) => line['client'])));
  expect(clients).toHaveLength(new Set(wrong.map((line) => line['client'])).size);
  expect(clients.find(({ client }) => client === SUSPECT)).toMatchObject({
    sessions: 1,
    slowed: 1,
    messages: 1,
    delay_max_ms: 135_000,
    reasons: ['slow_list'],
  });

  const text = await report(['--top', '512'], `${program.lines.join('\n')}\n`);
  expect({ code: text.code, err: text.err }).toEqual({ code: 0, err: '' });
  expect(text.out).toMatch(/^== observe mode: nothing was delayed or refused/m);
  expect(text.out).toMatch(
    new RegExp(
      `^-- false positives: ${wrong.length} session${wrong.length === 1 ? '' : 's'}, [\\d.]+ % of the `,
      'm',
    ),
  );
  expect(text.out).toMatch(new RegExp(`^${SUSPECT} +1 +1 +1 +0 +2\\.3 min +slow_list$`, 'm'));
  expect(text.out).toMatch(/An accepted\s+message may still be spam/);
  expect(text.out).toMatch(/^[ -~…\n]+$/);
});

test('a file that is not there is told, and the others are reported', async () => {
  running = await startRunning(await sink.listen(), { mode: 'enforce', screen: { greet_wait: '50ms' } });
  const { program, port } = running;
  await sendMail(port, SUSPECT, 'Subject: a\n\nhello\n');
  await program.logs(1);
  const log = join(program.directory, 'a.log');
  writeFileSync(log, `${program.lines.join('\n')}\n`);
  const missing = join(program.directory, 'b.log');
  const { code, out, err } = await report([log, missing]);
  expect({ code, err }).toEqual({ code: 1, err: `sluice: ${missing}: there is no such file\n` });
  expect(out).toMatch(/^1 session, from /);
  expect(out).toMatch(/^waited for the greeting +1 +100\.0 % +1 +1 +0\.1 s$/m);
});
