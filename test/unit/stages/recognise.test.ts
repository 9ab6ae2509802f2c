/**
 * Strangers that speak like a family, from shard to families and back: honest ones wait once, and a family of which too many
 * deliver slows nobody any more.
 */
import { beforeEach, expect, test } from 'vitest';
import { Prng } from '../../../src/base/prng.ts';
import type { PartialConfig } from '../../../src/config/load.ts';
import { defaultConfig } from '../../../src/config/load.ts';
import { Level, reached, Shape, Trait } from '../../../src/families/dialect.ts';
import { Families } from '../../../src/families/families.ts';
import { Labels } from '../../../src/families/labels.ts';
import { Leaving, Leavings, wayOf } from '../../../src/families/leavings.ts';
import { Pace } from '../../../src/policy/pace.ts';
import { planTotalMs } from '../../../src/policy/patience.ts';
import { SCALE_FULL } from '../../../src/policy/plan.ts';
import type { SessionReport } from '../../../src/session/journal.ts';
import { Phase } from '../../../src/session/phase.ts';
import { World } from '../../dialogues/world.ts';

const SMALL = reached(
  Trait.Ehlo | (Shape.Domain << 2) | Trait.LowerVerb | Trait.SmallKeyword,
  Level.Envelope,
);
/** Leaves at 20 to 40 s. */
const ZOMBIES = 300;

let families: Families;
let world: World;
const reports: SessionReport[] = [];

function open(overrides: PartialConfig = {}): void {
  families = new Families();
  reports.length = 0;
  world = new World({ config: defaultConfig({ hostname: 'mx.example.net', ...overrides }) });
  world.onEnded = (report) => void reports.push({ ...report });
  world.start();
}

beforeEach(() => open());

/** What the shard noted goes to the families, and what they know to the shard. */
function exchange(): void {
  const rows = world.shard.works.leavings.takeAll();
  if (rows !== null) families.take(rows, world.nowMs);
  families.find(world.nowMs);
  world.shard.works.families = new Labels(families.table);
}

/** Zombies of the manner come to other shards, and leave a wait. */
function plant(): void {
  const random = new Prng(1);
  for (let half = 0; half < 2; half++) {
    const leavings = new Leavings();
    for (let done = 0; done < ZOMBIES / 2; done++) {
      const ageMs = 20_000 + random.below(20_000);
      const way = wayOf(Leaving.Impatient, Phase.Owing, Pace.Slow);
      leavings.note(SMALL, way, ageMs, ageMs, 9, random.below(1e6));
    }
    families.take(leavings.takeAll()!, world.nowMs);
    families.find(world.nowMs);
  }
  exchange();
}

/** A patient client sends one message to `recipient` in small letters; its report. */
function send(address: string, recipient = 'good@example.org'): SessionReport {
  const client = world.dial(address);
  const say = (text: string): void => {
    const from = client.heard.length;
    client.send(`${text}\r\n`);
    expect(
      world.runUntil(world.nowMs + 600_000, () => client.isAnswered(from)),
      text,
    ).toBe(true);
  };
  expect(world.runUntil(world.nowMs + 60_000, () => client.isAnswered(0))).toBe(true);
  say('ehlo a.example');
  say('mail from:<a@a.example>');
  say(`rcpt to:<${recipient}>`);
  if (client.heard.includes('\r\n250 2.1.5')) {
    say('data');
    say('x\r\n.');
  }
  say('quit');
  world.runUntil(world.nowMs + 10_000, () => client.gone);
  exchange();
  return reports.at(-1)!;
}

test('an honest stranger waits as the plan says, delivers, and does not wait again', () => {
  plant();
  const first = send('192.0.2.7');
  const patienceMs = families.list[0]!.patienceMs;
  expect(patienceMs).toBeGreaterThan(37_000);
  expect(first).toMatchObject({ family: families.list[0]!.label, messages: 1, ending: 'quit' });
  const { greetWaitMs } = world.shard.works.config.screen;
  // A percent of the plan is the smallest step.
  const stepMs = planTotalMs(world.shard.works.config, SCALE_FULL) / SCALE_FULL;
  expect(first.delayMs - greetWaitMs).toBeGreaterThanOrEqual(patienceMs * 1.2);
  expect(first.delayMs - greetWaitMs).toBeLessThanOrEqual(patienceMs * 1.2 + stepMs);
  expect(world.counters.valueOf('outlasted')).toBe(1);
  for (let visit = 0; visit < 3; visit++)
    expect(send('192.0.2.7')).toMatchObject({ messages: 1, delayMs: 0, pace: 'instant', family: '' });
  expect(world.counters.valueOf('recognised')).toBe(1);
});

test('nobody is slowed for a family any more once more than one in twenty of its manner delivers', () => {
  plant();
  const slowed: boolean[] = [];
  for (let host = 1; host <= 30; host++)
    slowed.push(send(`198.18.${host}.7`).delayMs > world.shard.works.config.screen.greetWaitMs);
  // 300 zombies: the sixteenth message is too many, or the one before, since those of a minute ago count a little less.
  const free = slowed.indexOf(false);
  expect(free).toBeGreaterThanOrEqual(14);
  expect(free).toBeLessThanOrEqual(16);
  expect(slowed.slice(free)).not.toContain(true);
  expect(families.list).toEqual([]);
  expect(world.counters.valueOf('messagesDelivered')).toBe(30);
});

test('with feedback one member in sixteen hears the truth, and its mail shows an error', () => {
  open({ families: { feedback: true } });
  plant();
  const truth = Array.from({ length: 48 }, (_, host) => send(`198.18.${host}.7`).recipientsOk > 0);
  expect(truth.filter(Boolean)).toHaveLength(3);
  expect(world.counters.valueOf('feedbackGiven')).toBe(45);
  expect(world.counters.valueOf('recipientsBad')).toBe(0);
  // Who heard no and said QUIT is counted neither as good nor as bad.
  for (let host = 0; families.list.length > 0; host++) {
    expect(host).toBeLessThan(300);
    send(`198.19.${host}.7`);
  }
  expect(send('198.51.100.7').recipientsOk).toBe(1);
});

test('of a member that was told no nothing is learnt but that it spoke', () => {
  open({ families: { feedback: true }, traps: { learn: true } });
  plant();
  for (let host = 0; host < 8; host++)
    expect(send(`198.18.${host}.7`, 'unknown@example.org')).toMatchObject({
      recipientsBad: 1,
      reasons: 'feedback',
      score: 0,
    });
  expect(world.counters.valueOf('trapsLearned')).toBe(0);
  // The name is asked for at the backend by whoever speaks otherwise.
  expect(world.shard.works.recipients.refusalFor('TO:<unknown@example.org>', world.nowMs)).toBeNull();
});
