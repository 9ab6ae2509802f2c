/**
 * A large message of a client in good standing is on its way into Postfix before the client has sent the half of it; it arrives
 * byte for byte, once, whatever becomes of Postfix's processes meanwhile, and not at all when its client goes.
 */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { greeted, onTheWire } from './client.ts';
import type { Client } from './client.ts';
import { processesIn, until } from './process.ts';
import { openWay, sluiceWays } from './way.ts';
import type { Way } from './way.ts';

const SENDER = '127.0.0.51';
/** Random bytes in a message of 50 MB, and in a smaller one. */
const MANY_BYTES = 37_000_000;
const SOME_BYTES = 12_000_000;
/** Postfix has taken so much of an unfinished message. */
const BEGUN_BYTES = 4_000_000;
const PIECE_BYTES = 200_000;
const sizes = { message_size_limit: '100000000', mailbox_size_limit: '0', virtual_mailbox_limit: '0' };

/** Lines of random text, some of which begin with dots; a third longer than `bytes`. */
function messageOf(bytes: number): string {
  const lines = randomBytes(bytes)
    .toString('base64')
    .replaceAll(/.{72}/g, (line) => `${line}\n`);
  return `Subject: large\n\n${lines.replaceAll(/^A/gm, '.')}\n..\n`;
}

const shaOf = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

describe.each(sluiceWays)('%s', (name) => {
  let way: Way;
  let client: Client;

  beforeEach(async () => {
    way = await openWay(name, {
      postfix: { mainCf: sizes },
      config: { smtp: { message_size_max: '100MB' }, lists: { allow: [SENDER] } },
    });
    ({ client } = await greeted(way.port, SENDER));
    await client.expect('MAIL FROM:<sender@honest.test>', 250);
    await client.expect('RCPT TO:<anna@example.test>', 250);
    await client.expect('DATA', 354);
  });

  afterEach(async () => {
    client?.close();
    await way?.close();
  });

  /** Sends at most a half, until Postfix has begun to take the message; what is left to be sent. */
  async function sendUntilBegun(wire: Buffer): Promise<Buffer> {
    let at = 0;
    await until('Postfix takes a message that its client has not finished', () => {
      if (at < wire.length / 2) client.send(wire.subarray(at, (at += PIECE_BYTES)));
      return unfinishedBytes() >= BEGUN_BYTES;
    });
    return wire.subarray(at);
  }

  /** Bytes of the messages that cleanup(8) has begun to write and not finished. */
  function unfinishedBytes(): number {
    const directory = join(way.postfix.queueDirectory, 'incoming');
    if (!existsSync(directory)) return 0;
    const files = readdirSync(directory).map((file) =>
      statSync(join(directory, file), { throwIfNoEntry: false }),
    );
    return files.reduce(
      (sum, file) => sum + (file?.isFile() === true && (file.mode & 0o100) === 0 ? file.size : 0),
      0,
    );
  }

  async function storedOnce(message: string): Promise<void> {
    expect(way.postfix.queuedIds()).toHaveLength(1);
    const [stored] = await way.postfix.messages();
    expect(stored).toMatchObject({ clientAddress: SENDER, sender: 'sender@honest.test' });
    expect(stored!.content.length).toBe(message.length);
    expect(shaOf(stored!.content)).toBe(shaOf(message));
  }

  test('50 MB arrive as they were sent, and had begun to before they were', async () => {
    const message = messageOf(MANY_BYTES);
    const wire = onTheWire(message);
    expect(wire.length).toBeGreaterThan(50_000_000);
    client.send(await sendUntilBegun(wire));
    expect((await client.reply())?.code).toBe(250);
    await storedOnce(message);
  });

  test('smtpd processes that die in the middle of it: it is stored all the same, once, and as it was sent', async () => {
    const message = messageOf(SOME_BYTES);
    const rest = await sendUntilBegun(onTheWire(message));
    const smtpds = processesIn(way.postfix.directory).filter(
      (pid) => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'smtpd\n',
    );
    expect(smtpds.length).toBeGreaterThan(0);
    for (const pid of smtpds) process.kill(pid, 'SIGKILL');
    client.send(rest);
    expect((await client.reply())?.code).toBe(250);
    await storedOnce(message);
  });

  test('a client that goes in the middle of it leaves nothing in the queue', async () => {
    await sendUntilBegun(onTheWire(messageOf(SOME_BYTES)));
    client.close();
    await until('Postfix has thrown away what it had', () => unfinishedBytes() === 0);
    await way.postfix.settled();
    expect(way.postfix.queuedIds()).toEqual([]);
  });
});
