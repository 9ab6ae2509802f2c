/**
 * delivery — one run of smtp-source over one way, and what came of it
 */
import { run } from './process.ts';
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

/** How many messages Postfix's log ascribes to each client address. */
export async function clientsInLog(way: Way): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const [, address] of (await way.postfix.log()).matchAll(
    /smtpd\[\d+\]: \w+: client=[^[]*\[([^\]]+)\]/g,
  )) {
    if (address) counts.set(address, (counts.get(address) ?? 0) + 1);
  }
  return counts;
}
