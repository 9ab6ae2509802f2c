/**
 * dns-load-main — `node test/system/dns-load-main.ts [CLIENTS [SEED]]` writes results/dns-lists.md
 *
 * The same crowd twice, with three lists and without, so that the one can be read beside the other.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import type { LoadFigures } from './dns-load.ts';
import { runLoad } from './dns-load.ts';

const clients = Number(process.argv[2] ?? 10_000);
const seed = Number(process.argv[3] ?? 1);
const plan = { clients, doubles: clients / 5, perSecond: 5_000, greetWaitMs: 6_000, seed };

const versionOf = (program: string, args: readonly string[]): string =>
  /\d+\.\d[^ )\n]*/.exec(execFileSync(program, args, { encoding: 'utf8' }))?.[0] ?? '';
const ms = (value: number): string => `${Math.round(value).toLocaleString('en')} ms`;
const many = (value: number): string => value.toLocaleString('en');

function quantiles(values: readonly number[]): string {
  const sorted = [...values].sort((one, other) => one - other);
  const at = (share: number): string =>
    ms(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!);
  return `${at(0.5)} | ${at(0.99)} | ${at(1)}`;
}

/** One row of each table for one run. */
function waitsOf(name: string, { sessions, log }: LoadFigures): readonly string[] {
  const honest = sessions.filter(({ listed }) => !listed);
  const paused = new Set(honest.map(({ address }) => address));
  const delays = log
    .filter((line) => paused.has(line['client'] as string))
    .map((line) => line['delay_ms'] as number);
  return [
    `| ${name}: greeting whole, from connect | ${quantiles(honest.map(({ greetingMs }) => greetingMs))} |`,
    `| ${name}: longest reply to a command | ${quantiles(honest.map(({ replyMs }) => replyMs))} |`,
    `| ${name}: delay that Sluice planned (\`delay_ms\`) | ${quantiles(delays)} |`,
  ];
}

/** Processes of others and of the run before that want the cores. */
const load = (): string => loadavg()[0]!.toFixed(1);
const loads = [load()];
const plain = await runLoad({ ...plan, hasLists: false });
loads.push(load());
const listed = await runLoad({ ...plan, hasLists: true });

const { sessions, asked, counters, zoneLines } = listed;
const times = [...asked.values()];
const total = times.reduce((sum, one) => sum + one, 0);
const pairs = plan.clients * 3;
const again = times.filter((one) => one > 1).length;
const timeouts = counters['dnsTimeouts'] ?? 0;
const bad = sessions.filter((one) => one.listed);
const honest = sessions.filter((one) => !one.listed);
const told = (of: typeof sessions, at: 'recipient' | 'data' | 'message', code: number): string =>
  many(of.filter((one) => one[at] === code).length);

const text = `# DNS lists: ${many(plan.clients)} clients at once against three lists

    node test/system/dns-load-main.ts ${plan.clients} ${seed}

${new Date().toISOString().slice(0, 10)} · project ${execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()} · Node ${process.version} · rbldnsd ${versionOf('apt-cache', ['policy', 'rbldnsd'])} · Linux ${release()} ${process.arch} · ${cpus().length} × ${cpus()[0]?.model.split(' ').slice(0, 2).join(' ')}, shared · ${Math.round(totalmem() / 2 ** 30)} GB · seed ${seed}.

${many(plan.clients)} clients, each from an address of its own, in ${many(sessions.length)} sessions (${many(plan.doubles)} clients come with two), ${many(plan.perSecond)} a second: all are there
before the first greeting is whole (\`greet_wait\` ${plan.greetWaitMs / 1000} s). Three zones of one rbldnsd, asked directly; three of ten clients are on one, two or all of them.
Crowd, Sluice (two shards in one process), rbldnsd and mail server share the two cores with others: the load of the machine was ${loads[0]} at the start of
the run without lists, and ${loads[1]} at the start of the one with lists.

## Questions, by rbldnsd's own log

| what | figure |
| --- | ---: |
| clients × zones | ${many(pairs)} |
| pairs that were asked about | ${many(times.length)} |
| A questions about clients | ${many(total)} |
| pairs asked more than once within their time to live | ${many(again)} |
| questions of Sluice in all: with reasons (TXT), test entries and proofs | ${many(counters['dnsQueries']!)} |
| of these without an answer in time | ${many(timeouts)} (${((100 * timeouts) / counters['dnsQueries']!).toFixed(2)} %) |
| look-ups dropped for want of room | ${many(counters['dnsDropped'] ?? 0)} |
| second sessions that joined the first one's look-ups | ${many(counters['dnsCoalesced'] ?? 0)} |
| look-ups answered from memory | ${many(counters['dnsCached'] ?? 0)} |

${zoneLines.map((line) => `    ${line}`).join('\n')}

## What clients were told

| clients | sessions | delivered (250) | refused (550) at the recipient | at DATA | behind the dot |
| --- | ---: | ---: | ---: | ---: | ---: |
| on no list | ${many(honest.length)} | ${told(honest, 'message', 250)} | ${told(honest, 'recipient', 550)} | ${told(honest, 'data', 550)} | ${told(honest, 'message', 550)} |
| on a list | ${many(bad.length)} | ${told(bad, 'message', 250)} | ${told(bad, 'recipient', 550)} | ${told(bad, 'data', 550)} | ${told(bad, 'message', 550)} |

## How long clients that are on no list waited

Seen by the crowd, whose own process is as busy as the others; the same crowd without lists beside it. Behind the greeting everybody
speaks at the same moment, and the wait for a reply is the queue for two cores and 20 backend connections.

| what | p50 | p99 | longest |
| --- | ---: | ---: | ---: |
${[...waitsOf('three lists', listed), ...waitsOf('no lists', plain)].join('\n')}
`;
writeFileSync(new URL('../../results/dns-lists.md', import.meta.url), text);
process.stdout.write(text);
