/**
 * wheel — what arming, cancelling and firing cost with up to a million timers armed, beside setTimeout
 *
 *     node native-bench/wheel.ts --out results/wheel.md     # some minutes
 *     node native-bench/wheel.ts --quick                    # seconds; shows that it works, gives no figure
 *
 * In each round every number of timers has its turn, with the wheel and with the platform's timers, which take turns at being
 * first. Times are CPU of the thread as the kernel counts it, since a machine that is shared would add the turns of others;
 * helper threads of the garbage collector, which only the platform's timers need, are not counted.
 */
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Command, InvalidArgumentError } from 'commander';
import { Prng } from '../src/base/prng.ts';
import { Wheel } from '../src/timing/wheel.ts';
import { cells, describeMachine, spread, table as markdown } from './report.ts';
import { timersRound, timersStalled } from './platform-timers.ts';
import { cpuNs, fillOrder, type Crowd } from './timer-crowd.ts';

const TICK_MS = 10;
/** A thousandth of the delays, for the stall. The platform's timers cannot be told that five minutes have passed. */
const STALL = 1000;
const SET_DELAYS_MS = [2000, 6000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000];
const mixes = ['drawn', 'few'] as const;

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,7}$/.test(text)) throw new InvalidArgumentError('a whole number above 0 is wanted.');
  return Number(text);
}

const program = new Command('wheel')
  .option(
    '--armed <n>',
    'timers in the largest crowd; three more have a tenth of the one before',
    wholeNumber,
    1_000_000,
  )
  .option('--rounds <n>', 'alternating rounds', wholeNumber, 3)
  .option(
    '--operations <n>',
    'a smaller crowd is gone through so often that there are so many',
    wholeNumber,
    40_000,
  )
  .option('--seed <n>', 'seed of the draws', wholeNumber, 1)
  .option('--wheel-only', 'without the timers of the platform; no page is written')
  .option('--out <file>', 'where the page goes; empty: print only', '')
  .option('--quick', 'a tiny run that shows that every part works; no figure')
  .parse();
const flags = program.opts<Record<'armed' | 'rounds' | 'operations' | 'seed', number>>();
const { out, quick, wheelOnly } = program.opts<{ out: string; quick?: true; wheelOnly?: true }>();
if (quick === true) Object.assign(flags, { armed: 20_000, operations: 2000, rounds: 1 });
const random = new Prng(flags.seed);
const sizes = [1000, 100, 10, 1].map((part) => Math.max(2, Math.floor(flags.armed / part)));

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Delays, and the ids in a random order. */
function crowdOf(size: number, mix: (typeof mixes)[number]): Crowd {
  const order = Uint32Array.from({ length: size }, (_, id) => id);
  for (let left = size; left > 1; left -= 1) {
    const at = random.below(left);
    [order[at], order[left - 1]] = [order[left - 1]!, order[at]!];
  }
  const delayMs = (): number =>
    mix === 'drawn' ? 2000 + random.below(298_001) : SET_DELAYS_MS[random.below(SET_DELAYS_MS.length)]!;
  return { size, order, delaysMs: Uint32Array.from({ length: size * 2 }, delayMs), stall: STALL };
}

type WheelOperation = 'arm' | 'arm again' | 'cancel' | 'fire and arm anew' | 'fire, all late' | 'bare read';

/** Where the wheel's clock stands, and where its next crowd begins. */
let nowMs = 0;

