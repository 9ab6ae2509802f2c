/**
 * family-plan — what it does to a family that its members are recognised, on the virtual clock
 *
 * The backend takes mail for every name. Nearly all zombies are on the operator's list, and one in 32 is not: those deliver,
 * until the family is known whose manner they have. Who leaves at a moment but speaks as everybody does, is told at the
 * end alone, and delivers before as after.
 */
import { beforeAll, expect, test } from 'vitest';
import { familyCrowd } from './family-crowd.ts';
import { PORT_BASE } from '../../loadgen/virtual/client.ts';
import type { World } from './world.ts';

/** All that zombies come from but 127.126.0.0/15. */
const SLOW = ['127.64.0.0/11', '127.96.0.0/12', '127.112.0.0/13', '127.120.0.0/14', '127.124.0.0/15'];
const UNLISTED = /^127\.12[67]\./;
const SPEAKERS = ['whisperer', 'clumsy'];
const PLAIN = ['rustock', 'punctual', 'climbot'];
/** A family is found before it is certain that its manner alone tells it. */
const CERTAIN_MS = 60_000;

interface Seen {
  readonly kind: string;
  readonly begunMs: number;
  readonly delayMs: number;
  readonly pace: string;
  readonly messages: number;
  readonly family: string;
}

let world: World;
let unlisted: readonly Seen[];
const knownMs = new Map<string, number>();

beforeAll(() => {
  world = familyCrowd({ seed: 5, sessions: 6_000, honest: 300, slow: SLOW, takesAll: true });
  const all = world.reports.map(({ client, port, epochMs, durationMs, delayMs, pace, messages, family }) => {
    const kind = world.crowd.clients[port - PORT_BASE]!.bot.name;
    return { client, kind, begunMs: epochMs - durationMs - EPOCH_MS, delayMs, pace, messages, family };
  });
  for (const kind of SPEAKERS) {
    const labels = all.filter((one) => one.kind === kind).map(({ family }) => family);
    const family = world.families.list.find(({ label }) => label === labels.at(-1));
    expect(family !== undefined && world.families.isToldEarly(family), kind).toBe(true);
    knownMs.set(kind, family!.sinceMs);
  }
  unlisted = all.filter(({ client }) => UNLISTED.test(client));
}, 60_000);

/** Of every hundred of these sessions so many delivered. */
function deliveredPercent(sessions: readonly Seen[]): number {
  return (sessions.filter(({ messages }) => messages > 0).length * 100) / sessions.length;
}

test('members on no list deliver until their family is known, and hardly ever from then on', () => {
  // Who was not made to wait at all is known by its network, from which another had delivered before.
  const members = unlisted.filter(({ kind, delayMs }) => SPEAKERS.includes(kind) && delayMs > 0);
  const before = members.filter(({ kind, begunMs }) => begunMs < knownMs.get(kind)!);
  const after = members.filter(({ kind, begunMs }) => begunMs > knownMs.get(kind)! + CERTAIN_MS);
  expect(before.length).toBeGreaterThan(3);
  expect(after.length).toBeGreaterThan(10);
  expect(deliveredPercent(before)).toBeGreaterThan(60);
  expect(deliveredPercent(after)).toBeLessThan(10);
  const slowed = after.filter(
    ({ pace, delayMs, family }) => pace === 'slow' && delayMs > 6_000 && family !== '',
  );
  expect(slowed.length * 100).toBeGreaterThan(after.length * 90);
});

test('who speaks as everybody does is not slowed for a family', () => {
  const others = unlisted.filter(({ kind }) => PLAIN.includes(kind));
  expect(others.length).toBeGreaterThan(20);
  expect(deliveredPercent(others)).toBeGreaterThan(90);
});

test('honest senders are neither recognised nor slowed', () => {
  const honest = world.reports.filter(({ client }) => /^127\.(?:3[2-9]|[45]\d|6[0-3])\./.test(client));
  expect(honest.length).toBeGreaterThan(300);
  expect(honest.filter(({ family, pace }) => family !== '' || pace === 'slow')).toEqual([]);
});

/** Wall clock of the simulation's zero (station). */
const EPOCH_MS = 1_800_000_000_000;
