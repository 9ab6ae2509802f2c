/**
 * mailbox-run — the awkward mailbox through Sluice, and what arrived of it
 *
 * Some Sluices stand before one sink: both settings of `smtp.bare_newline`, with recipients verified early and late, with messages
 * that stay in memory, such that go to a file from 4 kB on, and such that go on to the sink while they still come in. What is expected of each letter follows from its octets and the
 * setting alone, by functions that share no code with Sluice (letters). A second run takes the letters through Sluice into a
 * real Postfix, and what should have arrived straight to the same Postfix: what Postfix makes of a letter by itself
 * (folding its header, ending a header that is none) it makes of both.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Sink } from '../../loadgen/sink.ts';
import { replyTable } from '../../src/smtp/replies.ts';
import { selfSigned } from '../self-signed.ts';
import { ended, isOdd, normalized } from './letters.ts';
import type { Letter } from './letters.ts';
import { deliverLetters, senderOf } from './post-office.ts';
import type { Errand } from './post-office.ts';
import { startPostfix } from './postfix.ts';
import { until } from './process.ts';
import type { QueuedMessage } from './queue.ts';
import { startSluice } from './sluice.ts';
import type { Sluice } from './sluice.ts';

export type BareNewline = 'reject' | 'normalize';

/** How a Sluice of the run is set up. */
export interface House {
  readonly bareNewline: BareNewline;
  readonly verify: 'early' | 'late';
  /** `stream`: on its way to the backend before it is whole (spool.stream_from), if it comes by DATA. */
  readonly spool: 'memory' | 'file' | 'stream';
}

/** Four of all twelve; both settings of `smtp.bare_newline` meet a message that is on its way already. */
export const fourHouses: readonly House[] = [
  { bareNewline: 'reject', verify: 'early', spool: 'stream' },
  { bareNewline: 'reject', verify: 'late', spool: 'file' },
  { bareNewline: 'normalize', verify: 'early', spool: 'stream' },
  { bareNewline: 'normalize', verify: 'late', spool: 'memory' },
];

/** All of them. */
export const allHouses: readonly House[] = (['reject', 'normalize'] as const).flatMap((bareNewline) =>
  (['early', 'late'] as const).flatMap((verify) =>
    (['memory', 'file', 'stream'] as const).map((spool) => ({ bareNewline, verify, spool })),
  ),
);

/** What a letter came to: the digest of what was stored each time, and the answer. */
export interface Fate {
  readonly answer: string;
  readonly stored: readonly string[];
}

/** One letter on one errand: what came, and what should have. */
export interface Delivery {
  readonly letter: Letter;
  readonly house: House;
  readonly errand: Errand;
  readonly fate: Fate;
  readonly expected: Fate;
}

const digest = (octets: Buffer): string => createHash('sha256').update(octets).digest('hex');

/** What a letter has to arrive as; by BDAT its last line is ended behind the change of newlines, by DATA by its sender. */
export function arrivalOf(letter: Letter, by: Errand['by']): Buffer {
  return by === 'DATA' ? normalized(ended(letter.octets)) : ended(normalized(letter.octets));
}

function expectedFate(letter: Letter, house: House, by: Errand['by'], answer: string): Fate {
  if (isOdd(letter.octets) && house.bareNewline === 'reject')
    return { answer: replyTable.bodyNewline.text, stored: [] };
  return {
    answer: answer.startsWith('250 2.0.0 ') ? answer : '250 2.0.0 …',
    stored: [digest(arrivalOf(letter, by))],
  };
}

const settings = (house: House): Record<string, Record<string, unknown>> => ({
  backend: { reuse: 'always', verify_recipients: house.verify },
  smtp: { bare_newline: house.bareNewline },
  screen: { greet_wait: '0s' },
  // Only a client of good standing has a message on its way before it is whole.
  lists: { allow: house.spool === 'stream' ? ['127.0.0.0/8'] : [] },
  spool: {
    message_memory: house.spool === 'memory' ? '1MB' : '4kB',
    stream_from: house.spool === 'stream' ? '1B' : '0B',
  },
});

/** The four ways into a house. */
const errandsOf = (at: number, port: number): Errand[] =>
  (['DATA', 'BDAT'] as const).flatMap((by) =>
    [false, true].map((isTls) => ({ name: `${by}.${isTls ? 'tls' : 'plain'}.${at}`, port, by, isTls })),
  );

/**
 * Whether a letter takes this errand of house `at` when it takes one in each house: of two houses with the same setting it comes
 * to one by DATA and to the other by BDAT, and to one in plaintext and to the other inside TLS.
 */
function isTurn(letter: Letter, at: number, errand: Errand): boolean {
  const isData = (letter.number + at) % 2 === 0;
  const isPlain = (Math.floor(letter.number / 2) + at) % 2 === 0;
  return (errand.by === 'DATA') === isData && errand.isTls !== isPlain;
}

