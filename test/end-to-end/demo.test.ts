/**
 * The demo ends, however it is ended, and leaves nothing behind but its results.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { isAlive, until } from '../system/process.ts';
import { isListening, Program } from './program.ts';

/** What `sluice demo` promises: its duration and ten seconds. */
const durationMs = 5_000;
const graceMs = 10_000;

let demo: Program;
afterEach(() => demo.dispose());

/** Starts it and waits until zombies come; the port and every process it has. */
async function startDemo(): Promise<{ port: number; processes: number[] }> {
  demo = new Program(['demo', '--sessions', '200', '--duration', `${durationMs / 1_000}s`]);
  const text = (): string => demo.lines.join('\n');
  await demo.sees('zombies are there', () => /\d+ zombies are on their way[^]*\n[^\n]*zombies/.test(text()));
  const port = Number(/listens on 127\.0\.0\.1:(\d+)/.exec(text())![1]);
  const processes = demo.group();
  expect(processes.length).toBeGreaterThanOrEqual(2);
  return { port, processes };
}

/** Fails unless every process of the demo ends and its port is free. */
async function expectNothingLeft(
  port: number,
  processes: readonly number[],
  limitMs?: number,
): Promise<void> {
  await demo.groupGone(limitMs);
  await until('every process of the demo is gone', () => processes.every((pid) => !isAlive(pid)), limitMs);
  expect(await isListening(port)).toBe(false);
}

test('it ends by itself with exit code 0, prints a table and writes it below the current directory', async () => {
  const { port, processes } = await startDemo();
  expect(await demo.ended(durationMs + graceMs)).toBe(0);
  await expectNothingLeft(port, processes, 1_000);
  expect(demo.said).not.toMatch(/Error|failed/);
  const [file] = demo.lines.flatMap(
    (line) => /^written to (results\/demo-\S+)\.md and /.exec(line)?.[1] ?? [],
  );
  expect(readdirSync(join(demo.directory, 'results')).toSorted()).toEqual(
    ['json', 'md'].map((ending) => `${file!.slice('results/'.length)}.${ending}`),
  );
  expect(readdirSync(demo.directory)).toEqual(['results']);
  const text = demo.lines.join('\n');
  expect(text).toMatch(/zombie sessions ended +[1-9]\d*/);
  expect(text).toMatch(/stored (\d+) messages/);
});

test('Ctrl-C ends it sooner', async () => {
  const { port, processes } = await startDemo();
  demo.signalGroup('SIGINT');
  expect(await demo.ended(graceMs)).toBeTypeOf('number');
  await expectNothingLeft(port, processes);
  expect(demo.lines.join('\n')).toContain('written to results/');
});

test('SIGTERM to the demo alone ends it too', async () => {
  const { port, processes } = await startDemo();
  demo.signal('SIGTERM');
  expect(await demo.ended(graceMs)).toBeTypeOf('number');
  await expectNothingLeft(port, processes);
});

test('killed without a warning, it leaves no process and no port', async () => {
  const { port, processes } = await startDemo();
  demo.signal('SIGKILL');
  expect(await demo.ended()).toBe('SIGKILL');
  await expectNothingLeft(port, processes, 10_000);
});

test('it ends in time and tells of it when its engine is killed', async () => {
  const { port, processes } = await startDemo();
  const [engine] = demo.children();
  process.kill(engine!, 'SIGKILL');
  expect(await demo.ended(durationMs + graceMs)).toBe(1);
  await expectNothingLeft(port, processes, 1_000);
});
