/**
 * delivery — one run of smtp-source over one way, and what came of it
 */
import { run, until } from './process.ts';
import { honestSources, sha256Of, startTap } from './tap.ts';
import type { Tap } from './tap.ts';
import type { Way } from './way.ts';

export interface Delivery {
  readonly tap: Tap;
  /** What smtp-source complained of. */
  readonly complaints: string;
  readonly durationMs: number;
}

/** The recipient of what smtp-source sends; nobody else writes to it. */
export const honestRecipient = 'anna@example.test';

/** Sends `count` messages of 2,000 bytes, each in a session of its own, 20 sessions at a time, from 20 addresses. */
export async function deliverWithSmtpSource(way: Way, count: number): Promise<Delivery> {
  const tap = await startTap(way.port, honestSources(20));
  const beginMs = performance.now();
  const args = [
    '-s',
    '20',
    '-m',
    String(count),
    '-l',
    '2000',
    '-M',
    'source.example.org',
    '-f',
    'a@honest.test',
  ];
  const sent = await run('smtp-source', [...args, '-t', honestRecipient, tap.target]);
  await tap.close();
  const complaints = `${sent.code === 0 ? '' : `exit code ${sent.code}\n`}${sent.stderr}`;
  return { tap, complaints, durationMs: Math.round(performance.now() - beginMs) };
}

/** Content hash and client address of each message that smtp-source sent and was told 250 for, sorted. */
export function toldOf(tap: Tap): string[] {
  const accepted = tap.messages.filter((message) => message.code === 250);
  return accepted.map((message) => `${message.sha256} ${message.source}`).sort();
}

/** The same of each message in the queue for `honestRecipient`, sorted. */
export async function storedOf(way: Way): Promise<string[]> {
  const honest = (await way.postfix.messages()).filter((message) =>
    message.recipients.includes(honestRecipient),
  );
  return honest.map((message) => `${sha256Of(message.content)} ${message.clientAddress}`).sort();
}

/** The client address that Postfix's log names for each stored message; waits until it knows of all of them. */
export async function clientsInLog(way: Way): Promise<Map<string, string>> {
  // A transaction that only verified a recipient has such a line too: what counts is what was stored.
  const stored = new Set(way.postfix.queuedIds());
  const clients = new Map<string, string>();
  const isComplete = async (): Promise<boolean> => {
    for (const [, id, address] of (await way.postfix.log()).matchAll(clientLine)) {
      if (id !== undefined && address !== undefined && stored.has(id)) clients.set(id, address);
    }
    return clients.size >= stored.size;
  };
  await until(`the log of Postfix knows of ${stored.size} messages`, isComplete, 30_000, 200);
  return clients;
}

const clientLine = /smtpd\[\d+\]: (\w+): client=[^[]*\[([^\]]+)\]/g;
