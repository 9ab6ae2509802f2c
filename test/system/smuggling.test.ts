/**
 * Ends of data that are none (RFC 5321 section 4.1.1.4 knows one: CR LF . CR LF). A second message hidden behind such
 * an end must arrive as part of the first, or not at all; the Postfix behind is set to believe in bare newlines,
 * as many servers did before 2024, so what Sluice lets through would be seen.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { greeted } from './client.ts';
import { openWay, sluiceWays } from './way.ts';
import type { Way } from './way.ts';

const before = {
  CRLF: '\r\n',
  LF: '\n',
  CR: '\r',
  CRCRLF: '\r\r\n',
  LFCR: '\n\r',
  'CR NUL LF': '\r\0\n',
  'CRLF NUL': '\r\n\0',
};
const after = {
  CRLF: '\r\n',
  LF: '\n',
  CR: '\r',
  CRCRLF: '\r\r\n',
  'CR NUL LF': '\r\0\n',
  'NUL CRLF': '\0\r\n',
  nothing: '',
};

/** All pairs but those that hold a true CR LF . CR LF. */
const variants = Object.entries(before).flatMap(([first, a]) =>
  Object.entries(after)
    .map(([second, b]) => ({ title: `${first} . ${second}`, bytes: `${a}.${b}` }))
    .filter(({ bytes }) => !bytes.includes('\r\n.\r\n')),
);

const hidden = [
  'MAIL FROM:<smuggler@evil.test>',
  'RCPT TO:<bert@example.test>',
  'DATA',
  'Subject: second',
  '',
  'smuggled',
  '.',
  '',
].join('\r\n');

/** Sends the variant with a whole second transaction behind it; gives back the codes after 354. */
async function smuggle(port: number, source: string, end: string, pieceBytes: number): Promise<number[]> {
  const { client } = await greeted(port, source);
  await client.expect('MAIL FROM:<sender@honest.test>', 250);
  await client.expect('RCPT TO:<anna@example.test>', 250);
  await client.expect('DATA', 354);
  const bytes = Buffer.from(`Subject: first\r\n\r\nbefore${end}${hidden}`, 'latin1');
  for (let at = 0; at < bytes.length; at += pieceBytes) client.send(bytes.subarray(at, at + pieceBytes));
  const first = await client.reply();
  client.send('QUIT\r\n');
  const codes = (await client.repliesToTheEnd()).map((reply) => reply.code);
  client.close();
  return [first?.code ?? 0, ...codes];
}

const oldPostfix = { mainCf: { smtpd_forbid_bare_newline: 'no', smtpd_forbid_unauth_pipelining: 'no' } };

describe('straight to Postfix', () => {
  let way: Way;

  beforeAll(async () => {
    way = await openWay('straight to Postfix', { postfix: oldPostfix });
  });

  afterAll(async () => {
    await way?.close();
  });

  test.each(['\n.\n', '\n.\r\n', '\r\n.\n'])('%j hides a second message from this Postfix', async (end) => {
    await way.postfix.empty();
    await smuggle(way.port, '127.0.0.31', end, 1000);
    const queued = await way.postfix.messages();
    expect(queued.map((message) => message.sender).sort()).toEqual([
      'sender@honest.test',
      'smuggler@evil.test',
    ]);
  });
});

describe.each(sluiceWays)('%s', (name) => {
  describe.each(['reject', 'normalize'])('smtp.bare_newline = %s', (bareNewline) => {
    let way: Way;
    let sources = 0;

    beforeAll(async () => {
      way = await openWay(name, {
        postfix: oldPostfix,
        config: { smtp: { bare_newline: bareNewline }, screen: { greet_wait: '0s' } },
      });
    });

    afterAll(async () => {
      await way?.close();
    });

    describe.each([1000, 1])('in pieces of %i bytes', (pieceBytes) => {
      test.each(variants)('$title never makes two messages', async ({ bytes }) => {
        await way.postfix.empty();
        sources += 1; // each from an address of its own: nobody is slowed for what another one did
        const source = `127.31.${Math.floor(sources / 250)}.${(sources % 250) + 1}`;
        const codes = await smuggle(way.port, source, bytes, pieceBytes);
        const queued = await way.postfix.messages();
        const isAccepted = codes[0] === 250;
        expect({ codes, queued: queued.map((message) => message.sender) }).toEqual({
          codes: [
            isAccepted ? 250 : expect.toSatisfy((code: number) => code >= 500),
            ...(codes.length > 1 ? [221] : []),
          ],
          queued: isAccepted ? ['sender@honest.test'] : [],
        });
        // What was accepted holds the hidden commands as text, and no bare CR and no NUL.
        const text = queued.map((message) => message.content.toString('latin1')).join('');
        expect(/[\r\0]/.test(text)).toBe(false);
        expect(text.includes('MAIL FROM:<smuggler@evil.test>')).toBe(isAccepted);
      });
    });

    test('a bare LF in an honest message is refused or becomes a line end, as the setting says', async () => {
      await way.postfix.empty();
      const { client } = await greeted(way.port, '127.0.0.32');
      await client.expect('MAIL FROM:<sender@honest.test>', 250);
      await client.expect('RCPT TO:<anna@example.test>', 250);
      await client.expect('DATA', 354);
      client.send('Subject: x\r\n\r\none\ntwo\r\n.\r\n');
      const answer = await client.reply();
      client.close();
      const queued = (await way.postfix.messages()).map((message) => message.content.toString());
      const expected = {
        reject: { code: 550, queued: [] },
        normalize: { code: 250, queued: ['Subject: x\n\none\ntwo\n'] },
      };
      expect({ code: answer?.code, queued }).toEqual(expected[bareNewline as 'reject' | 'normalize']);
    });
  });
});
