/**
 * kill9 — the plug is pulled again and again: of Sluice, of what is behind it, of both
 *
 * Each round has a victim and a moment, both from the seed. Clients deliver (ledger.ts) until the moment comes; what was killed is started
 * again, and the next round begins when a message goes through. At the end all that is still open is delivered, and the ledger is held
 * against the store. Nothing is thrown away in between, so a message that comes out of a lane or a lock of ten rounds ago is found.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Prng } from '../../src/base/prng.ts';
import { greets } from '../../loadgen/greets.ts';
import { copyOf, disagreements, isOpen, Ledger } from './ledger.ts';
import type { Copy } from './ledger.ts';
import { startPostfix } from './postfix.ts';
import { freePort, until } from './process.ts';
import { startSinkProcess } from './sink-process.ts';
import { startSluice } from './sluice.ts';
import type { Sluice } from './sluice.ts';

export const backends = ['the sink', 'Postfix, fresh lanes', 'Postfix, reused lanes'] as const;
export type BackendName = (typeof backends)[number];

export interface Kill9Options {
  readonly backend: BackendName;
  readonly rounds: number;
  readonly seed: number;
  /** No round begins later than this. */
  readonly msMax: number;
}

/** What the rounds with one victim came to. */
export interface VictimFigures {
  rounds: number;
  attempts: number;
  told: number;
  refused: number;
  /** Told 451 because the answer was lost. */
  uncertain: number;
  /** Not answered, before and behind the final dot. */
  unansweredBefore: number;
  unansweredBehind: number;
  /** Stored, though the client was not told so. */
  storedUntold: number;
}

export interface Kill9Result {
  /** Everything that is not as it has to be; empty is a good result. */
  readonly wrong: readonly string[];
  /** By victim. */
  readonly figures: Readonly<Record<string, VictimFigures>>;
}

/** What stands behind Sluice, and how it dies. */
interface Victim {
  readonly port: number;
  readonly reuse: 'always' | 'never';
  /** The ways to kill it. */
  readonly ways: readonly string[];
  kill(way: string): Promise<void>;
  /** Whatever was killed is there again. */
  revive(way: string): Promise<void>;
  /** Its store, when nothing is under way any more. */
  copies(): Promise<Copy[]>;
  remove(): Promise<void>;
}

const CLIENTS = 8;
/** Moments (pieces sent, replies heard) of all clients together until the plug is pulled, at most. */
const MOMENTS_MAX = 600;
/** Sluice leaves a backend that was away alone for 8 s at most; the rest is for a machine that is busy. */
const FLOWS_MS_MAX = 120_000;

/** Runs the rounds to their end. Throws when Sluice does not come back, or leaves something behind. */
export async function runKill9({ backend, rounds, seed, msMax }: Kill9Options): Promise<Kill9Result> {
  const behind = await (backend === 'the sink' ? sinkVictim() : postfixVictim(backend));
  const running: { sluice?: Sluice | undefined } = {};
  const random = new Prng(seed);
  const kills = random.fork('kills');
  const ledger = new Ledger(random.fork('messages'));
  const victims = ['Sluice', ...behind.ways, ...behind.ways.map((way) => `Sluice and ${way}`)];
  const spans: { victim: string; end: number }[] = [];
  const wrong: string[] = [];
  const port = await freePort();
  const compileCache = await mkdtemp(join(tmpdir(), 'sluice-compiled-'));
  const start = async (): Promise<Sluice> => {
    const config = { backend: { reuse: behind.reuse }, screen: { greet_wait: '0s' } };
    const sluice = await startSluice({ backendPort: behind.port, port, config, compileCache });
    running.sluice = sluice;
    return sluice;
  };
  const lastMs = performance.now() + msMax;
  let nextMessage = 0;
  try {
    // Only a Sluice that ends in order leaves behind what it has compiled.
    await (await start()).stop();
    running.sluice = undefined;
    for (let round = 0; round < rounds && performance.now() < lastMs; round += 1) {
      const sluice = running.sluice ?? (await start());
      // In turn, so that each has its share of few rounds, in an order of the seed's.
      const victim = victims[(round + kills.below(2) * 2) % victims.length]!;
      const way = behind.ways.find((one) => victim.endsWith(one));
      const pull = async (): Promise<void> => {
        const isSluice = victim.startsWith('Sluice');
        await Promise.all([
          isSluice ? sluice.kill9() : undefined,
          way === undefined ? undefined : behind.kill(way),
        ]);
        if (isSluice) running.sluice = undefined;
      };
      let left = 1 + kills.below(MOMENTS_MAX);
      const kill: { done?: Promise<void> } = {};
      ledger.onMoment = () => {
        left -= 1;
        if (left === 0) kill.done = pull();
      };
      const work = async (client: number): Promise<void> => {
        let message = -1;
        while (kill.done === undefined) {
          if (message < 0 || ledger.done.has(message)) message = nextMessage++;
          await ledger.attempt(message, port, `127.60.${round % 250}.${client + 1}`);
        }
      };
      await Promise.all(Array.from({ length: CLIENTS }, (_, client) => work(client)));
      await kill.done;
      ledger.onMoment = () => {};
      if (sluice.said.includes('ShardBug'))
        wrong.push(`round ${round}: a shard died:\n${sluice.said.slice(-2000)}`);
      if (way !== undefined) await behind.revive(way);
      if (running.sluice !== undefined) {
        const message = nextMessage++;
        await until(
          'mail flows again',
          () => ledger.attempt(message, port, '127.60.251.1'),
          FLOWS_MS_MAX,
          50,
        );
      }
      spans.push({ victim, end: ledger.attempts.length });
    }
    const last = running.sluice ?? (await start());
    for (let message = 0; message < nextMessage; message += 1) {
      if (!ledger.done.has(message) && !(await ledger.attempt(message, port, '127.60.250.1')))
        wrong.push(`message ${message} does not go through after the last kill`);
    }
    spans.push({ victim: 'nobody: the rest', end: ledger.attempts.length });
    running.sluice = undefined;
    await last.stop();
    const copies = await behind.copies();
    return { wrong: [...wrong, ...disagreements(ledger, copies)], figures: figuresOf(ledger, copies, spans) };
  } finally {
    try {
      await running.sluice?.stop();
    } finally {
      await behind.remove();
      await rm(compileCache, { recursive: true, force: true });
    }
  }
}

