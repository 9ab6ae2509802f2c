/**
 * One client's state never reaches another: a short hunt over 20 reused lanes, into the sink and into a real Postfix; and the check that
 * judges it finds each kind of leak when there is one. The whole hunt is leak-hunt-main.
 */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';

import { judge } from './hunt-check.ts';
import type { Kept } from './hunt-check.ts';
import type { Told } from './hunt-client.ts';
import { runHunt } from './hunt.ts';
import { idOf, planOf } from './hunt-plan.ts';

const seed = Number(process.env['SLUICE_SEED'] ?? 20_261_125);
const common = { seed, lanes: 20, processes: 2, concurrency: 64, msMax: 300_000 } as const;

test(`5,000 short sessions (seed ${seed}) into a sink at which much goes wrong: each message is its own client's`, async () => {
  const sessions = 5_000;
  const result = await runHunt({ ...common, sessions, backend: 'sink', reuse: 'always', mishaps: 20 });
  process.stdout.write(`hunt, sink: ${result.durationMs} ms, ${JSON.stringify(result.finding)}\n`);
  expect(result.wrong).toEqual([]);
  expect(result.sessions).toBe(sessions);
  // There was something to find: messages came through, some in doubt, and lanes were used many times over.
  expect(result.finding.toldYes).toBeGreaterThan(sessions / 4);
  expect(result.finding.storedUntold).toBeGreaterThan(0);
  expect(result.sink!.xclients).toBeGreaterThan(result.sink!.connections * 5);
});

test(`500 short sessions (seed ${seed}) into Postfix: each message is its own client's`, async () => {
  const sessions = 500;
  const result = await runHunt({ ...common, sessions, backend: 'postfix', reuse: 'auto', mishaps: 0 });
  process.stdout.write(`hunt, Postfix: ${result.durationMs} ms, ${JSON.stringify(result.finding)}\n`);
  expect(result.wrong).toEqual([]);
  expect(result.finding.toldYes).toBeGreaterThan(sessions / 4);
});

const rules = { seed: 7, hasProxies: true, hasTls: true };
const ports = { plain: 2_525, proxied: 2_526 };
/** A session by HELO and one by EHLO, neither through a proxy. */
const [one, other] = [false, true].map((isEsmtp) => {
  for (let number = 0; ; number += 1) {
    const plan = planOf(rules, number);
    const name = plan.hello.startsWith('[') || plan.header !== null ? '' : plan.hello;
    if (name !== '' && plan.isEsmtp === isEsmtp && plan.letters[0]!.sender !== '<>') return plan;
  }
}) as [ReturnType<typeof planOf>, ReturnType<typeof planOf>];

const toldOf = ({ number, hello, letters }: typeof one): Told => ({
  id: idOf(number, 0),
  port: 40_000 + number,
  helo: hello,
  recipients: letters[0]!.recipients,
  code: 250,
  isUncertain: false,
  queueId: `S${number}`,
});

const keptOf = (plan: typeof one): Kept => {
  const letter = plan.letters[0]!;
  return {
    id: idOf(plan.number, 0),
    queueId: `S${plan.number}`,
    sender: letter.sender.slice(1, -1),
    mailParameters: letter.parameters.trim(),
    recipients: letter.recipients.map((path) => path.slice(1, -1)),
    helo: plan.hello,
    protocol: plan.isEsmtp ? 'ESMTP' : 'SMTP',
    sha256: createHash('sha256').update(letter.body).digest('hex'),
    client: {
      ADDR: plan.source,
      PORT: String(40_000 + plan.number),
      HELO: plan.hello,
      PROTO: plan.isEsmtp ? 'ESMTP' : 'SMTP',
      DESTADDR: '127.0.0.1',
      DESTPORT: '2525',
      LOGIN: '[UNAVAILABLE]',
      NAME: '[UNAVAILABLE]',
      REVERSE_NAME: '[UNAVAILABLE]',
    },
  };
};
const mine = keptOf(one);
const theirs = keptOf(other);
const asClient = (attribute: string): Kept => ({
  ...mine,
  client: { ...mine.client, [attribute]: theirs.client[attribute]! },
});

