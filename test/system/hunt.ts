/**
 * hunt — many short sessions over few reused lanes, and the question whose is what came out
 *
 * Processes of clients (hunt-client-main), the real Sluice with two shards, and behind it a sink at which something goes wrong all the
 * time, or a real Postfix. Sessions follow their plans (hunt-plan.ts), most of them leave somewhere in the middle, and behind it all
 * that is stored is held against what every client was told (hunt-check.ts).
 *
 * Strangers are tested as always, but the greeting has no silence and nobody is slowed: a hunt is after lanes, not after patience.
 */
import { createHash } from 'node:crypto';
import { createReadStream, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import type { SinkStats } from '../../loadgen/sink.ts';
import { selfSigned } from '../self-signed.ts';
import type { Told } from './hunt-client.ts';
import type { HuntReport, HuntShare } from './hunt-client-main.ts';
import { judge } from './hunt-check.ts';
import type { Finding, Kept } from './hunt-check.ts';
import { PROXIES, TRUSTED } from './hunt-plan.ts';
import type { HuntRules } from './hunt-plan.ts';
import { startPostfix } from './postfix.ts';
import { freePort, runWell } from './process.ts';
import { startSinkProcess } from './sink-process.ts';
import { startSluice } from './sluice.ts';

export interface HuntOptions {
  readonly sessions: number;
  readonly seed: number;
  readonly backend: 'sink' | 'postfix';
  /** Connections to the backend. */
  readonly lanes: number;
  readonly reuse: 'always' | 'auto';
  /** Processes of clients, and sessions that each has at once. */
  readonly processes: number;
  readonly concurrency: number;
  /** Commands of a thousand at which something goes wrong in the sink. */
  readonly mishaps: number;
  /** No session begins later than this. */
  readonly msMax: number;
}

export interface HuntResult {
  /** Everything that is not as it has to be; empty is a good result. */
  readonly wrong: readonly string[];
  readonly sessions: number;
  readonly durationMs: number;
  readonly finding: Finding;
  /** How many left where, by `point/way`. */
  readonly left: Readonly<Record<string, number>>;
  /** Sessions by their ending in the log of Sluice. */
  readonly endings: Readonly<Record<string, number>>;
  /** Counters of the sink; null with Postfix. */
  readonly sink: SinkStats | null;
}

/** A backend of a hunt. */
interface Behind {
  readonly port: number;
  /** Ends it. What it has stored, and its counters. */
  stored(): Promise<{ kept: Kept[]; stats: SinkStats | null }>;
  remove(): Promise<void>;
}

const program = fileURLToPath(new URL('./hunt-client-main.ts', import.meta.url));

/** Runs a hunt to its end. Throws when a part of it fails; what it finds is in the result. */
export async function runHunt(options: HuntOptions): Promise<HuntResult> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-hunt-'));
  const behind = options.backend === 'sink' ? await sinkBehind(options) : await postfixBehind(options);
  try {
    return await huntWith(options, behind, directory);
  } finally {
    await behind.remove();
    await rm(directory, { recursive: true, force: true });
  }
}

async function huntWith(options: HuntOptions, behind: Behind, directory: string): Promise<HuntResult> {
  const rules: HuntRules = { seed: options.seed, hasProxies: true, hasTls: true };
  const endings: Record<string, number> = {};
  const ports = { plain: await freePort(), proxied: await freePort() };
  const sluice = await startSluice({
    backendPort: behind.port,
    port: ports.plain,
    onSession: ({ ending }) => {
      endings[String(ending)] = (endings[String(ending)] ?? 0) + 1;
    },
    config: huntConfig(options, ports, directory),
  });
  const startMs = performance.now();
  let reports: HuntReport[];
  const files = Array.from({ length: options.processes }, (_, at) => join(directory, `told-${at}.jsonl`));
  try {
    reports = await Promise.all(
      files.map(async (file, first) => {
        const { sessions: end, concurrency, processes: step, msMax } = options;
        const share: HuntShare = { rules, ports, first, step, end, concurrency, msMax, file };
        const printed = await runWell(process.execPath, [program, JSON.stringify(share)]);
        return JSON.parse(printed.toString()) as HuntReport;
      }),
    );
  } finally {
    await sluice.stop();
  }
  const durationMs = Math.round(performance.now() - startMs);
  const { kept, stats } = await behind.stored();
  const told = (await Promise.all(files.map(linesOf))).flat();
  const finding = judge(rules, ports, told, kept, options.backend === 'postfix');
  const left: Record<string, number> = {};
  for (const report of reports)
    for (const [key, count] of Object.entries(report.left)) left[key] = (left[key] ?? 0) + count;
  return {
    wrong: [
      ...reports.flatMap(({ strange }) => strange),
      ...finding.wrong,
      ...(stats === null ? [] : wrongInStats(stats, options)),
    ],
    sessions: reports.reduce((sum, report) => sum + report.sessions, 0),
    durationMs,
    finding,
    left,
    endings,
    sink: stats,
  };
}

