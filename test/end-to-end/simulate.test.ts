/**
 * `sluice simulate` as an operator runs it: what it prints, what it writes, and what it says to a wrong command line.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import type { SimulationResult } from '../../src/cli/simulate-text.ts';
import { run } from '../system/process.ts';
import type { Said } from './verb.ts';

const entry = fileURLToPath(new URL('../system/start-sluice.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'sluice-simulate-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = join(folder, 'sluice.toml');
writeFileSync(
  file,
  'hostname = "mx.example.net"\n[reputation]\nentries = 20000\n[[dnsxl]]\nzone = "list.example.org"\nweight = 3\n',
);

async function simulate(...args: readonly string[]): Promise<Said> {
  const done = await run(process.execPath, [entry, 'simulate', ...args]);
  return { code: done.code, out: done.stdout.toString(), err: done.stderr };
}

const FEW = ['-c', file, '--sessions', '300', '--honest', '40', '--duration', '5min'];

async function resultOf(...args: readonly string[]): Promise<SimulationResult> {
  const { code, out, err } = await simulate(...FEW, ...args, '--json');
  if (code !== 0) throw new Error(`${code}: ${err}`);
  return JSON.parse(out) as SimulationResult;
}

test('one plan is told in tables: zombies by kind, honest senders, slots; and drawn', async () => {
  const picture = join(folder, 'one.svg');
  const { code, out, err } = await simulate(...FEW, '--plot', picture);
  expect([code, err]).toEqual([0, '']);
  expect(out).toContain('300 zombies of the population "2009" and 40 honest messages within 5min, seed 1.');
  expect(out).toMatch(/^rustock +[1-9]\d* +\d+\.\d\d % +21\.0 s/m);
  expect(out).toMatch(/^all +300 /m);
  expect(out).toMatch(/^known senders +\d+ +100\.00 % +0 ms/m);
  expect(out).toMatch(/^slots held at once, peak +[1-9]/m);
  expect(out).not.toContain('plan');
  expect(readFileSync(picture, 'utf8')).toMatch(/^<svg [^]*When zombies left[^]*<\/svg>\n$/);
});

test('several plans meet the same crowds in several threads and are told by their frontier', async () => {
  const base = join(folder, 'results', 'frontier');
  const sweep = ['--sweep', 'shape.reply_delay=0s,15s', '--seeds', '1..2', '--out', base];
  const { code, out, err } = await simulate(...FEW, ...sweep);
  expect(code).toBe(0);
  expect(err.split('\n').slice(0, 4)).toEqual(
    [1, 2, 3, 4].map((done) => expect.stringMatching(`^${done} of 4 runs after \\d`) as string),
  );
  expect(out).toMatch(/^1\* shape\.reply_delay=0s /m);
  expect(out).toMatch(/^2\* shape\.reply_delay=15s /m);
  expect(readdirSync(join(folder, 'results')).toSorted()).toEqual(['frontier.md', 'frontier.svg']);
  const report = readFileSync(`${base}.md`, 'utf8');
  expect(report).toContain('simulate -c');
  expect(report).toContain('![The frontier](frontier.svg)');
  expect(report).toMatch(/^\| 2\* shape\.reply_delay=15s \|/m);
});

test('the same command line gives the same figures, alone and beside others; another seed gives others', async () => {
  const [alone, beside] = await Promise.all([resultOf('--seeds', '5'), resultOf('--seeds', '5,6')]);
  const [five, six] = beside.plans[0]!.runs;
  expect(alone.plans[0]!.runs).toEqual([five]);
  expect(six).not.toEqual(five);
});

test('without a file the defaults are simulated, with a DNS list', async () => {
  const { code, out, err } = await simulate('--sessions', '200', '--honest', '20', '--duration', '2min');
  expect([code, err]).toEqual([0, '']);
  expect(out).toMatch(/^all +200 /m);
});

test('a population without zombies is simulated without any', async () => {
  const { plans, sessions } = await resultOf('--population', 'honest');
  expect(sessions).toBe(0);
  expect(plans[0]!.runs[0]!.honest.all.delivered).toBe(40);
});

test.each([
  [
    ['--population', 'storms'],
    2,
    /^error: there is no population "storms" \(did you mean storm\?\); there are\n/,
  ],
  [['--sweep', 'shape.reply=5s'], 2, /^error: there is no setting "shape\.reply" to sweep/],
  [['--sweep', 'shape.reply_delay=5'], 2, /^error: --sweep shape\.reply_delay: got "5", want a duration/],
  [
    ['--seeds', '3..1'],
    2,
    /^error: option '--seeds <list>' argument '3\.\.1' is invalid\. Want up to 100 seeds/,
  ],
  [
    ['--duration', 'soon'],
    2,
    /^error: option '--duration <time>' argument 'soon' is invalid\. Want a duration/,
  ],
  [
    ['--sessions', '-1'],
    2,
    /^error: option '--sessions <count>' argument '-1' is invalid\. Want a whole number/,
  ],
  [['--sweep', 'shape.reply_delay=4min', '--sweep', 'shape.timer_share=90'], 78, /^shape\.reply_delay=4min /],
  [['-c', '/nonexistent/sluice.toml'], 78, /^\/nonexistent\/sluice\.toml: cannot be read: no such file/],
])('%j is refused before anything runs', async (args, code, says) => {
  const said = await simulate(...args);
  expect(said.err).toMatch(says);
  expect([said.code, said.out]).toEqual([code, '']);
});
