/**
 * Postfix goes away and comes back: clients hear a 4xx meanwhile, nothing is acknowledged that is not stored.
 * Each test has a Postfix and a Sluice of its own and waits most of the time, so they run side by side.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { greeted, onTheWire } from './client.ts';
import { startPostfix } from './postfix.ts';
import type { Postfix } from './postfix.ts';
import { processesIn, until } from './process.ts';
import { startSluice } from './sluice.ts';
import type { Sluice } from './sluice.ts';
import { laneOf, sluiceWays } from './way.ts';

describe.each(sluiceWays)('%s', (name) => {
  /** Runs a test with a Postfix and a Sluice of its own, and stops them behind it. */
  async function withBoth(
    act: (postfix: Postfix, sluice: Sluice) => Promise<void>,
    options: { readonly verifyRecipients?: string; readonly isHalted?: boolean } = {},
  ): Promise<void> {
    const postfix = await startPostfix();
    try {
      if (options.isHalted === true) await postfix.halt();
      const { backendPort, backend } = laneOf(name, postfix);
      const config = { backend: { ...backend, verify_recipients: options.verifyRecipients ?? 'early' } };
      const sluice = await startSluice({ backendPort, config });
      try {
        await act(postfix, sluice);
      } finally {
        await sluice.stop();
      }
    } finally {
      await postfix.stop();
    }
  }

  /** Codes from MAIL to the final dot; stops at the first refusal. */
  async function deliver(port: number, source: string, recipient: string): Promise<number[]> {
    const { client } = await greeted(port, source);
    const codes: number[] = [];
    for (const command of ['MAIL FROM:<sender@honest.test>', `RCPT TO:<${recipient}>`, 'DATA']) {
      codes.push((await client.ask(command))?.code ?? 0);
      if (codes.at(-1) !== 250) break;
    }
    if (codes.at(-1) === 354) {
      client.send(onTheWire('Subject: x\n\nbody\n'));
      codes.push((await client.reply())?.code ?? 0);
    }
    client.close();
    return codes;
  }

  /** Tries again as a sender does; Sluice may leave a backend that was away alone for up to 8 s. */
  async function deliverInTheEnd(port: number, source: string, recipient: string): Promise<void> {
    await until('a message is delivered', async () => {
      const codes = await deliver(port, source, recipient);
      if (codes.at(-1) !== 250) expect(codes).toEqual([250, 451]);
      return codes.length === 4;
    });
  }

  test.concurrent('without a Postfix RCPT hears 451, and when it is back mail flows again without a new start', () =>
    withBoth(async (postfix, sluice) => {
      expect(await deliver(sluice.port, '127.0.0.51', 'anna@example.test')).toEqual([250, 250, 354, 250]);
      await postfix.halt();
      expect(await deliver(sluice.port, '127.0.0.52', 'bert@example.test')).toEqual([250, 451]);
      expect(await deliver(sluice.port, '127.0.0.53', 'nobody@example.test')).toEqual([250, 451]);
      await postfix.start();
      await deliverInTheEnd(sluice.port, '127.0.0.54', 'bert@example.test');
      expect(await deliver(sluice.port, '127.0.0.55', 'nobody@example.test')).toEqual([250, 550]);
      expect(postfix.queuedIds()).toHaveLength(2);
    }));

  test.concurrent('a Sluice that was started before its Postfix delivers as soon as there is one', () =>
    withBoth(
      async (postfix, sluice) => {
        expect(await deliver(sluice.port, '127.0.0.51', 'anna@example.test')).toEqual([250, 451]);
        await postfix.start();
        await deliverInTheEnd(sluice.port, '127.0.0.52', 'anna@example.test');
        expect(await postfix.messages()).toMatchObject([{ clientAddress: '127.0.0.52' }]);
      },
      { isHalted: true },
    ));

  test.concurrent('a Postfix that goes away between RCPT and the final dot: a 4xx, and nothing is stored', () =>
    withBoth(async (postfix, sluice) => {
      const { client } = await greeted(sluice.port, '127.0.0.51');
      await client.expect('MAIL FROM:<sender@honest.test>', 250);
      await client.expect('RCPT TO:<anna@example.test>', 250);
      await client.expect('DATA', 354);
      client.send('Subject: half\r\n\r\nhalf\r\n');
      await postfix.halt();
      client.send('.\r\n');
      const answer = await client.reply();
      client.close();
      expect(answer?.code ?? 'connection closed').toSatisfy(
        (code: unknown) => Number(code) >= 400 && Number(code) < 500,
      );
      expect(postfix.queuedIds()).toEqual([]);
    }));

  test.concurrent('recipients that are verified with the message: an unknown one is refused at the end, and nothing is stored', () =>
    withBoth(
      async (postfix, sluice) => {
        const codes = await deliver(sluice.port, '127.0.0.51', 'nobody@example.test');
        expect(codes.at(-1)).toBe(550);
        expect(await deliver(sluice.port, '127.0.0.51', 'anna@example.test')).toEqual([250, 250, 354, 250]);
        expect(postfix.queuedIds()).toHaveLength(1);
      },
      { verifyRecipients: 'late' },
    ));

  test.concurrent('smtpd processes that die under Sluice: what was told 250 is stored, once, and nothing else', () =>
    withBoth(async (postfix, sluice) => {
      const told: string[] = [];
      for (let round = 0; round < 10; round += 1) {
        const { client } = await greeted(sluice.port, `127.0.0.${60 + round}`);
        const isReady = [
          await client.ask('MAIL FROM:<sender@honest.test>'),
          await client.ask('RCPT TO:<anna@example.test>'),
          await client.ask('DATA'),
        ].every((reply) => reply !== null && reply.code < 400);
        if (isReady) {
          client.send(`Subject: ${round}\r\n\r\n`);
          for (const pid of smtpdPids(postfix)) process.kill(pid, 'SIGKILL');
          client.send('.\r\n');
          if ((await client.reply())?.code === 250) told.push(`Subject: ${round}\n\n`);
        }
        client.close();
      }
      const stored = (await postfix.messages()).map((message) => message.content.toString()).sort();
      expect(stored).toEqual(told.sort());
      expect(await deliver(sluice.port, '127.0.0.80', 'anna@example.test')).toEqual([250, 250, 354, 250]);
    }));

  function smtpdPids(postfix: Postfix): number[] {
    return processesIn(postfix.directory).filter(
      (pid) => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'smtpd\n',
    );
  }
});