/** Goes through a crowd on a wheel; CPU ns an operation. */
function wheelRound(wheel: Wheel, words: Int32Array, crowd: Crowd): Record<WheelOperation, number> {
  const { size, order, delaysMs } = crowd;
  const half = size >> 1;
  const fill = (part: number): void => {
    for (let at = 0; at < size; at += 1) {
      const id = fillOrder(crowd, at);
      wheel.arm(id, nowMs + delaysMs[id]! / part);
    }
  };
  const armHalf = (): void => {
    for (let at = 0; at < half; at += 1) wheel.arm(order[at]!, nowMs + delaysMs[size + at]!);
  };
  const cancelHalf = (): void => {
    for (let at = 0; at < half; at += 1) wheel.cancel(order[at]!);
  };
  nowMs += 12_345;
  wheel.advance(nowMs);
  fill(1);
  const again = cpuNs(armHalf);
  const cancel = cpuNs(cancelHalf);
  const arm = cpuNs(armHalf);
  let fired = 0;
  const turns = cpuNs(() => {
    while (fired < half) {
      nowMs = wheel.nextDueMs();
      wheel.advance(nowMs);
      for (let id = wheel.take(); id >= 0; id = wheel.take()) wheel.arm(id, nowMs + delaysMs[(fired += 1)]!);
    }
  });
  for (let id = 0; id < size; id += 1) wheel.cancel(id);
  fill(STALL);
  nowMs += 400;
  let late = 0;
  const stalled = cpuNs(() => {
    wheel.advance(nowMs);
    while (wheel.take() >= 0) late += 1;
  });
  if (late !== size || wheel.armed !== 0) throw new Error(`${late} of ${size} timers fired`);
  let word = 0;
  const read = cpuNs(() => {
    // Every word is 0, but nobody knows before it is read: no read begins before the one before it has ended.
    for (let at = 0; at < half; at += 1) word = words[order[at + word]! * 6]!;
  });
  return {
    arm: arm / half,
    'arm again': again / half,
    cancel: cancel / half,
    'fire and arm anew': turns / fired,
    'fire, all late': stalled / size,
    'bare read': (read + word) / half,
  };
}

const wheelOperations = [
  'arm',
  'arm again',
  'cancel',
  'fire and arm anew',
  'fire, all late',
  'bare read',
] as const;
const timerOperations = ['arm', 'arm again', 'refresh', 'cancel', 'fire, all late'] as const;
const times = new Map<string, number[]>();
const keyOf = (...words: (string | number)[]): string => words.join();

function note(who: string, mix: string, size: number, sums: Record<string, number>, passes: number): void {
  for (const [operation, sum] of Object.entries(sums)) {
    const key = keyOf(who, mix, size, operation);
    times.set(key, [...(times.get(key) ?? []), sum / passes]);
  }
}

/** Goes through a crowd some times and notes the mean. */
function noteRound(who: string, mix: string, crowd: Crowd, pass: () => Record<string, number>): void {
  const passes = Math.max(1, Math.floor(flags.operations / crowd.size));
  const sums: Record<string, number> = {};
  for (let at = 0; at < passes; at += 1)
    for (const [name, ns] of Object.entries(pass())) sums[name] = (sums[name] ?? 0) + ns;
  note(who, mix, crowd.size, sums, passes);
}

/** Bytes that a timer of each kind takes, with so many armed. */
function bytesEach(size: number): [wheel: number, platform: number] {
  const { delaysMs } = crowdOf(size, 'drawn');
  const handles: (NodeJS.Timeout | undefined)[] = Array.from({ length: size }, () => undefined);
  collect();
  const before = process.memoryUsage();
  const wheel = new Wheel(size, TICK_MS, 0);
  const between = process.memoryUsage();
  const onTime = (): void => undefined;
  for (let id = 0; id < size; id += 1) handles[id] = setTimeout(onTime, delaysMs[id]);
  collect();
  const after = process.memoryUsage();
  for (const handle of handles) clearTimeout(handle);
  return [
    (between.arrayBuffers - before.arrayBuffers) / wheel.capacity,
    (after.heapUsed - between.heapUsed) / size,
  ];
}

