/**
 * check — `sluice check`: is this configuration good?
 *
 * Reads the file as `run` would, adds what only this host can tell (the spool directory, the socket options), asks the patience
 * budget for the worst case beside each timer of a client, and with --live the backend. Opens no listener.
 *
 * Out: exit 0, 78 for the configuration, 1 for a backend that does not do its part.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { ConfigError } from '../config/config-error.ts';
import type { Config } from '../config/config.ts';
import { readKeyPair } from '../config/key-pairs.ts';
import { loadConfig } from '../config/load.ts';
import { serversOf } from '../config/servers.ts';
import { countsText, hasNetworks } from '../policy/lists.ts';
import { writeDuration } from '../config/units.ts';
import { exitCodes } from './exit.ts';
import { aligned, print } from './output.ts';

const unnamedText =
  '\nwarning: backend.identity = "none": the backend takes every client for Sluice; it must not relay for the address of Sluice\n';

/** One line of the patience table: a timer of the client and what Sluice may use of it at worst. */
export interface PatienceRow {
  readonly timer: string;
  readonly limitMs: number;
  readonly worstMs: number;
  readonly source: string;
}

/** Checks the file, prints a line and the patience table. Throws ConfigError. */
export async function checkVerb(options: {
  readonly config: string;
  readonly live: boolean;
}): Promise<number> {
  const config = loadConfig(options.config);
  const { patienceProblems, patienceTable } = await import('../policy/patience.ts');
  const problems = [...spoolProblems(config), ...patienceProblems(config)];
  if (problems.length > 0) throw new ConfigError(problems.map((problem) => `${options.config}: ${problem}`));
  const { compileLists } = await import('../primary/list-files.ts');
  const lists = compileLists(config);
  const { readNameKey } = await import('../io/client-names.ts');
  const { warning } = readNameKey(config, options.config);
  print(goodLine(options.config, config));
  if (hasNetworks(lists)) print(`networks in lists: ${countsText(lists)}\n`);
  print(tlsText(config));
  print(backendTlsText(config));
  print(`\n${patienceText(patienceTable(config))}`);
  const { shapingText, socketOptions } = await import('../io/socket-options.ts');
  print(`\n${shapingText(socketOptions())}\n`);
  if (warning !== null) print(`\n${warning}\n`);
  if (config.backend.identity === 'none') print(unnamedText);
  if (!options.live) return exitCodes.good;
  const { probeBackend } = await import('../primary/probe.ts');
  const probe = await probeBackend(config);
  print(`\n${probe.lines.map((line) => `${line}\n`).join('')}`);
  return probe.ok ? exitCodes.good : exitCodes.failed;
}

/** The one line that says that all is well, and what was understood. */
export function goodLine(fileName: string, config: Config): string {
  const listeners = config.listener.map((listener) => listener.address).join(' ');
  return `${fileName} is good: ${config.hostname} on ${listeners}, mode ${config.mode}, backend ${serversText(config)}\n`;
}

/** `mx1.example:25`, or `mx1.example:25 (weight 3), mx2.example:25 (weight 1)`. */
function serversText(config: Config): string {
  const servers = serversOf(config);
  if (servers.length === 1) return servers[0]!.address;
  return servers.map(({ address, weight }) => `${address} (weight ${weight})`).join(', ');
}

/** What each listener with a certificate shows, a line each. */
export function tlsText(config: Config): string {
  return config.listener
    .map(({ address, tls }) => {
      const pair = tls.certificate === '' ? null : readKeyPair(tls);
      if (pair === null || 'says' in pair) return '';
      const day = new Date(pair.untilMs).toISOString().slice(0, 10);
      return `STARTTLS on ${address}: ${pair.names}, until ${day}${pair.untilMs < Date.now() ? ': expired' : ''}\n`;
    })
    .join('');
}

/** A warning where the backend may be anybody. */
export function backendTlsText({ backend }: Config): string {
  if (backend.tls !== 'unverified') return '';
  return 'warning: backend.tls = "unverified": whoever is on the way to the backend can pass for it and read the mail\n';
}

/** The patience table as aligned text. */
export function patienceText(rows: readonly PatienceRow[]): string {
  const lines = rows.map((row) => [
    row.timer,
    writeDuration(row.limitMs),
    writeDuration(row.worstMs),
    row.source,
  ]);
  return aligned([['timer of the client', 'it waits', 'we use at most', 'set by'], ...lines]);
}

/** What keeps messages from being written to spool.directory. */
export function spoolProblems(config: Config): readonly string[] {
  const { directory } = config.spool;
  if (directory === '') return [];
  try {
    if (!statSync(directory).isDirectory()) return [`spool.directory: "${directory}" is not a directory`];
    accessSync(directory, constants.W_OK | constants.X_OK);
    return [];
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return [`spool.directory: "${directory}" ${missing ? 'does not exist' : 'cannot be written to'}`];
  }
}
