/** The desk with a name server that knows no name: who of the shards' clients is spoken of when there is nothing to say. */
import { once } from 'node:events';
import { createSocket } from 'node:dgram';
import { setImmediate as aroundTheLoop } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { parseConfig } from '../../../src/config/load.ts';
import { DnsDesk } from '../../../src/primary/dns-desk.ts';
import type { DnsFound } from '../../../src/worker/messages.ts';
import type { Handle } from '../../../src/base/handle.ts';

const PATIENCE_MS = 20_000;
const GOOD = 7;
const STRANGER = 8;
/** The test entry, without which a list is not believed; and the record that has it. */
const TEST_NAME = '\x012\x010\x010\x03127';
const TEST_RECORD = Buffer.from('c00c00010001000000e100047f000002', 'hex');

/** What a list says that has nobody. */
function answerTo(question: Buffer): Buffer {
  const isTest = question.toString('latin1', 12).startsWith(TEST_NAME);
  const answer = Buffer.from(question);
  answer[2]! |= 0x80;
  answer[3] = (answer[3]! & 0xf0) | (isTest ? 0 : 3);
  if (!isTest) return answer;
  answer[7] = 1;
  // The question alone: whatever stood behind it is left out.
  const end = question.indexOf(0, 12) + 5;
  answer.fill(0, 8, 12);
  return Buffer.concat([answer.subarray(0, end), TEST_RECORD]);
}

test('a shard hears the end of the silence about a client of good standing, and nothing about others', async () => {
  const server = createSocket('udp4');
  server.on('message', (question, from) => server.send(answerTo(question), from.port, from.address));
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  const config = parseConfig(
    `hostname = "mx.example.net"\ndnsxl_policy.resolvers = ["127.0.0.1:${port}"]\n[[dnsxl]]\nzone = "list.test"\n`,
    'settings',
  );
  const told: DnsFound[] = [];
  const desk = new DnsDesk(config, {
    tell: (_, message) => {
      if (message.kind === 'dnsFound') told.push(...message.found);
    },
    notice: () => undefined,
  });
  await desk.start();
  try {
    const ask = (handle: number, last: number, good: number): void =>
      desk.asked(0, {
        start: 'one',
        handles: [handle as Handle],
        serials: [handle],
        words: [0, 0, 0xffff, 0xc0000200 + last],
        good: [good],
      });
    ask(STRANGER, 8, 0);
    ask(GOOD, 7, 1);
    const lastMs = performance.now() + PATIENCE_MS;
    while (told.length === 0 || desk.counts()['dnsClean']! < 2) {
      if (performance.now() > lastMs) throw new Error(`waited in vain: ${JSON.stringify(desk.counts())}`);
      await aroundTheLoop();
    }
    expect(told).toMatchObject([{ handle: GOOD, answer: { weight: 0, zones: [], isLast: true } }]);
  } finally {
    desk.stop();
    server.close();
  }
});
