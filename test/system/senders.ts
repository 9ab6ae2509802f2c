/**
 * senders — honest bots over real sockets, each from an address of its own, until the last has left
 */
import { setTimeout as pause } from 'node:timers/promises';

import { SocketDriver } from '../../loadgen/drivers/socket-driver.ts';
import type { ClientEnd } from '../../loadgen/drivers/socket-driver.ts';
import { honestSender } from '../../loadgen/honest.ts';
import type { HonestName } from '../../loadgen/honest.ts';
import type { LedgerEntry } from '../../loadgen/ledger.ts';

const TURN_MS = 5;
const LIMIT_MS = 300_000;

export interface Visit {
  readonly kind: HonestName;
  readonly address: string;
}

export interface Visited extends Visit {
  readonly ending: ClientEnd['ending'];
  readonly hasDelivered: boolean;
}

/** Lets everybody come at once; gives how each ended, in their order, and what every message was told. */
export async function sendFrom(
  port: number,
  visits: readonly Visit[],
  options: { readonly run: string; readonly seed: number; readonly timersPercent: number },
): Promise<{ readonly visited: readonly Visited[]; readonly ledger: readonly LedgerEntry[] }> {
  const kinds = [...new Set(visits.map(({ kind }) => kind))];
  const bots = kinds.map((kind) => honestSender(kind, { ...options, rcptDomain: 'example.com' }));
  const target = { host: '127.0.0.1', port };
  const driver = new SocketDriver(target, bots, visits.length, options.seed, () => performance.now());
  const ends = new Map<number, ClientEnd>();
  driver.onEnded = (end) => ends.set(end.serial, end);
  for (const [at, { kind, address }] of visits.entries()) driver.start(kinds.indexOf(kind), address, at + 1);
  const lastMs = performance.now() + LIMIT_MS;
  while (driver.open > 0) {
    if (performance.now() > lastMs) driver.cut('all');
    driver.turn();
    await pause(TURN_MS);
  }
  const visited = visits.map((visit, at) => {
    const { ending, hasDelivered } = ends.get(at + 1)!;
    return { ...visit, ending, hasDelivered };
  });
  return { visited, ledger: [...driver.ledger.entries()] };
}
