import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build, compilerVersion, type Programs } from '../../../native-bench/build.ts';
import { sampleReplies, splitReplies } from '../../../native-bench/replies.ts';
import { spread } from '../../../native-bench/report.ts';

const floor = fileURLToPath(new URL('../../../native-bench/floor.ts', import.meta.url));
const builder = fileURLToPath(new URL('../../../native-bench/build.ts', import.meta.url));

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(
  program: string,
  words: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(program, [...words], { env: environment }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err });
    });
  });
}

describe('the bytes of a dialogue', () => {
  it('are cut into six writes, the greeting into two', () => {
    const writes = splitReplies(sampleReplies).map((write) => write.toString());
    expect(writes[0]).toBe('220-mx.example.net ESMTP\r\n');
    expect(writes[1]).toBe('220 mx.example.net ESMTP\r\n');
    expect(writes[2]).toMatch(/^250-mx(.|\r\n)*\r\n250 PIPELINING\r\n$/);
    expect(writes.join('')).toBe(sampleReplies.toString());
  });

  it('are refused when a reply is missing, cut or too many', () => {
    expect(() => splitReplies(sampleReplies.subarray(0, -1))).toThrow('ends after 4');
    expect(() => splitReplies(Buffer.concat([sampleReplies, Buffer.from('250 Ok\r\n')]))).toThrow('goes on');
  });
});

describe('a spread', () => {
  it('is least, median and most, whatever the order', () => {
    expect(spread([5, 1, 9, 3, 7])).toEqual({ min: 1, median: 5, max: 9 });
  });
});

describe('the build', () => {
  it('says what to install when there is no compiler', async () => {
    const outcome = await run(process.execPath, [builder], { ...process.env, CC: 'no-such-compiler' });
    expect(outcome.code).not.toBe(0);
    expect(outcome.err).toContain(
      "no C compiler: 'no-such-compiler' cannot be run. On Debian: apt-get install gcc",
    );
  });
});

// The rest needs a compiler; on a machine without one it is left out, and says so.
const compilers = [compilerVersion()].filter((version) => version !== undefined);
if (compilers.length === 0) {
  process.stderr.write(
    'left out: the C part of the floor benchmark; apt-get install gcc libc6-dev brings it\n',
  );
}

describe.each(compilers)('the driver and the responder, compiled by %s', () => {
  let programs: Programs;
  let responder: ChildProcess;
  let port = '';
  let lastLine = '';
  const folder = mkdtempSync(`${tmpdir()}/floor-test-`);
  const repliesFile = `${folder}/replies`;

  beforeAll(async () => {
    programs = build();
    writeFileSync(repliesFile, sampleReplies);
    responder = spawn(programs.responder, ['0', '20', repliesFile], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: responder.stdout! });
    lines.on('line', (line) => {
      lastLine = line;
    });
    await once(lines, 'line');
    port = lastLine.split(' ')[1]!;
  }, 30_000);

  afterAll(() => {
    responder.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  it('200 dialogues end well, byte for byte, no reply in pieces', async () => {
    const outcome = await run(programs.driver, [
      '--port',
      port,
      '--dialogues',
      '200',
      '--concurrency',
      '40',
      '--replies',
      repliesFile,
    ]);
    expect(outcome.err).toBe('');
    const report = JSON.parse(outcome.out);
    expect(report).toMatchObject({ dialogues: 200, ok: 200, failed: 0, bytes: 200 * sampleReplies.length });
    // Six writes make six reads, or five where a busy machine let the two parts of a greeting arrive together.
    expect(report.reads).toBeGreaterThanOrEqual(1000);
    expect(report.reads).toBeLessThanOrEqual(1200);
  });

  it('the greeting is not complete before its wait is over', async () => {
    const outcome = await run(programs.driver, [
      '--port',
      port,
      '--dialogues',
      '20',
      '--first-source',
      '1000',
    ]);
    expect(JSON.parse(outcome.out).greetingMinMs).toBeGreaterThanOrEqual(20);
  });

  it('a reply with other bytes is a failed dialogue, and the driver says which', async () => {
    const other = `${folder}/other`;
    writeFileSync(other, sampleReplies.toString().replace('250 2.1.0 Ok', '250 2.1.0 OK'));
    const outcome = await run(programs.driver, ['--port', port, '--dialogues', '3', '--replies', other]);
    expect(outcome.code).toBe(1);
    expect(JSON.parse(outcome.out)).toMatchObject({ ok: 0, failed: 3 });
    expect(outcome.err).toContain('driver: reply 2: bytes differ from the file of replies: 250 2.1.0 Ok');
  });

  it('a target outside 127.0.0.0/8 is refused before anything is sent', async () => {
    const outcome = await run(programs.driver, ['--port', port, '--dialogues', '1', '--host', '192.0.2.1']);
    expect(outcome).toMatchObject({ code: 2, out: '' });
    expect(outcome.err).toContain('127.0.0.0/8');
  });

  it('held sessions stay until the driver is told to let go', async () => {
    const driver = spawn(programs.driver, ['--port', port, '--hold', '30'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const seen: string[] = [];
    const lines = createInterface({ input: driver.stdout });
    lines.on('line', (line) => seen.push(line));
    await once(lines, 'line');
    expect(seen).toEqual(['held 30']);
    driver.stdin.end('\n');
    await once(driver, 'close');
    expect(JSON.parse(seen[1]!)).toMatchObject({ ok: 30, failed: 0 });
  });

  it('the responder counts what it did when it is told to stop', async () => {
    responder.kill('SIGTERM');
    await once(responder, 'close');
    expect(lastLine).toBe('accepted 253 finished 220 early 0 left 33 failed 0');
  });

  it('a tiny run of the whole benchmark gives a table without failures', async () => {
    const outcome = await run(process.execPath, [
      floor,
      '--quick',
      '--peers',
      'responder,node',
      '--hold',
      '20',
    ]);
    expect(outcome.err.split('\n').filter((line) => /FAILED|driver:|Error/.test(line))).toEqual([]);
    expect(outcome.code).toBe(0);
    expect(outcome.out).toMatch(
      /\| responder \|.*\| [56]\.\d\d \| 0 \|\n\| node \|.*\| [56]\.\d\d \| 0 \|\n/,
    );
  }, 60_000);
});
