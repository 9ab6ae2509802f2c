/**
 * `sluice recipients flush` against the real program: what was answered from memory is asked anew, in every shard of every process.
 */
import { afterEach, expect, test } from 'vitest';
import { Sink } from '../../loadgen/sink.ts';
import { Client } from '../system/client.ts';
import { until } from '../system/process.ts';
import type { Asked } from './verb.ts';
import { startAsked } from './verb.ts';

const GONE = 'gone@example.org';
const SESSIONS = 24;

const gone = [GONE];
const sink = new Sink({ unknownRecipients: gone });
let asked: Asked | null = null;

afterEach(async () => {
  await asked?.program.dispose();
  asked = null;
  await sink.close();
});

/** The codes that many new sessions hear of one recipient: with so many every shard is asked. */
async function codesOf(port: number, round: number): Promise<readonly number[]> {
  const codes: number[] = [];
  for (let session = 0; session < SESSIONS; session += 1) {
    const client = new Client(port, `127.${20 + round}.${session}.1`);
    await client.reply();
    await client.expect('EHLO r.example', 250);
    await client.expect('MAIL FROM:<a@r.example>', 250);
    codes.push((await client.ask(`RCPT TO:<${GONE}>`))!.code);
    await client.expect('QUIT', 221);
    client.close();
  }
  return [...new Set(codes)];
}

const isAll = (codes: readonly number[], code: number): boolean => codes.length === 1 && codes[0] === code;

test.each([1, 2])('a flush makes every shard ask again, in %d process(es)', async (processes) => {
  asked = await startAsked(await sink.listen(), {
    screen: { greet_wait: '0s' },
    recipients: { no_ttl: '1h', yes_ttl: '1h' },
    engine: { processes, shards: 2 },
  });
  const { port } = asked;
  gone.splice(0, 1, GONE);
  expect(await codesOf(port, 0)).toEqual([550]);
  gone.length = 0;
  expect(await codesOf(port, 1)).toEqual([550]);
  expect(await asked.sluice(['recipients', 'flush'])).toMatchObject({ code: 0, err: '' });
  // Shards hear of it in their own time.
  await until('a yes from every shard', async () => isAll(await codesOf(port, 2), 250));
  gone.push(GONE);
  // A yes is remembered as well.
  expect(await codesOf(port, 3)).toEqual([250]);
  expect(await asked.sluice(['recipients', 'flush'])).toMatchObject({ code: 0, err: '' });
  await until('a no from every shard', async () => isAll(await codesOf(port, 4), 550));
});
