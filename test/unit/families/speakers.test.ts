/**
 * Which families are told while a session speaks, and how long they wait: made of rows as shards send them.
 */
import { beforeEach, describe, expect, it, test } from 'vitest';
import { Prng } from '../../../src/base/prng.ts';
import {
  Level,
  mannerOf,
  mayBecome,
  oddityOf,
  reached,
  Shape,
  Trait,
} from '../../../src/families/dialect.ts';
import { Families } from '../../../src/families/families.ts';
import { Labels, SPEAKER_WORDS } from '../../../src/families/labels.ts';
import { Leaving, Leavings, SLOWED, wayOf } from '../../../src/families/leavings.ts';
import { Pace } from '../../../src/policy/pace.ts';
import { Phase } from '../../../src/session/phase.ts';

const PLAIN = reached(Trait.Ehlo | (Shape.Domain << 2), Level.Envelope);
const SMALL = PLAIN | Trait.LowerVerb | Trait.SmallKeyword;
const MINUTE_MS = 60_000;

let families: Families;
let random: Prng;

beforeEach(() => {
  families = new Families();
  random = new Prng(1);
});

interface Kind {
  readonly dialect?: number;
  readonly leaving?: Leaving;
  readonly pace?: Pace;
  readonly fromMs?: number;
  readonly toMs?: number;
}

/** `count` sessions of many networks that end, and a look at them; true when there is a new table. */
function see(count: number, kind: Kind = {}, nowMs = 0): boolean {
  const { dialect = SMALL, leaving = Leaving.Impatient, pace = Pace.Slow } = kind;
  const { fromMs = 5_000, toMs = 40_000 } = kind;
  const leavings = new Leavings();
  for (let done = 0; done < count; done++) {
    const ageMs = fromMs + random.below(Math.max(1, toMs - fromMs));
    leavings.note(dialect, wayOf(leaving, Phase.Listening, pace), ageMs, ageMs, 4, random.below(1e6));
  }
  families.take(leavings.takeAll()!, nowMs);
  return families.find(nowMs);
}

const labels = (): Labels => new Labels(families.table);
const isTold = (dialect: number): boolean => labels().speakerOf(dialect) >= 0;
const patienceMs = (): number => labels().patienceOf(labels().speakerOf(SMALL));

describe('a family is told while a session speaks', () => {
  it('by its manner, whole, and by no other', () => {
    see(100);
    expect(labels().hasSpeakers).toBe(true);
    const [family] = families.list;
    expect(labels().nameOf(labels().speakerOf(SMALL))).toBe(family!.label);
    expect(families.isToldEarly(family!)).toBe(true);
    // What is no part of the manner does not matter.
    expect(isTold(SMALL | Trait.Resets | Trait.Past5)).toBe(true);
    expect(isTold(PLAIN)).toBe(false);
    expect(isTold(PLAIN | Trait.LowerVerb)).toBe(false);
    expect(isTold(SMALL | Trait.Trailing)).toBe(false);
    expect(isTold(reached(Trait.Ehlo | Trait.LowerVerb | (Shape.Domain << 2), Level.Hello))).toBe(false);
  });

  it('but not by a spike of plain speech', () => {
    see(200, { dialect: PLAIN, fromMs: 21_000, toMs: 21_030 });
    expect(families.list.map(({ label }) => label)).toEqual(['rustock']);
    expect(families.isToldEarly(families.list[0]!)).toBe(false);
    expect(labels().hasSpeakers).toBe(false);
    expect(isTold(PLAIN)).toBe(false);
  });

  it('but not by what was seen of sessions that never came to an envelope', () => {
    const friend = Trait.Helo | (Shape.Word << 2);
    see(400, { dialect: reached(friend, Level.Hello) });
    see(15, { dialect: reached(friend, Level.Envelope), leaving: Leaving.Good });
    expect(families.list).toHaveLength(1);
    expect(isTold(reached(friend, Level.Envelope))).toBe(false);
    // Now enough have; but of those that came so far too many deliver.
    see(30, { dialect: reached(friend, Level.Envelope) });
    expect(families.list).toHaveLength(1);
    expect(isTold(reached(friend, Level.Envelope))).toBe(false);
    see(400, { dialect: reached(friend, Level.Envelope) });
    expect(isTold(reached(friend, Level.Envelope))).toBe(true);
  });

  it('but not while a session may yet turn out to be of an honest manner', () => {
    see(100);
    expect(isTold(SMALL)).toBe(true);
    see(50, { dialect: SMALL | Trait.Trailing, leaving: Leaving.Good });
    expect(isTold(SMALL)).toBe(false);
    // It is a family all the same, and named at the end.
    expect(families.list).toHaveLength(1);
    expect(labels().numberOf(SMALL, Leaving.SentAway, 9_000)).toBeGreaterThanOrEqual(0);
    // Honest manners that it cannot become do not matter.
    see(2_000, { dialect: SMALL });
    see(500, { dialect: PLAIN | Trait.LowerVerb, leaving: Leaving.Good });
    expect(isTold(SMALL)).toBe(true);
  });

  it('until more than one in twenty of its manner delivers', () => {
    see(1_000);
    expect(isTold(SMALL)).toBe(true);
    see(60, { leaving: Leaving.Good });
    expect(isTold(SMALL)).toBe(false);
    expect(families.table.speakers).toHaveLength(0);
  });
});