/** Runs something with a certificate and its key in files. */
async function withCertificate<T>(
  act: (tls: { certificate: string; key: string }) => Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-mailbox-'));
  const tls = { certificate: join(directory, 'mx.crt'), key: join(directory, 'mx.key') };
  const pair = selfSigned('mx.example.test');
  writeFileSync(tls.certificate, pair.certificate);
  writeFileSync(tls.key, pair.key);
  try {
    return await act(tls);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** How many messages were on their way before they were whole. */
async function streamedBy(sluice: Sluice): Promise<number> {
  const before = sluice.said.length;
  const line = (): RegExpExecArray | null => /^sluice: counters (\{.*\})$/m.exec(sluice.said.slice(before));
  process.kill(sluice.pid, 'SIGUSR2');
  await until('the counters are said', () => line() !== null);
  return (JSON.parse(line()![1]!) as Record<string, number>)['streamed'] ?? 0;
}

/** Takes every letter to every house, on one errand; with `isWhole` on all four. */
export async function throughSluice(
  letters: readonly Letter[],
  houses: readonly House[],
  isWhole = false,
): Promise<{ deliveries: Delivery[]; storedCount: number; streamedCount: number }> {
  const sink = new Sink();
  const backendPort = await sink.listen();
  const started: Sluice[] = [];
  const deliveries: Delivery[] = [];
  try {
    await withCertificate(async (tls) => {
      for (const house of houses)
        started.push(await startSluice({ backendPort, tls, config: settings(house) }));
      for (const [at, house] of houses.entries()) {
        for (const [which, errand] of errandsOf(at, started[at]!.port).entries()) {
          const taken = letters.filter((letter) => isWhole || isTurn(letter, at, errand));
          for (const [letter, answer] of await deliverLetters(taken, errand, `127.${60 + at}.${which}`)) {
            const expected = expectedFate(letter, house, errand.by, answer);
            deliveries.push({ letter, house, errand, fate: { answer, stored: [] }, expected });
          }
        }
      }
    });
    const bySender = new Map<string, string[]>();
    for (const { sender, sha256 } of sink.messages)
      bySender.set(sender, [...(bySender.get(sender) ?? []), sha256]);
    const whole = deliveries.map((delivery) => {
      const stored = bySender.get(senderOf(delivery.letter, delivery.errand.name)) ?? [];
      return { ...delivery, fate: { ...delivery.fate, stored } };
    });
    let streamedCount = 0;
    for (const sluice of started) streamedCount += await streamedBy(sluice);
    return { deliveries: whole, storedCount: sink.messages.length, streamedCount };
  } finally {
    for (const sluice of started) await sluice.stop();
    await sink.close();
  }
}

/** A letter in Postfix: as it came through Sluice, as it came straight, and what was to arrive, all with LF. */
export interface InPostfix {
  readonly letter: Letter;
  readonly through: Buffer | null;
  readonly straight: Buffer | null;
  readonly sent: Buffer;
}

/** What is stored behind the three lines that Postfix itself writes in front, of which the last ends with the time. */
function behindTrace({ trace, content }: QueuedMessage): Buffer {
  const all = Buffer.concat([trace, content]);
  const ownLines = /^Received: .*\n(?:\t.*\n)*?\t.*; .* \+0000 \(.*\)\n/.exec(all.toString('latin1'));
  return all.subarray(ownLines?.[0].length ?? 0);
}

/** Takes every letter through Sluice into Postfix, and what should arrive of it straight there. */
export async function intoPostfix(letters: readonly Letter[]): Promise<InPostfix[]> {
  const postfix = await startPostfix();
  try {
    const house: House = { bareNewline: 'normalize', verify: 'early', spool: 'file' };
    const sluice = await startSluice({ backendPort: postfix.reusedPort, config: settings(house) });
    const arrivals = letters.map((letter) => ({ ...letter, octets: arrivalOf(letter, byOf(letter)) }));
    try {
      for (const by of ['DATA', 'BDAT'] as const) {
        const errand: Errand = { name: 'through', port: sluice.port, by, isTls: false };
        await deliverLetters(
          letters.filter((letter) => byOf(letter) === by),
          errand,
          `127.70.${by.length}`,
        );
      }
    } finally {
      await sluice.stop();
    }
    const straightErrand: Errand = { name: 'straight', port: postfix.freshPort, by: 'DATA', isTls: false };
    await deliverLetters(arrivals, straightErrand, '127.71.1');
    const stored = new Map((await postfix.messages()).map((message) => [message.sender, message]));
    const find = (letter: Letter, errand: string): Buffer | null => {
      const message = stored.get(senderOf(letter, errand));
      return message === undefined ? null : behindTrace(message);
    };
    return arrivals.map((letter) => ({
      letter,
      through: find(letter, 'through'),
      straight: find(letter, 'straight'),
      sent: Buffer.from(letter.octets.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'),
    }));
  } finally {
    await postfix.stop();
  }
}

const byOf = ({ number }: Letter): Errand['by'] => (number % 2 === 0 ? 'DATA' : 'BDAT');