const bytes = wheelOnly === true ? [] : sizes.map(bytesEach);
const wheels = sizes.map((size) => new Wheel(size, TICK_MS, 0));
// Filled, or all of it would be one and the same page of zeros.
const memory = new Int32Array(Math.max(...sizes) * 6).fill(1).fill(0);
// Round -1 warms up.
for (let round = -1; round < flags.rounds; round += 1) {
  if (round === 0) times.clear();
  for (const mix of mixes)
    for (const [at, size] of sizes.entries()) {
      const crowd = crowdOf(size, mix);
      const turns = [
        async () => noteRound('wheel', mix, crowd, () => wheelRound(wheels[at]!, memory, crowd)),
        async () => {
          if (wheelOnly === true) return;
          noteRound('platform', mix, crowd, () => timersRound(crowd));
          collect();
          note('platform', mix, size, await timersStalled(crowd), 1);
        },
      ];
      for (const turn of round % 2 === 0 ? turns : turns.toReversed()) {
        collect();
        await turn();
      }
      // Each wheel has a clock of its own, and the next to be used may be behind.
      for (const wheel of wheels) wheel.advance(nowMs);
    }
}

const count = (size: number): string => size.toLocaleString('en-US');
function quotients(over: string, under: string): string {
  const divisors = times.get(under)!;
  return cells(spread(times.get(over)!.map((ns, round) => ns / divisors[round]!)), 2);
}

function costs(who: string, mix: string, operations: readonly string[]): string {
  const [least, most] = [sizes[0]!, sizes.at(-1)!];
  return markdown(
    [who, ...sizes.map(count), `${count(most)} over ${count(least)}`],
    operations.map((operation) => [
      operation,
      ...sizes.map((size) => cells(spread(times.get(keyOf(who, mix, size, operation))!), 0)),
      quotients(keyOf(who, mix, most, operation), keyOf(who, mix, least, operation)),
    ]),
  );
}

function ratios(mix: string): string {
  return markdown(
    ['platform / wheel', ...sizes.map(count)],
    timerOperations.map((operation) => [
      operation === 'refresh' ? 'refresh / arm again' : operation,
      ...sizes.map((size) =>
        quotients(
          keyOf('platform', mix, size, operation),
          keyOf('wheel', mix, size, operation === 'refresh' ? 'arm again' : operation),
        ),
      ),
    ]),
  );
}

function tablesOf(mix: string): string {
  const wheel = costs('wheel', mix, wheelOperations);
  return wheelOnly === true
    ? wheel
    : [wheel, costs('platform', mix, timerOperations), ratios(mix)].join('\n\n');
}

const page = `# A million timers

    node native-bench/wheel.ts ${process.argv.slice(2).join(' ')}

${Object.entries({ ...describeMachine(), ...flags })
  .map(([name, fact]) => `${name} ${fact}`)
  .join(' · ')}

Cells are least / **median** / most of ${flags.rounds} rounds, CPU ns an operation; ratios are taken within a round. The columns are numbers of timers that are
armed. Ids come in random order, and another than that in which they were armed first. *arm*: one half of the timers while the other half is armed. *arm again*: armed ones, for another
moment; with the platform clearTimeout and setTimeout. *fire and arm anew*: \`advance\` to each moment that \`nextDueMs\` names, \`take\`, and arm what was
taken for another moment, until half of the timers have fired; the number armed stays the same. *fire, all late*: with a thousandth of
the delays, all fire after a stall of 0.4 s. *bare read*: one word of 24 bytes a timer is read, at the same ids, one after the other: what the memory
of the machine costs. The platform's timers share one callback, which counts.

## Delays drawn from 2,000 … 300,000 ms

${tablesOf('drawn')}

## Eight delays: ${SET_DELAYS_MS.map((ms) => ms / 1000).join(', ')} s

${tablesOf('few')}

## Memory

${markdown(
  ['bytes a timer, delays drawn', ...sizes.map(count)],
  [
    ['wheel', ...bytes.map(([wheel]) => wheel.toFixed(1))],
    [
      'platform, without the variable that holds the timer',
      ...bytes.map(([, platform]) => platform.toFixed(0)),
    ],
  ],
)}

The wheel's memory is taken once, armed or not.
`;
process.stdout.write(page);
if (out !== '') writeFileSync(fileURLToPath(new URL(out, `file://${process.cwd()}/`)), page);
