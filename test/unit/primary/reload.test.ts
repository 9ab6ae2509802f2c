/**
 * A reload in its own thread: one after the other, and given up when the program ends.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import type { ListsMemory } from '../../../src/policy/lists.ts';
import { countsText } from '../../../src/policy/lists.ts';
import { Reload } from '../../../src/primary/reload.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-reload-'));
afterAll(() => rmSync(folder, { recursive: true }));
const fileName = join(folder, 'sluice.toml');
const write = (deny: string): void =>
  writeFileSync(fileName, `hostname = "mx.example.net"\n[lists]\ndeny = ["${deny}"]\n`);

let said: string[];
let taken: ListsMemory[];
let reload: Reload;
beforeEach(() => {
  write('192.0.2.0/24');
  said = [];
  taken = [];
  reload = new Reload(
    loadConfig(fileName),
    fileName,
    (line) => said.push(line),
    (lists) => taken.push(lists),
  );
});

it('gives shared memory and says what it took', async () => {
  await reload.ask();
  expect(taken.map(countsText)).toEqual(['allow 0, slow 0, deny 1, exceptions 0']);
  expect(taken[0]!.deny.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(said).toEqual([expect.stringMatching(/^lists read anew in \d+ ms: allow 0, slow 0, deny 1/)]);
});

it('follows those who ask while it runs with one more, however many asked', async () => {
  const first = reload.ask();
  await Promise.all(Array.from({ length: 20 }, () => reload.ask()));
  await first;
  expect(said).toHaveLength(2);
  expect(taken).toHaveLength(2);
});

it('gives nothing and says where it is wrong when the file is wrong', async () => {
  write('192.0.2.1/24');
  await reload.ask();
  expect(taken).toEqual([]);
  expect(said).toEqual([
    `${fileName}:3:9: lists.deny[0]: got "192.0.2.1/24", want a network whose host bits are zero (did you mean "192.0.2.0/24"?)`,
    'the lists stay as they were',
  ]);
});

it('is given up without a word at the end, and begins no other', async () => {
  const asked = reload.ask();
  await Promise.all([reload.ask(), reload.end(), asked]);
  await reload.ask();
  expect([taken, said]).toEqual([[], []]);
});
