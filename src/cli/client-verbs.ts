/**
 * client-verbs — `sluice explain`, `sluice families` and `sluice ip`: what is known of clients, asked of a Sluice that runs
 *
 * An address that is none is the caller's mistake (2); nobody to ask, or an answer that says no, is a failure (1).
 */
import { createReadStream } from 'node:fs';
import type { EntryText } from '../admin/entry.ts';
import type { Explanation, ScoreRow } from '../admin/explain.ts';
import { ask, AdminTrouble, askLines, askWell, socketPath } from './admin-client.ts';
import type { SocketPlace } from './admin-client.ts';
import { entryTextFor, explanationText, listText, markText } from './client-text.ts';
import { exitCodes } from './exit.ts';
import { familiesText } from './family-text.ts';
import { complain, jsonText, print, printable } from './output.ts';

export interface ClientOptions extends SocketPlace {
  readonly json?: true;
}

const nowSec = (): number => Math.floor(Date.now() / 1000);

/** Runs one of the verbs below; what it could not do is one sentence and 1. */
async function told(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AdminTrouble)) throw error;
    complain(`sluice: ${error.message}\n`);
    return exitCodes.failed;
  }
}

/** Asks, and prints the answer as JSON or as `text` has it. */
function answered(
  options: ClientOptions,
  question: Parameters<typeof askWell>[1],
  text: (value: never) => string,
): Promise<number> {
  return told(async () => {
    const value = await askWell(socketPath(options), question);
    print(options.json === true ? jsonText(value) : text(value as never));
    return exitCodes.good;
  });
}

const pathOf = (address: string): string => `/api/v1/ip/${encodeURIComponent(address)}`;

/** `sluice explain ADDRESS`. */
export function explainVerb(address: string, options: ClientOptions): Promise<number> {
  const path = `/api/v1/explain/${encodeURIComponent(address)}`;
  return answered(options, { method: 'GET', path }, (value: Explanation) => explanationText(value, nowSec()));
}

/** `sluice families`. */
export function familiesVerb(options: ClientOptions): Promise<number> {
  return answered(options, { method: 'GET', path: '/api/v1/families' }, familiesText);
}

/** `sluice recipients flush`. */
export function flushRecipientsVerb(options: ClientOptions): Promise<number> {
  return answered(
    options,
    { method: 'POST', path: '/api/v1/recipients/flush' },
    () => 'every shard asks the backend anew, about names it knew and names it did not\n',
  );
}

export interface ListOptions extends ClientOptions {
  readonly kind?: string;
  readonly mark?: string;
  readonly min?: string;
  readonly max?: string;
  readonly network?: string;
  readonly sort: string;
  readonly offset: number;
  readonly limit: number;
}

/** `sluice ip list`. */
export function listVerb(options: ListOptions): Promise<number> {
  const query = new URLSearchParams();
  for (const name of ['kind', 'mark', 'min', 'max', 'network', 'sort', 'offset', 'limit'] as const) {
    const value = options[name];
    if (value !== undefined) query.set(name, String(value));
  }
  return answered(
    options,
    { method: 'GET', path: `/api/v1/ip?${query.toString()}` },
    ({ rows, matched, offset }: { rows: EntryText[]; matched: number; offset: number }) =>
      listText(rows, matched, offset, nowSec()),
  );
}

/** `sluice ip show ADDRESS`. */
export function showVerb(address: string, options: ClientOptions): Promise<number> {
  return answered(
    options,
    { method: 'GET', path: pathOf(address) },
    (value: EntryText & { rows: ScoreRow[] }) => entryTextFor(value, nowSec()),
  );
}

/** `sluice ip allow ADDRESS` and `sluice ip deny ADDRESS`. */
export function markVerb(
  mark: 'allow' | 'deny',
  address: string,
  options: ClientOptions & { readonly until?: string },
): Promise<number> {
  const body = options.until === undefined ? '' : JSON.stringify({ until: options.until });
  return answered(
    options,
    { method: 'POST', path: `${pathOf(address)}/${mark}`, body },
    (value: Pick<EntryText, 'name' | 'mark' | 'mark_until'>) =>
      `${printable(value.name)}: ${markText(value)}; it counts from the next connection on\n`,
  );
}

/** `sluice ip forget ADDRESS`. */
export function forgetVerb(address: string, options: ClientOptions): Promise<number> {
  return answered(
    options,
    { method: 'POST', path: `${pathOf(address)}/forget` },
    ({ name, was_known: was }: { name: string; was_known: boolean }) =>
      `${printable(name)}: ${was ? 'forgotten' : 'nothing was known'}\n`,
  );
}

/** `sluice ip export`: lines of JSON on standard output. */
export function exportVerb(options: ClientOptions): Promise<number> {
  return told(async () => {
    await askLines(socketPath(options), { method: 'GET', path: '/api/v1/export' }, process.stdout);
    return exitCodes.good;
  });
}

interface ImportAnswer {
  readonly imported: number;
  readonly left_out: number;
  readonly no_room: number;
  readonly faults: readonly { readonly line: number; readonly fault: string }[];
  readonly faults_total: number;
}

/** `sluice ip import FILE`, "-" for standard input. */
export function importVerb(file: string, options: ClientOptions): Promise<number> {
  return told(async () => {
    const body = file === '-' ? process.stdin : createReadStream(file);
    const { status, value } = await ask(socketPath(options), {
      method: 'POST',
      path: '/api/v1/import',
      body,
    });
    if (status !== 200 && status !== 422) throw new AdminTrouble(printable(String(value['error'])));
    const report = value as unknown as ImportAnswer;
    if (options.json === true) print(jsonText(report));
    if (status === 200) {
      if (options.json !== true) print(importText(report));
      return exitCodes.good;
    }
    for (const { line, fault } of report.faults) complain(`${file}:${line}: ${printable(fault)}\n`);
    const more = report.faults_total - report.faults.length;
    complain(`sluice: nothing was imported${more > 0 ? `; ${more} more lines are wrong` : ''}\n`);
    return exitCodes.failed;
  });
}

function importText({ imported, left_out: leftOut, no_room: noRoom }: ImportAnswer): string {
  return (
    `${imported} imported\n` +
    (leftOut > 0 ? `${leftOut} hosts left out: privacy.log_ip = "truncate" keeps none\n` : '') +
    (noRoom > 0 ? `${noRoom} found no room: raise reputation.entries\n` : '')
  );
}
