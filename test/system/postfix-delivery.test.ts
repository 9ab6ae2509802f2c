/** 5,000 messages of smtp-source on each way: all of them in the queue, byte for byte, with their clients' addresses. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { clientsInLog, deliverWithSmtpSource, storedOf, toldOf } from './delivery.ts';
import type { Delivery } from './delivery.ts';
import { honestSources } from './tap.ts';
import { openWay, ways } from './way.ts';
import type { Way } from './way.ts';

const count = 5000;

describe.each(ways)('%s', (name) => {
  let way: Way;
  let delivery: Delivery;

  beforeAll(async () => {
    way = await openWay(name);
    delivery = await deliverWithSmtpSource(way, count);
    process.stdout.write(`smtp-source ${name}: ${count} messages in ${delivery.durationMs} ms\n`);
  });

  afterAll(async () => {
    await way?.close();
  });

  test(`smtp-source is told 250 for each of ${count} messages and has no complaint`, () => {
    expect(delivery.complaints).toBe('');
    expect(toldOf(delivery.tap)).toHaveLength(count);
    expect(delivery.tap.messages).toHaveLength(count);
  });

  test('the queue holds exactly what was sent, byte for byte, under the addresses it was sent from', async () => {
    expect(way.postfix.queuedIds()).toHaveLength(count);
    expect(await storedOf(way)).toEqual(toldOf(delivery.tap));
  });

  test("Postfix's log names the client's own address for each message", async () => {
    const clients = await clientsInLog(way);
    const seen = (await way.postfix.messages()).map((message) => `${message.id} ${message.clientAddress}`);
    expect([...clients].map((entry) => entry.join(' ')).sort()).toEqual(seen.sort());
    expect([...new Set(clients.values())].sort()).toEqual(honestSources(20).sort());
  });
});
