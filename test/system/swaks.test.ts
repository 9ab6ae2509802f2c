/** swaks, a client that people test their mail servers with, sends each sample on each way. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { onTheWire } from './client.ts';
import { samples } from './contents.ts';
import { run } from './process.ts';
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

  async function swaks(
    content: Buffer,
    ...more: string[]
  ): Promise<{ code: number | null; transcript: string }> {
    await way.postfix.empty();
    const server = ['--server', '127.0.0.1', '--port', String(way.port), '--local-interface', '127.0.0.21'];
    // Without its fix-ups swaks sends what it is given: it would add an empty line in front of the final dot.
    const args = [...server, '--helo', 'swaks.example.org', '--no-data-fixup', '--data', '-', ...more];
    const done = await run('swaks', args, { input: onTheWire(content) });
    return { code: done.code, transcript: done.stdout.toString('latin1') + done.stderr };
  }

  test.each(samples)('swaks delivers $title unchanged', async ({ content }) => {
    const done = await swaks(
      content,
      '--from',
      'sender@honest.test',
      '--to',
      'anna@example.test',
      '--silent',
      '1',
    );
    expect(done).toMatchObject({ code: 0 });
    const queued = await way.postfix.messages();
    expect(queued).toHaveLength(1);
    expect(queued[0]?.content.equals(content)).toBe(true);
    expect(queued[0]).toMatchObject({ clientAddress: '127.0.0.21', recipients: ['anna@example.test'] });
    expect(queued[0]?.trace.toString()).toMatch(
      /^Received: from swaks\.example\.org \(unknown \[127\.0\.0\.21\]\)\n/,
    );
  });

  test('the null sender arrives as the null sender', async () => {
    const done = await swaks(
      Buffer.from('Subject: bounce\n\nbody\n'),
      '--from',
      '<>',
      '--to',
      'bert@example.test',
    );
    expect(done).toMatchObject({ code: 0 });
    expect(await way.postfix.messages()).toMatchObject([{ sender: '', recipients: ['bert@example.test'] }]);
  });

  test('of several recipients the unknown one is refused by Postfix and the others get the message', async () => {
    const to = 'anna@example.test,nobody@example.test,bert@example.test';
    const done = await swaks(
      Buffer.from('Subject: three\n\nbody\n'),
      '--from',
      'sender@honest.test',
      '--to',
      to,
    );
    expect(done.transcript).toContain('<** 550 5.1.1 <nobody@example.test>: Recipient address rejected');
    expect(done.transcript.match(/<-\s+250 2\.1\.5 /g)).toHaveLength(2);
    expect(await way.postfix.messages()).toMatchObject([
      { recipients: ['anna@example.test', 'bert@example.test'] },
    ]);
  });

  test('the client hears the queue id that Postfix gave the message', async () => {
    const done = await swaks(
      Buffer.from('Subject: id\n\nbody\n'),
      '--from',
      'a@honest.test',
      '--to',
      'bert@example.test',
    );
    const [, id] = /250 2\.0\.0 Ok: queued as (\w+)/.exec(done.transcript) ?? [];
    expect(way.postfix.queuedIds()).toEqual([id]);
  });

  test('HELO instead of EHLO is enough', async () => {
    const args = ['--protocol', 'SMTP', '--from', 'a@honest.test', '--to', 'bert@example.test'];
    const done = await swaks(Buffer.from('Subject: helo\n\nbody\n'), ...args);
    expect(done).toMatchObject({ code: 0 });
    expect((await way.postfix.messages()).map((message) => message.trace.toString())).toEqual([
      expect.stringMatching(/with SMTP id /),
    ]);
  });
});
