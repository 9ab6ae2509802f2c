/** The ledger that judges the kill -9 runs: honest with an honest server, and not to be lied to. */
import { expect, test } from 'vitest';

import { Prng } from '../../src/base/prng.ts';
import { copyOf as copyOfContent, disagreements, Ledger, untold } from './ledger.ts';
import type { Attempt, Copy } from './ledger.ts';
import { startPostfix } from './postfix.ts';

function ledgerOf(...attempts: Partial<Attempt>[]): Ledger {
  const ledger = new Ledger(new Prng(1));
  attempts.forEach((attempt, number) => {
    const content = contentOf(number);
    const isUncertain = false;
    ledger.attempts.push({
      number,
      message: number,
      content,
      isDotSent: true,
      code: 250,
      isUncertain,
      ...attempt,
    });
  });
  return ledger;
}

function contentOf(number: number): Buffer {
  return Buffer.from(`X-Load-Id: ${number}\n\nbody\n`);
}

function copyOf(number: number): Copy {
  return copyOfContent(contentOf(number));
}

test('what was told 250 and is stored once is in order, and so is an answer that got lost', () => {
  const lost = { code: 451, isUncertain: true };
  const ledger = ledgerOf({}, { code: 0 }, { code: 0 }, { code: 451 }, lost, lost);
  const stored = [copyOf(0), copyOf(2), copyOf(5)];
  expect(disagreements(ledger, stored)).toEqual([]);
  expect(untold(ledger, stored)).toBe(2);
});

test.each([
  { title: 'told 250 and not stored', attempt: {}, stored: [] },
  { title: 'told 250 and stored twice', attempt: {}, stored: [copyOf(0), copyOf(0)] },
  { title: 'told 451 and stored', attempt: { code: 451 }, stored: [copyOf(0)] },
  {
    title: 'told 451 in doubt and stored twice',
    attempt: { code: 451, isUncertain: true },
    stored: [copyOf(0), copyOf(0)],
  },
  { title: 'told 550 and stored', attempt: { code: 550 }, stored: [copyOf(0)] },
  { title: 'stored before its final dot', attempt: { code: 0, isDotSent: false }, stored: [copyOf(0)] },
  { title: 'unanswered and stored twice', attempt: { code: 0 }, stored: [copyOf(0), copyOf(0)] },
  { title: 'stored in part', attempt: {}, stored: [copyOfContent(contentOf(0).subarray(0, -1))] },
  { title: 'stored by nobody known', attempt: {}, stored: [copyOf(0), copyOf(1)] },
])('the ledger finds a message $title', ({ attempt, stored }) => {
  expect(disagreements(ledgerOf(attempt), stored)).toHaveLength(1);
});

test('with Postfix alone the ledger and the queue agree', async () => {
  const postfix = await startPostfix();
  try {
    const ledger = new Ledger(new Prng(7));
    for (let message = 0; message < 20; message += 1) {
      expect(await ledger.attempt(message, postfix.freshPort, '127.0.0.9')).toBe(true);
    }
    const stored = (await postfix.messages()).map((message) => copyOfContent(message.content));
    expect(disagreements(ledger, stored)).toEqual([]);
    expect(stored).toHaveLength(20);
  } finally {
    await postfix.stop();
  }
});
