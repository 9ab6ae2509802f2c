/**
 * Who Postfix believes the client to be. A lane is mynetworks until its XCLIENT was answered, so a client that could get a
 * command of its own in front of it, or change what it says, would have an open relay.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { greeted, transaction } from './client.ts';
import { openWay, sluiceWays } from './way.ts';
import type { Way } from './way.ts';

describe.each(sluiceWays)('%s', (name) => {
  let way: Way;

  beforeAll(async () => {
    way = await openWay(name);
  });

  afterAll(async () => {
    await way?.close();
  });

  test('a recipient of a foreign domain is refused by Postfix with 554', async () => {
    await way.postfix.empty();
    const { client } = await greeted(way.port, '127.0.0.41');
    expect(await transaction(client, 'anna@foreign.test', '\n')).toEqual([250, 554]);
    client.close();
    expect(way.postfix.queuedIds()).toEqual([]);
    await way.postfix.logged(
      /reject: RCPT from unknown\[127\.0\.0\.41\]: 554 5\.7\.1 <anna@foreign\.test>: Relay access denied/,
    );
  });

  test("neighbours do not lend each other their address: each message is its own client's", async () => {
    await way.postfix.empty();
    const addresses = Array.from({ length: 30 }, (_, at) => `127.41.0.${at + 1}`);
    await Promise.all(
      addresses.map(async (address) => {
        const { client } = await greeted(way.port, address);
        expect(await transaction(client, 'anna@example.test', `X-Client: ${address}\n\n`)).toEqual([
          250, 250, 354, 250,
        ]);
        expect(await transaction(client, 'anna@foreign.test', '')).toEqual([250, 554]);
        client.close();
      }),
    );
    const queued = await way.postfix.messages();
    expect(queued.map((message) => `X-Client: ${message.clientAddress}\n\n`).sort()).toEqual(
      queued.map((message) => message.content.toString()).sort(),
    );
    expect(queued.map((message) => message.clientAddress).sort()).toEqual([...addresses].sort());
  });

  test.each(
    [
      'XCLIENT ADDR=127.0.0.1',
      'XCLIENT NAME=localhost ADDR=127.0.0.1 PROTO=ESMTP',
      'xclient addr=127.0.0.1',
      'XFORWARD ADDR=127.0.0.1',
      'ETRN example.test',
      'NOOP\r\0\nXCLIENT ADDR=127.0.0.1',
      'MAIL FROM:<a@honest.test> ADDR=127.0.0.1',
      'MAIL FROM:<a\rXCLIENT ADDR=127.0.0.1@honest.test>',
      'EHLO a ADDR=127.0.0.1',
      'EHLO a+20ADDR=127.0.0.1',
      'EHLO a\rXCLIENT ADDR=127.0.0.1',
      'VRFY anna@example.test\nXCLIENT ADDR=127.0.0.1',
    ].map((command, at) => ({ command, title: JSON.stringify(command), source: `127.42.0.${at + 1}` })),
  )('$title of a client gives it no other identity', async ({ command, source }) => {
    await way.postfix.empty();
    const { client } = await greeted(way.port, source);
    await client.ask(command);
    await client.ask('EHLO client.example.org');
    const relayed = await transaction(client, 'anna@foreign.test', '\n');
    // To the very end: a command that hid another one has one reply more than was waited for.
    client.send('QUIT\r\n');
    await client.repliesToTheEnd();
    expect(relayed.at(-1)).not.toBe(250);
    expect(way.postfix.queuedIds()).toEqual([]);
    const { client: again } = await greeted(way.port, '127.0.0.43');
    expect(await transaction(again, 'anna@example.test', '\n')).toEqual([250, 250, 354, 250]);
    again.close();
    expect(await way.postfix.messages()).toMatchObject([{ clientAddress: '127.0.0.43' }]);
  });

  test('EHLO offers neither XCLIENT nor XFORWARD nor ETRN', async () => {
    const { client, offers } = await greeted(way.port, '127.0.0.44');
    client.close();
    expect(offers.filter((offer) => /^(XCLIENT|XFORWARD|ETRN|VRFY|BINARYMIME)\b/i.test(offer))).toEqual([]);
    expect(offers).toContainEqual(expect.stringMatching(/^SIZE \d+$/));
  });
});
