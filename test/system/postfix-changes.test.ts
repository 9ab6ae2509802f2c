/**
 * A Postfix that changes under a running Sluice: it takes XCLIENT back, or stops answering without going away. Mail stays with its
 * sender meanwhile, nothing is stored under another's name, and when all is well again it flows without a new start.
 * Each test has a Postfix and a Sluice of its own and waits most of the time, so they run side by side.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { replyTable } from '../../src/smtp/replies.ts';
import { greeted, transaction } from './client.ts';
import type { Postfix } from './postfix.ts';
import type { Sluice } from './sluice.ts';
import { processesIn, runWell, until } from './process.ts';
import { openWay, sluiceWays } from './way.ts';

/** Short enough to wait for; the silence of a Postfix that is well is shorter. */
const timeouts = { connect_timeout: '3s', reply_timeout: '3s', final_timeout: '10s' };

function isSmtpd(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8') === 'smtpd\n';
  } catch {
    return false; // It has left by itself.
  }
}

describe.each(sluiceWays)('%s', (name) => {
  /** Runs a test with a way of its own, and closes it behind it. */
  async function onWay(act: (postfix: Postfix, sluice: Sluice) => Promise<void>): Promise<void> {
    const way = await openWay(name, { config: { backend: timeouts } });
    try {
      await act(way.postfix, way.sluice!);
    } finally {
      await way.close();
    }
  }

  async function deliver(sluice: Sluice, source: string): Promise<number[]> {
    const { client } = await greeted(sluice.port, source);
    const codes = await transaction(client, 'anna@example.test', 'Subject: x\n\nbody\n');
    client.close();
    return codes;
  }

  /** Tries until a try ends so; every try before it was answered in one of the two ways. */
  async function deliverUntil(sluice: Sluice, source: string, last: number): Promise<void> {
    await until(`a message is answered ${last}`, async () => {
      const codes = await deliver(sluice, source);
      expect([250, 451, 0]).toContain(codes.at(-1));
      return codes.at(-1) === last;
    });
  }

  /** Makes Postfix take XCLIENT from nobody, or again as before; smtpd processes that are there leave. */
  async function authorise(postfix: Postfix, isAllowed: boolean): Promise<void> {
    const file = join(postfix.configDirectory, 'master.cf');
    const text = readFileSync(file, 'utf8');
    const [from, to] = isAllowed ? ['_was_hosts=', '_hosts='] : ['_hosts=', '_was_hosts='];
    writeFileSync(file, text.replaceAll(`smtpd_authorized_xclient${from}`, `smtpd_authorized_xclient${to}`));
    await runWell('postfix', ['-c', postfix.configDirectory, 'reload']);
    // Those that serve a connection would go on as they were for as long as it lasts.
    for (const pid of processesIn(postfix.directory).filter(isSmtpd)) process.kill(pid, 'SIGTERM');
  }

  test.concurrent('XCLIENT is withdrawn: 451 and a notice, nothing is stored; it is given back: mail flows', () =>
    onWay(async (postfix, sluice) => {
      await deliverUntil(sluice, '127.0.0.51', 250);
      await authorise(postfix, false);
      await deliverUntil(sluice, '127.0.0.52', 451);
      // From the moment on at which it was refused once, nobody gets through.
      const before = postfix.queuedIds().length;
      for (const source of ['127.0.0.53', '127.0.0.54', '127.0.0.55'])
        expect(await deliver(sluice, source)).toEqual([250, 451]);
      await until('the operator is told', () =>
        /backend \S+: (?:answered XCLIENT with 550|does not offer XCLIENT to Sluice)$/m.test(sluice.said),
      );
      expect(postfix.queuedIds()).toHaveLength(before);
      await authorise(postfix, true);
      await deliverUntil(sluice, '127.0.0.56', 250);
      const clients = (await postfix.messages()).map(({ clientAddress }) => clientAddress);
      expect(clients).not.toContain('127.0.0.1');
      expect(clients).toContain('127.0.0.56');
      expect(clients.filter((address) => /^127\.0\.0\.5[345]$/.test(address))).toEqual([]);
    }));

  test.concurrent('every process of Postfix is stopped: 451 within the timeouts, and mail flows when they go on', () =>
    onWay(async (postfix, sluice) => {
      await deliverUntil(sluice, '127.0.0.51', 250);
      const stopped = processesIn(postfix.directory);
      for (const pid of stopped) process.kill(pid, 'SIGSTOP');
      try {
        const { client } = await greeted(sluice.port, '127.0.0.52');
        await client.expect('MAIL FROM:<sender@honest.test>', 250);
        const answer = await client.ask('RCPT TO:<anna@example.test>');
        client.close();
        expect([replyTable.backendDown.text, replyTable.backendBusy.text]).toContain(answer?.lines[0]);
        await until('the operator is told', () => /backend \S+: did not answer in time$/m.test(sluice.said));
      } finally {
        for (const pid of stopped) process.kill(pid, 'SIGCONT');
      }
      await deliverUntil(sluice, '127.0.0.53', 250);
      expect((await postfix.messages()).map(({ clientAddress }) => clientAddress).toSorted()).toEqual([
        '127.0.0.51',
        '127.0.0.53',
      ]);
    }));
});
