/**
 * post-office — takes letters to a server and tells what became of each
 *
 * One session carries many letters; several sessions run at a time. Each letter goes by DATA or by BDAT, in plaintext or inside
 * TLS, written in pieces that follow from its number. The envelope sender names the letter and the errand, so that what a
 * backend has stored can be told apart without a look into it.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';

import { Prng } from '../../src/base/prng.ts';
import { greeted } from './client.ts';
import type { Client } from './client.ts';
import { behindData } from './letters.ts';
import type { Letter } from './letters.ts';

const RECIPIENT = 'anna@example.test';
const LETTERS_PER_SESSION = 40;
const SESSIONS = 4;

/** How a letter is taken to a server. */
export interface Errand {
  readonly name: string;
  readonly port: number;
  readonly by: 'DATA' | 'BDAT';
  readonly isTls: boolean;
}

/** The envelope sender of a letter on an errand. */
export function senderOf(letter: Letter, errand: string): string {
  return `l${letter.number}.${errand}@honest.test`;
}

/** Cuts octets into pieces of drawn lengths; at least one, which may be empty. */
function pieces(octets: Buffer, random: Prng): Buffer[] {
  const cut: Buffer[] = [];
  const most = [3, 900, 20_000, 300_000][random.below(4)]!;
  // Small pieces for small letters only: a hundred round trips teach no more than ten.
  const longest = Math.max(most, Math.ceil(octets.length / 8));
  let at = 0;
  do {
    const length = 1 + random.below(longest);
    cut.push(octets.subarray(at, at + length));
    at += length;
  } while (at < octets.length);
  return cut;
}

async function byData(client: Client, letter: Letter, random: Prng): Promise<string> {
  await client.expect('DATA', 354);
  for (const piece of pieces(behindData(letter.octets), random)) {
    client.send(piece);
    // What is sent in one turn would leave as one.
    await nextTurn();
  }
  return answerOf(client);
}

async function byBdat(client: Client, letter: Letter, random: Prng): Promise<string> {
  const chunks = pieces(letter.octets, random);
  let answer = '';
  for (const [at, chunk] of chunks.entries()) {
    const last = at === chunks.length - 1 ? ' LAST' : '';
    client.send(Buffer.concat([Buffer.from(`BDAT ${chunk.length}${last}\r\n`), chunk]));
    answer = await answerOf(client);
  }
  return answer;
}

async function answerOf(client: Client): Promise<string> {
  const reply = await client.reply();
  return reply === null ? 'the connection ended' : reply.lines.join(' | ');
}

/** One session that carries some letters of an errand; its answers by letter. */
async function session(
  letters: readonly Letter[],
  errand: Errand,
  source: string,
): Promise<Map<Letter, string>> {
  const { client } = await greeted(errand.port, source);
  const answers = new Map<Letter, string>();
  try {
    if (errand.isTls) {
      await client.startTls();
      await client.expect('EHLO client.example.org', 250);
    }
    for (const letter of letters) {
      await client.expect(`MAIL FROM:<${senderOf(letter, errand.name)}> BODY=8BITMIME`, 250);
      await client.expect(`RCPT TO:<${RECIPIENT}>`, 250);
      const send = errand.by === 'DATA' ? byData : byBdat;
      answers.set(letter, await send(client, letter, new Prng(letter.number)));
    }
    await client.expect('QUIT', 221);
  } finally {
    client.close();
  }
  return answers;
}

/** Takes all letters where the errand says, from addresses that begin with `network` (three numbers); the answers by letter. */
export async function deliverLetters(
  letters: readonly Letter[],
  errand: Errand,
  network: string,
): Promise<Map<Letter, string>> {
  const sacks: Letter[][] = [];
  for (let at = 0; at < letters.length; at += LETTERS_PER_SESSION)
    sacks.push(letters.slice(at, at + LETTERS_PER_SESSION));
  const answers = new Map<Letter, string>();
  let next = 0;
  const carrier = async (): Promise<void> => {
    while (next < sacks.length) {
      const sack = next++;
      for (const [letter, answer] of await session(sacks[sack]!, errand, `${network}.${sack + 1}`))
        answers.set(letter, answer);
    }
  };
  await Promise.all(Array.from({ length: SESSIONS }, carrier));
  return answers;
}