describe('the patience of a family', () => {
  it('is the time before which nearly all that were slowed had left by themselves', () => {
    see(100);
    see(100);
    expect(patienceMs()).toBeGreaterThan(38_000);
    expect(patienceMs()).toBeLessThan(42_000);
  });

  it('is not known before enough have left a wait: not by the end of those that never had to', () => {
    see(500, { pace: Pace.Screened });
    see(500, { leaving: Leaving.SentAway });
    see(500, { leaving: Leaving.Answering });
    expect(isTold(SMALL)).toBe(true);
    expect(patienceMs()).toBe(0);
    see(19);
    expect(patienceMs()).toBe(0);
    see(1);
    expect(patienceMs()).toBeGreaterThan(10_000);
  });

  it('moves the table only when it has moved by a tenth', () => {
    see(100);
    see(500);
    const beforeMs = patienceMs();
    let tables = 0;
    for (let second = 1; second <= 50; second++) tables += see(20, {}, second * 1_000) ? 1 : 0;
    // The same patience, measured better: no table for that.
    expect(tables).toBeLessThanOrEqual(1);
    see(500, { fromMs: 70_000, toMs: 80_000 }, MINUTE_MS);
    expect(patienceMs()).toBeGreaterThan(beforeMs * 1.5);
  });

  it('stays what it was when few come any more', () => {
    see(150);
    see(150);
    const beforeMs = patienceMs();
    see(1, { leaving: Leaving.SentAway }, 240 * MINUTE_MS);
    expect(isTold(SMALL)).toBe(false);
    see(60, { pace: Pace.Screened }, 241 * MINUTE_MS);
    expect(isTold(SMALL)).toBe(true);
    expect(patienceMs()).toBe(beforeMs);
  });
});

test('pairs are as many as families that can be told so, at most', () => {
  for (let number = 0; number < 200; number++)
    see(60, {
      dialect: reached(((number * 2_654_435_761) >>> 0) & 0x1fff_ffff, Level.Envelope) | Trait.Auth,
    });
  const { speakers, names } = families.table;
  expect(speakers.length).toBeGreaterThan(0);
  expect(speakers.length / SPEAKER_WORDS).toBeLessThanOrEqual(names.length);
});

test('a session may become what is odder in the same greeting, and nothing else', () => {
  const one = oddityOf(mannerOf(SMALL));
  expect(mayBecome(one, one)).toBe(true);
  expect(mayBecome(one, one | Trait.Ahead)).toBe(true);
  expect(mayBecome(one, Trait.LowerVerb)).toBe(false);
  expect(mayBecome(one, one | (Shape.Word << 2))).toBe(false);
  expect(mayBecome(0, one)).toBe(true);
});

test('who is slow is called the same here as by the pace', () => {
  expect(SLOWED).toBe(Pace.Slow);
});