function huntConfig(
  options: HuntOptions,
  ports: { readonly plain: number; readonly proxied: number },
  directory: string,
): Record<string, Readonly<Record<string, unknown>> | readonly Readonly<Record<string, unknown>>[]> {
  const pair = selfSigned('mx.example.test');
  const tls = { certificate: join(directory, 'mx.crt'), key: join(directory, 'mx.key') };
  writeFileSync(tls.certificate, pair.certificate);
  writeFileSync(tls.key, pair.key);
  return {
    listener: [
      { address: `127.0.0.1:${ports.plain}`, tls },
      {
        address: `127.0.0.1:${ports.proxied}`,
        proxy_protocol: 'required',
        trusted_proxies: [PROXIES],
      },
    ],
    engine: { shards: 2, processes: 1, max_sessions: 10_000 },
    backend: { reuse: options.reuse, max_connections: options.lanes },
    screen: { greet_wait: '0s' },
    shape: { slow_from: 999, slow_at: 1_000 },
    stress: { loop_delay: '1min', backend_latency: '5min' },
    lists: { allow: TRUSTED },
    smtp: { errors_max: 1_000 },
  };
}

function wrongInStats(stats: SinkStats, options: HuntOptions): string[] {
  const wrong: string[] = [];
  if (stats.connectionsOpenMax > options.lanes)
    wrong.push(`${stats.connectionsOpenMax} connections to the sink at once, ${options.lanes} allowed`);
  for (const name of ['relayAttempts', 'syncErrors', 'bareNewlineCommands', 'unknownCommands'] as const)
    if (stats[name] > 0) wrong.push(`the sink counted ${stats[name]} ${name}`);
  return wrong;
}

async function sinkBehind(options: HuntOptions): Promise<Behind> {
  const sink = await startSinkProcess([
    '--names-addresses',
    '--mishaps',
    String(options.mishaps),
    '--seed',
    String(options.seed),
  ]);
  return {
    port: sink.port,
    stored: async () => {
      const stats = await sink.stop();
      return { kept: await all(sink.stored()), stats };
    },
    remove: () => sink.remove(),
  };
}

async function postfixBehind(options: HuntOptions): Promise<Behind> {
  const postfix = await startPostfix({
    processesMax: options.lanes,
    mainCf: { relay_domains: 'example.com', relay_recipient_maps: 'regexp:{{/^"?user/ known}}' },
  });
  const stored = async (): Promise<{ kept: Kept[]; stats: null }> => {
    await postfix.settled();
    const messages = await postfix.messages();
    const kept = messages.map(({ id, sender, recipients, attributes, content }) => {
      const of = (name: string): string => attributes.get(name) ?? '';
      const text = content.toString('latin1');
      const octets = Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1');
      const said = (address: string): string => (address.includes(':') ? `IPV6:${address}` : address);
      const named = (name: string): string => (name === 'unknown' ? '[UNAVAILABLE]' : name);
      return {
        id: /^X-Load-Id: (\S+)\n/.exec(text)?.[1] ?? '',
        queueId: id,
        sender,
        recipients,
        helo: of('helo_name'),
        protocol: of('protocol_name') as Kept['protocol'],
        sha256: createHash('sha256').update(octets).digest('hex'),
        client: {
          ADDR: said(of('client_address')),
          PORT: of('client_port'),
          DESTADDR: said(of('server_address')),
          DESTPORT: of('server_port'),
          NAME: named(of('client_name')),
          REVERSE_NAME: named(of('reverse_client_name')),
          LOGIN: of('sasl_username') || '[UNAVAILABLE]',
        },
      };
    });
    return { kept, stats: null };
  };
  return { port: postfix.reusedPort, stored, remove: () => postfix.stop() };
}

async function linesOf(file: string): Promise<Told[]> {
  const lines: Told[] = [];
  for await (const line of createInterface({ input: createReadStream(file) }))
    lines.push(JSON.parse(line) as Told);
  return lines;
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}
