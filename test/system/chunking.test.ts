/**
 * Messages that come by BDAT (RFC 3030) reach a real Postfix unchanged, by DATA: its own CHUNKING is switched off. Straight to
 * Postfix, with its CHUNKING on, the same client shows that it speaks the protocol.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { greeted } from './client.ts';
import type { Client } from './client.ts';
import { samples } from './contents.ts';
import { openWay, ways } from './way.ts';
import type { Way } from './way.ts';

const CHUNK_OCTETS = 8_192;

/** The octets of a message whose lines end in LF: CR LF, and no dot doubled. */
const octetsOf = (content: Buffer): Buffer =>
  Buffer.from(content.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');

async function envelope(client: Client): Promise<void> {
  await client.expect('MAIL FROM:<sender@honest.test>', 250);
  await client.expect('RCPT TO:<anna@example.test>', 250);
}

/** Sends the octets in chunks; gives back the codes of the replies. */
async function sendChunks(
  client: Client,
  octets: Buffer,
  chunkOctets: number,
  isPipelined: boolean,
): Promise<number[]> {
  const codes: number[] = [];
  let owed = 0;
  for (let at = 0; at === 0 || at < octets.length; at += chunkOctets) {
    const chunk = octets.subarray(at, at + chunkOctets);
    const isLast = at + chunkOctets >= octets.length;
    client.send(Buffer.concat([Buffer.from(`BDAT ${chunk.length}${isLast ? ' LAST' : ''}\r\n`), chunk]));
    owed += 1;
    if (isPipelined && !isLast) continue;
    for (; owed > 0; owed -= 1) codes.push((await client.reply())?.code ?? 0);
  }
  return codes;
}

describe.each(ways)('%s', (name) => {
  const isDirect = name === 'straight to Postfix';
  let way: Way;

  beforeAll(async () => {
    const ehlo = isDirect ? '' : 'chunking';
    way = await openWay(name, {
      postfix: { mainCf: { smtpd_discard_ehlo_keywords: ehlo } },
      config: { screen: { greet_wait: '0s' } },
    });
  });

  afterAll(async () => {
    await way?.close();
  });

  test.each(samples)(
    '$title arrives unchanged in chunks of 8 kB, without and with waiting',
    async ({ content }) => {
      for (const isPipelined of [false, true]) {
        await way.postfix.empty();
        const { client, offers } = await greeted(way.port, '127.0.0.61');
        expect(offers).toContain('CHUNKING');
        await envelope(client);
        const codes = await sendChunks(
          client,
          octetsOf(content),
          CHUNK_OCTETS,
          isPipelined && offers.includes('PIPELINING'),
        );
        expect([...new Set(codes)]).toEqual([250]);
        await client.expect('QUIT', 221);
        client.close();
        const queued = await way.postfix.messages();
        expect(queued).toHaveLength(1);
        expect(queued[0]?.content.equals(content)).toBe(true);
      }
    },
  );

  test('a message of dots arrives unchanged in chunks of one octet, and a second one in the same session', async () => {
    await way.postfix.empty();
    const content = Buffer.from('Subject: dots\n\n.\n..\n.a\n.\n');
    const { client } = await greeted(way.port, '127.0.0.62');
    for (let message = 0; message < 2; message += 1) {
      await envelope(client);
      const codes = await sendChunks(client, octetsOf(content), 1, false);
      expect([...new Set(codes)]).toEqual([250]);
    }
    await client.expect('QUIT', 221);
    client.close();
    const queued = await way.postfix.messages();
    expect(queued.map((one) => one.content.equals(content))).toEqual([true, true]);
  });

  test('commands hidden behind a dot in a chunk stay text', async () => {
    await way.postfix.empty();
    const content = Buffer.from(
      'Subject: one\n\nbefore\n.\nMAIL FROM:<evil@evil.test>\nRCPT TO:<bert@example.test>\nDATA\nsmuggled\n.\nQUIT\n',
    );
    const { client } = await greeted(way.port, '127.0.0.63');
    await envelope(client);
    expect(await sendChunks(client, octetsOf(content), 20, false)).not.toContain(354);
    await client.expect('QUIT', 221);
    client.close();
    const queued = await way.postfix.messages();
    expect(queued.map(({ sender }) => sender)).toEqual(['sender@honest.test']);
    expect(queued[0]?.content.equals(content)).toBe(true);
  });

  test('without a recipient the octets are thrown away, and the session goes on', async () => {
    await way.postfix.empty();
    const { client } = await greeted(way.port, '127.0.0.64');
    await client.expect('MAIL FROM:<sender@honest.test>', 250);
    client.send('BDAT 6 LAST\r\nQUIT\r\n');
    expect((await client.reply())?.code).toBeGreaterThanOrEqual(500);
    await client.expect('RSET', 250);
    await envelope(client);
    expect(await sendChunks(client, Buffer.from('Subject: two\r\n\r\nx\r\n'), 100, false)).toEqual([250]);
    await client.expect('QUIT', 221);
    client.close();
    expect(await way.postfix.messages()).toHaveLength(1);
  });
});
