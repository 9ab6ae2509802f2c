/**
 * gauge — what the engine and the reputation table leave to the garbage collector
 *
 * Counted in processes of their own (gauge-engine, gauge-table) with a young generation of one mebibyte, so neither the
 * test runner nor a loaded machine has a part in it: a collection happens when memory was allocated, not when time passed.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { gaugeFlags } from './minors.ts';

interface Gauged {
  readonly commands: number;
  readonly control: number;
  readonly nameless: number;
  readonly naming: number;
}

interface TableGauged {
  readonly control: number;
  readonly known: number;
  readonly strangers: number;
}

let gauged: Gauged;
let table: TableGauged;

/** Runs a gauge in a process of its own, and returns what it prints. */
async function readingOf(file: URL): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, [...gaugeFlags, fileURLToPath(file)]);
  return JSON.parse(stdout);
}

beforeAll(async () => {
  gauged = (await readingOf(new URL('gauge-engine.ts', import.meta.url))) as Gauged;
  table = (await readingOf(new URL('gauge-table.ts', import.meta.url))) as TableGauged;
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

test('a visit to the reputation table allocates nothing: of a known client, or of a stranger who takes a place', () => {
  expect(table.control).toBeGreaterThan(4);
  expect(table.known).toBeLessThanOrEqual(2);
  expect(table.strangers).toBeLessThanOrEqual(2);
});
