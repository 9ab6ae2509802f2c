/**
 * dns-load — a crowd of clients against three real lists, and what came of it
 *
 * rbldnsd serves the zones, the sink is the mail server, Sluice stands between, the crowd is a process of its own. How
 * often a zone was asked is read from rbldnsd's own log. The same crowd can come to a Sluice without lists, so that
 * what the lists cost can be told from what so many clients cost.
 */
import { fileURLToPath } from 'node:url';
import { Sink } from '../../loadgen/sink.ts';
import { Prng } from '../../src/base/prng.ts';
import type { CrowdPlan, SeenSession } from './dns-crowd.ts';
import { run, until } from './process.ts';
import { head, Rbldnsd } from './rbldnsd.ts';
import type { Sluice } from './sluice.ts';
import { startSluice } from './sluice.ts';

export interface LoadPlan {
  readonly clients: number;
  /** So many of them come with two sessions. */
  readonly doubles: number;
  readonly perSecond: number;
  readonly greetWaitMs: number;
  readonly seed: number;
  /** False: the same crowd without lists. */
  readonly hasLists: boolean;
  /** The mail server as a process of its own. */
  readonly sinkPort?: number;
}

export interface LoadFigures {
  readonly sessions: readonly (SeenSession & { readonly listed: boolean })[];
  /** Sluice's own log, a line a session. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  /** A questions about a client, by client and zone. */
  readonly asked: ReadonlyMap<string, number>;
  readonly counters: Readonly<Record<string, number>>;
  readonly zoneLines: readonly string[];
}

const zones = ['one.test', 'two.test', 'three.test'] as const;
const crowdProgram = fileURLToPath(new URL('./dns-crowd.ts', import.meta.url));

/** The address of a client by its number. */
export function addressOf(client: number): string {
  // Each in a network of its own: those that are listed would be the bad neighbours of those that are not.
  return `127.${20 + (client >> 8)}.${client & 255}.1`;
}

/** How many of the three lists have a client: three of ten clients are on one, two or all of them. */
export function listsWith(client: number): number {
  return Math.max(0, (client % 10) - 6);
}

/** Lets a crowd come and tells what came of it. */
export async function runLoad(plan: LoadPlan): Promise<LoadFigures> {
  const numbers = Array.from({ length: plan.clients }, (_, at) => at);
  const server = await Rbldnsd.start(
    Object.fromEntries(
      zones.map((zone, at) => {
        const listed = numbers.filter((client) => listsWith(client) > at).map(addressOf);
        return [zone, { ip4trie: [...head, ...listed] }];
      }),
    ),
  );
  const sink = new Sink({});
  const backendPort = plan.sinkPort ?? (await sink.listen());
  let sluice: Sluice | null = null;
  try {
    sluice = await startSluice({ backendPort, config: configOf(plan, server.port) });
    const { said } = sluice;
    await until('every zone has passed its test', async () => {
      const lines = await countsOf(sluice!, plan.hasLists ? zones.length : 0);
      return (
        lines.filter((line) => line.includes('.test: good')).length === (plan.hasLists ? zones.length : 0)
      );
    });
    const sessions = await crowd(orderOf(plan), sluice.port, plan.perSecond);
    await until('every session is in the log', () => sluice!.sessions.length >= sessions.length, 60_000);
    const lines = await countsOf(sluice, plan.hasLists ? zones.length : 0);
    const counters = lines.find((line) => line.startsWith('sluice: counters '))!.slice(17);
    const listed = new Set(numbers.filter((client) => listsWith(client) > 0).map(addressOf));
    if (sluice.said.length < said.length) throw new Error('Sluice has unsaid something');
    return {
      sessions: sessions.map((seen) => ({ ...seen, listed: listed.has(seen.address) })),
      log: sluice.sessions,
      asked: askedOf(server),
      counters: JSON.parse(counters) as Record<string, number>,
      zoneLines: lines.filter((line) => /^sluice: dnsxl \S+: /.test(line)).map((line) => line.slice(8)),
    };
  } finally {
    await sluice?.stop();
    await sink.close();
    await server.stop();
  }
}

function configOf(plan: LoadPlan, port: number) {
  const sessions = plan.clients + plan.doubles;
  return {
    engine: { shards: 2, processes: 1, max_sessions: Math.ceil(sessions * 1.3) },
    backend: { reuse: 'auto' },
    screen: { greet_wait: `${plan.greetWaitMs}ms` },
    shape: { reply_delay: '100ms' },
    reputation: { entries: Math.max(1_024, sessions * 10) },
    dnsxl: plan.hasLists ? zones.map((zone) => ({ zone, weight: 8 })) : [],
    dnsxl_policy: { resolvers: [`127.0.0.1:${port}`] },
  };
}

/** Sessions in the order of their coming, drawn by the seed. */
function orderOf(plan: LoadPlan): readonly string[] {
  const random = new Prng(plan.seed);
  const order = Array.from({ length: plan.clients + plan.doubles }, (_, at) => addressOf(at % plan.clients));
  for (let at = order.length - 1; at > 0; at -= 1) {
    const other = random.below(at + 1);
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return order;
}

async function crowd(
  addresses: readonly string[],
  port: number,
  perSecond: number,
): Promise<readonly SeenSession[]> {
  const plan: CrowdPlan = { addresses, port, perSecond };
  const done = await run(process.execPath, [crowdProgram], { input: Buffer.from(JSON.stringify(plan)) });
  if (done.code !== 0) throw new Error(`the crowd ended with ${done.code}:\n${done.stderr}`);
  return JSON.parse(done.stdout.toString()) as SeenSession[];
}

/** What SIGUSR2 brings, with the lines of `zoneCount` zones. */
async function countsOf(sluice: Sluice, zoneCount: number): Promise<readonly string[]> {
  const before = sluice.said.length;
  const lines = (): readonly string[] => sluice.said.slice(before).split('\n').slice(0, -1);
  process.kill(sluice.pid, 'SIGUSR2');
  await until('counters and zones are said', () => {
    const zoneLines = lines().filter((line) => /^sluice: dnsxl \S+: /.test(line));
    return zoneLines.length === zoneCount && lines().some((line) => line.startsWith('sluice: counters '));
  });
  return lines();
}

function askedOf(server: Rbldnsd): ReadonlyMap<string, number> {
  const asked = new Map<string, number>();
  for (const { name, type } of server.queries()) {
    // Test entries, proofs and the names of IPv6 entries are about nobody who came.
    if (type !== 'A' || /^[12]\.0\.0\.127\./.test(name) || name.length > 40) continue;
    asked.set(name, (asked.get(name) ?? 0) + 1);
  }
  return asked;
}
