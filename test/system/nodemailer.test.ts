/** nodemailer, the client in many a web shop, sends each sample on each way. */
import { createTransport } from 'nodemailer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { greeted } from './client.ts';
import { samples } from './contents.ts';
import { openWay, ways } from './way.ts';
import type { Way } from './way.ts';

describe.each(ways)('%s', (name) => {
  let way: Way;

  beforeAll(async () => {
    way = await openWay(name);
  });

  afterAll(async () => {
    await way?.close();
  });

  interface Sent {
    readonly accepted: unknown[];
    readonly rejected: unknown[];
    readonly response: string;
  }

  async function send(
    content: Buffer | string,
    from: string,
    to: string[],
    use8BitMime = false,
  ): Promise<Sent> {
    await way.postfix.empty();
    const transport = createTransport({
      host: '127.0.0.1',
      port: way.port,
      name: 'shop.example.org',
      localAddress: '127.0.0.22',
      ignoreTLS: true,
    });
    try {
      return await transport.sendMail({ envelope: { from, to, use8BitMime }, raw: content });
    } finally {
      transport.close();
    }
  }

  test.each(samples)('nodemailer delivers $title unchanged', async ({ content }) => {
    await send(
      content,
      'sender@honest.test',
      ['anna@example.test'],
      content.some((byte) => byte > 127),
    );
    const queued = await way.postfix.messages();
    expect(queued).toHaveLength(1);
    expect(queued[0]?.content.equals(content)).toBe(true);
    expect(queued[0]?.clientAddress).toBe('127.0.0.22');
  });

  test('the null sender arrives as the null sender', async () => {
    await send('Subject: bounce\n\nbody\n', '', ['bert@example.test']);
    expect(await way.postfix.messages()).toMatchObject([{ sender: '' }]);
  });

  test('of several recipients the unknown one is reported and the others get the message', async () => {
    const to = ['anna@example.test', 'nobody@example.test', 'cleo@example.test'];
    const sent = await send('Subject: three\n\nbody\n', 'sender@honest.test', to);
    expect(sent).toMatchObject({
      rejected: ['nobody@example.test'],
      accepted: ['anna@example.test', 'cleo@example.test'],
    });
    expect(await way.postfix.messages()).toMatchObject([
      { recipients: ['anna@example.test', 'cleo@example.test'] },
    ]);
  });

  test('a message for unknown recipients alone fails with the words of Postfix', async () => {
    await expect(send('Subject: none\n\n', 'sender@honest.test', ['nobody@example.test'])).rejects.toThrow(
      '550 5.1.1 <nobody@example.test>: Recipient address rejected: User unknown',
    );
    expect(way.postfix.queuedIds()).toEqual([]);
  });

  test('an address in UTF-8 arrives when SMTPUTF8 is offered, and is not sent when it is not', async () => {
    const { client, offers } = await greeted(way.port, '127.0.0.23');
    client.close();
    const isOffered = offers.includes('SMTPUTF8');
    const sending = send('Subject: Grüße\n\nÜber\n', 'sender@honest.test', ['jürgen@example.test']);
    const refusal = await sending.then(
      () => '',
      (failure: Error) => failure.message,
    );
    expect(refusal).toEqual(isOffered ? '' : expect.stringContaining('Internationalized mailbox'));
    const queued = await way.postfix.messages();
    expect(queued.flatMap((message) => message.recipients)).toEqual(isOffered ? ['jürgen@example.test'] : []);
  });
});
