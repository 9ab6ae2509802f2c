/**
 * shipped — Sluice as it is shipped in front of a backend, for the measurements of delivery
 *
 * Every setting that is not named is the default: enforcing, early verification, the log on (into a file). Files that would outlive
 * the run are left out, and so are look-ups of sender domains, which nobody here may ask anybody about. `max_sessions` is set to what
 * one process can hold: with the default of 100,000 the number of processes depends on the limit of open files.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, startServer } from './server.ts';
import type { Server } from './server.ts';
import { sluiceCommand } from './sluice.ts';

/** What one Sluice is to be. */
export interface ShippedPlan {
  readonly name: string;
  readonly backendPort: number;
  /** Where its configuration and its output go. */
  readonly folder: string;
  readonly sessionsMax: number;
  /** Further lines of its configuration, as `limits.connections = 1000`. */
  readonly lines?: readonly string[];
}

/** The configuration as TOML. */
export function shippedConfiguration(plan: ShippedPlan, port: number): string {
  const lines = [
    'hostname = "mx.example.net"',
    `listener = [{ address = "127.0.0.1:${port}" }]`,
    `backend.address = "127.0.0.1:${plan.backendPort}"`,
    `engine.max_sessions = ${plan.sessionsMax}`,
    'pools.spf = false',
    'reputation.file = ""',
    'admin.socket = ""',
    ...(plan.lines ?? []),
  ];
  return `${lines.join('\n')}\n`;
}

/** Starts it and waits until it listens. */
export async function startShipped(plan: ShippedPlan): Promise<Server> {
  const port = await freePort();
  const configFile = join(plan.folder, `${plan.name}.toml`);
  writeFileSync(configFile, shippedConfiguration(plan, port));
  return startServer({
    name: plan.name,
    command: sluiceCommand.map((word) => word.replace('{config}', configFile)),
    readyWord: 'listening',
    port,
    outputFile: join(plan.folder, `${plan.name}.log`),
  });
}