test('the check finds nothing where each message is its own', () => {
  const { wrong, toldYes, stored } = judge(rules, ports, [one, other].map(toldOf), [mine, theirs]);
  expect(wrong).toEqual([]);
  expect([toldYes, stored]).toEqual([2, 2]);
});

test.each<readonly [string, Kept, RegExp]>([
  ['the HELO of another', { ...mine, helo: theirs.helo }, /: HELO is/],
  ['the protocol of another', { ...mine, protocol: theirs.protocol }, /: protocol is/],
  ['the sender of another', { ...mine, sender: theirs.sender }, /: sender is/],
  ['the recipients of another', { ...mine, recipients: theirs.recipients }, /: recipients is/],
  [
    'one recipient more',
    { ...mine, recipients: [...mine.recipients, theirs.recipients[0]!] },
    /: recipients is/,
  ],
  ['a parameter too many', { ...mine, mailParameters: 'BODY=8BITMIME' }, /: parameters of MAIL is/],
  ['the body of another', { ...mine, sha256: theirs.sha256 }, /: body is/],
  ['an id that its client was not told', { ...mine, queueId: theirs.queueId }, /: id is/],
  ['the address of another', asClient('ADDR'), /: XCLIENT ADDR is/],
  ['the port of another', asClient('PORT'), /: XCLIENT PORT is/],
  ['the HELO of another in XCLIENT', asClient('HELO'), /: XCLIENT HELO is/],
  ['the protocol of another in XCLIENT', asClient('PROTO'), /: XCLIENT PROTO is/],
  ['a login left over', { ...mine, client: { ...mine.client, LOGIN: 'somebody' } }, /: XCLIENT LOGIN is/],
  ['a name left over', { ...mine, client: { ...mine.client, NAME: 'a.example' } }, /: XCLIENT NAME is/],
])('the check finds a message with %s', (_, kept, says) => {
  const { wrong } = judge(rules, ports, [one, other].map(toldOf), [kept, theirs]);
  expect(wrong).toEqual([expect.stringMatching(says)]);
});

test.each<readonly [string, Partial<Told>, readonly Kept[], RegExp]>([
  ['told 250 and not stored', {}, [], /told 250 and is stored 0 times/],
  ['told 250 and stored twice', {}, [mine, mine], /told 250 and is stored 2 times/],
  ['told 451 and stored', { code: 451, queueId: '' }, [mine], /told 451 and is stored 1 times/],
  ['told 550 and stored', { code: 550, queueId: '' }, [mine], /told 550 and is stored 1 times/],
  ['not answered and stored twice', { code: 0, queueId: '' }, [mine, mine], /told nothing and is stored 2/],
])('the check finds a message that was %s', (_, change, stored, says) => {
  const { wrong } = judge(rules, ports, [{ ...toldOf(one), ...change }], stored);
  expect(wrong).toEqual([expect.stringMatching(says)]);
});

test('the check finds a message whose end was never sent, and one of nobody', () => {
  const { wrong } = judge(rules, ports, [toldOf(one)], [mine, theirs, { ...mine, id: '' }]);
  expect(wrong).toEqual([
    expect.stringMatching(/is stored, though its end was never sent/),
    expect.stringMatching(/of nobody is stored/),
  ]);
});

test('a message in doubt may be stored or not', () => {
  const doubts: Partial<Told>[] = [{ code: 0 }, { code: 451, isUncertain: true }];
  for (const doubt of doubts)
    for (const stored of [[], [mine]])
      expect(judge(rules, ports, [{ ...toldOf(one), ...doubt, queueId: '' }], stored).wrong).toEqual([]);
});