function figuresOf(
  ledger: Ledger,
  copies: readonly Copy[],
  spans: readonly { readonly victim: string; readonly end: number }[],
): Record<string, VictimFigures> {
  const figures: Record<string, VictimFigures> = {};
  const stored = new Set(copies.map(({ attempt }) => attempt));
  let from = 0;
  for (const { victim, end } of spans) {
    const attempts = ledger.attempts.slice(from, end);
    const count = (is: (attempt: (typeof attempts)[number]) => boolean): number => attempts.filter(is).length;
    const of = (figures[victim] ??= {
      rounds: 0,
      attempts: 0,
      told: 0,
      refused: 0,
      uncertain: 0,
      unansweredBefore: 0,
      unansweredBehind: 0,
      storedUntold: 0,
    });
    of.rounds += 1;
    of.attempts += attempts.length;
    of.told += count(({ code }) => code === 250);
    of.uncertain += count(({ isUncertain }) => isUncertain);
    of.refused += count(({ code, isUncertain }) => code >= 400 && !isUncertain);
    of.unansweredBefore += count(({ code, isDotSent }) => code === 0 && !isDotSent);
    of.unansweredBehind += count(({ code, isDotSent }) => code === 0 && isDotSent);
    of.storedUntold += count((attempt) => isOpen(attempt) && stored.has(attempt.number));
    from = end;
  }
  return figures;
}

async function sinkVictim(): Promise<Victim> {
  const sink = await startSinkProcess([]);
  return {
    port: sink.port,
    reuse: 'always',
    ways: ['the sink'],
    kill: () => sink.kill9(),
    revive: () => sink.start(),
    copies: async () => {
      await sink.stop();
      const copies: Copy[] = [];
      for await (const { id, sha256 } of sink.stored())
        copies.push({ attempt: id === '' ? -1 : Number(id), sha256 });
      return copies;
    },
    remove: () => sink.remove(),
  };
}

const postfixWays = { 'all of Postfix': 'whole', 'its smtpd': 'smtpd', 'its cleanup': 'cleanup' } as const;

async function postfixVictim(backend: BackendName): Promise<Victim> {
  // Else it writes to its postmaster about a cleanup that was killed.
  const postfix = await startPostfix({ mainCf: { notify_classes: '' } });
  const isReused = backend === 'Postfix, reused lanes';
  const port = isReused ? postfix.reusedPort : postfix.freshPort;
  const victimOf = (way: string): 'whole' | 'smtpd' | 'cleanup' =>
    postfixWays[way as keyof typeof postfixWays];
  return {
    port,
    reuse: isReused ? 'always' : 'never',
    ways: Object.keys(postfixWays),
    kill: (way) => postfix.kill9(victimOf(way)),
    revive: async (way) => {
      if (victimOf(way) === 'whole') await postfix.start();
      else await until('Postfix greets again', () => greets(port));
    },
    copies: async () => {
      await postfix.settled();
      return (await postfix.messages()).map(({ content }) => copyOf(content));
    },
    remove: () => postfix.stop(),
  };
}
