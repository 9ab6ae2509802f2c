/**
 * gauge — what the engine leaves to the garbage collector
 *
 * Counted in a process of its own (gauge-engine) with a young generation of one mebibyte, so neither the test
 * runner nor a loaded machine has a part in it: a collection happens when memory was allocated, not when time passed.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';

interface Gauged {
  readonly commands: number;
  readonly control: number;
  readonly nameless: number;
  readonly naming: number;
}

const flags = ['--max-semi-space-size=1', '--min-semi-space-size=1'];
let gauged: Gauged;

beforeAll(async () => {
  const path = fileURLToPath(new URL('gauge-engine.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, path]);
  gauged = JSON.parse(stdout) as Gauged;
});

test('the gauge sees one small object a command', () => {
  expect(gauged.control).toBeGreaterThan(8);
});

test('a command that names nothing, and its reply, allocate nothing', () => {
  expect(gauged.nameless).toBeLessThanOrEqual(2);
});

test('a dialogue of which half names somebody allocates its strings and little else', () => {
  // One collection for some 10,000 objects of the control's size; a closure or an array a command would show.
  expect(gauged.naming).toBeLessThanOrEqual(gauged.control * 8);
});
