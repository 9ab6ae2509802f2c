/**
 * Families made of rows as shards send them: what is one, what is none, and the bounds.
 */
import * as fc from 'fast-check';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { Prng } from '../../../src/base/prng.ts';
import { MANNERS_MAX } from '../../../src/families/book.ts';
import { Level, reached, Shape, Trait } from '../../../src/families/dialect.ts';
import { FAMILIES_MAX, Families, leavingFor } from '../../../src/families/families.ts';
import { LABEL_WORDS, Labels, ROWS_MAX } from '../../../src/families/labels.ts';
import { Leaving, Leavings, ROW_WORDS, wayOf } from '../../../src/families/leavings.ts';
import { Phase } from '../../../src/session/phase.ts';

const PLAIN = reached(Trait.Ehlo | (Shape.Domain << 2), Level.Envelope);
const SMALL = PLAIN | Trait.LowerVerb | Trait.SmallKeyword;
const HOUR_MS = 3_600_000;

let families: Families;
let random: Prng;

beforeEach(() => {
  families = new Families();
  random = new Prng(1);
});

interface Kind {
  readonly dialect?: number;
  readonly leaving?: Leaving;
  readonly fromMs: number;
  readonly toMs?: number;
  readonly networks?: number;
}

/** `count` sessions that end at `nowMs`, and a look at them. */
function see(count: number, kind: Kind, nowMs = 0): void {
  const { dialect = PLAIN, leaving = Leaving.Impatient, fromMs, toMs = fromMs + 30, networks = 1e6 } = kind;
  const leavings = new Leavings();
  for (let done = 0; done < count; done++) {
    const ageMs = fromMs + random.below(Math.max(1, toMs - fromMs));
    leavings.note(dialect, wayOf(leaving, Phase.Listening, 1), ageMs, ageMs, 4, random.below(networks));
    if (done % 4_000 === 3_999) families.take(leavings.takeAll()!, nowMs);
  }
  const rows = leavings.takeAll();
  if (rows !== null) families.take(rows, nowMs);
  families.find(nowMs);
}

const labels = (): string[] => families.list.map(({ label }) => label).sort();
const labelOf = (dialect: number, leaving: Leaving, ageMs: number): string => {
  const table = new Labels(families.table);
  return table.nameOf(table.numberOf(dialect, leaving, ageMs));
};

describe('a family is found', () => {
  it('by a spike, under a known name when it stands where the habit was described', () => {
    see(2_000, { fromMs: 2_000, toMs: 10_000 });
    see(60, { fromMs: 21_000 });
    see(60, { fromMs: 100_000 });
    see(60, { fromMs: 33_000 });
    expect(labels()).toEqual(['climbot', expect.stringMatching(/^family-[0-9a-f]{4}$/), 'rustock']);
    expect(labelOf(PLAIN, Leaving.Impatient, 21_010)).toBe('rustock');
    expect(labelOf(PLAIN, Leaving.Impatient, 26_000)).toBe('');
    expect(labelOf(PLAIN, Leaving.Answering, 21_010)).toBe('');
    expect(labelOf(PLAIN, Leaving.Good, 21_010)).toBe('');
  });

  it('by its dialect, whenever it leaves, and then those of it that left early are told too', () => {
    see(100, { dialect: SMALL, fromMs: 3_000, toMs: 200_000 });
    const [id] = labels();
    expect(id).toMatch(/^family-/);
    const early = reached(Trait.Ehlo | Trait.LowerVerb | (Shape.Domain << 2), Level.Hello);
    see(3, { dialect: early, fromMs: 5_000 });
    see(3, { dialect: SMALL, fromMs: 9_000 });
    expect(labelOf(SMALL, Leaving.SentAway, 400_000)).toBe(id);
    expect(labelOf(early, Leaving.Impatient, 5_000)).toBe(id);
    expect(labelOf(PLAIN, Leaving.Impatient, 5_000)).toBe('');
    expect(families.list[0]!.dialectText()).toContain('small letters');
  });

  it('once, though its spike is seen before its dialect is certain', () => {
    see(30, { dialect: SMALL, fromMs: 47_000 });
    const before = labels();
    expect(before).toHaveLength(1);
    see(200, { dialect: SMALL, fromMs: 47_000 });
    expect(labels()).toEqual(before);
    expect(labelOf(SMALL, Leaving.SentAway, 9_000)).toBe(before[0]);
  });

  it('by five minutes of silence after a 550', () => {
    see(20, { leaving: Leaving.Silent, fromMs: 306_000, toMs: 350_000 });
    expect(labels()).toEqual(['storm']);
    expect(labelOf(SMALL, Leaving.Silent, 320_000)).toBe('storm');
  });

  it('under the same id after a restart, and by the same number while it lasts', () => {
    see(100, { fromMs: 33_000 });
    const before = labels();
    see(200, { fromMs: 33_000 }, 5_000);
    expect(labels()).toEqual(before);
    families = new Families();
    see(100, { fromMs: 33_000 });
    expect(labels()).toEqual(before);
  });
});

describe('no family', () => {
  it.each<[string, number, Kind]>([
    ['those who leave at any time', 5_000, { fromMs: 3_000, toMs: 300_000 }],
    ['those who leave when they hear no', 500, { fromMs: 6_000, leaving: Leaving.Answering }],
    ['those who said QUIT, or had to', 500, { fromMs: 6_000, leaving: Leaving.Neutral, dialect: SMALL }],
    ['those who delivered', 500, { fromMs: 21_000, leaving: Leaving.Good, dialect: SMALL }],
    ['a few of an odd manner', 39, { fromMs: 3_000, toMs: 300_000, dialect: SMALL }],
    ['an odd manner of a few networks', 500, { fromMs: 9_000, dialect: SMALL, networks: 5 }],
    ['a monitor of one network', 500, { fromMs: 5_000, networks: 1 }],
    ['monitors of a few networks', 5_000, { fromMs: 60_000, networks: 20 }],
    ['a few that were silent', 9, { fromMs: 306_000, leaving: Leaving.Silent }],
  ])('is made of %s', (_, count, kind) => {
    see(count, kind);
    expect(labels()).toEqual([]);
    expect(families.table.rows).toHaveLength(0);
  });

  it('is a monitor whose networks are few, among others who leave at any time', () => {
    see(5_000, { fromMs: 3_000, toMs: 120_000 });
    see(5_000, { fromMs: 60_000, networks: 7 });
    expect(labels()).toEqual([]);
  });

  it('is an odd manner of which one in twenty delivers, and it is one no longer when that shows', () => {
    see(1_000, { dialect: SMALL, fromMs: 3_000, toMs: 200_000 });
    expect(labels()).toHaveLength(1);
    see(60, { dialect: SMALL, fromMs: 3_000, leaving: Leaving.Good });
    expect(labels()).toEqual([]);
    expect(labelOf(SMALL, Leaving.Impatient, 5_000)).toBe('');
  });
});

test('what was long ago counts less, and who is not seen for hours is forgotten', () => {
  see(100, { fromMs: 21_000 });
  see(1, { fromMs: 5_000 }, HOUR_MS);
  expect(families.book.sessions).toBeCloseTo(50.5, 3);
  expect(labels()).toEqual(['rustock']);
  see(1, { fromMs: 5_000 }, 5 * HOUR_MS);
  expect(labels()).toEqual([]);
});

test('rows of any kind keep book, families and table within their bounds', () => {
  const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  fc.assert(
    fc.property(fc.array(word, { minLength: ROW_WORDS, maxLength: ROW_WORDS * 100 }), (words) => {
      families.take(Int32Array.from(words), 0);
      families.find(0);
      expect(families.book.manners).toBeLessThanOrEqual(MANNERS_MAX);
    }),
  );
});

test('ever new dialects, each often enough to be a family, are bounded', () => {
  for (let number = 0; number < 400; number++) {
    const dialect = reached(((number * 2_654_435_761) >>> 0) & 0x1fff_ffff, Level.Envelope) | Trait.Unknown;
    see(50, { dialect, fromMs: 3_000, toMs: 100_000 }, number * 1_000);
    expect(families.book.manners).toBeLessThanOrEqual(MANNERS_MAX);
    expect(families.list.length).toBeLessThanOrEqual(FAMILIES_MAX);
    expect(families.table.rows.length).toBeLessThanOrEqual(ROWS_MAX * LABEL_WORDS);
  }
  expect(families.list.length).toBeGreaterThan(FAMILIES_MAX / 2);
});

test('a batch takes so many sessions and leaves out the rest', () => {
  const leavings = new Leavings();
  expect(leavings.takeAll()).toBeNull();
  for (let count = 0; count < 5_000; count++) leavings.note(1, 2, 3, 4, 5, count);
  expect(leavings.dropped).toBe(5_000 - 4_096);
  const rows = leavings.takeAll()!;
  expect(rows).toHaveLength(4_096 * ROW_WORDS);
  expect([...rows.subarray(0, ROW_WORDS)]).toEqual([1, 2, 3, 4, 5, 0]);
  expect(leavings.takeAll()).toBeNull();
});

test.each<[string, Parameters<typeof leavingFor>, Leaving]>([
  ['hangs up', [true, false, false, false, 9_000], Leaving.Impatient],
  ['hangs up as it hears no', [true, false, true, true, 20], Leaving.Answering],
  ['is sent away', [false, false, false, false, 20], Leaving.SentAway],
  ['is silent until it is sent away', [false, true, false, false, 300_000], Leaving.SentAway],
  ['is silent after a 5xx until it is sent away', [false, true, true, false, 300_000], Leaving.Silent],
  ['is silent after a 5xx for five minutes', [true, false, true, false, 300_000], Leaving.Silent],
  ['is silent after a 5xx for ten', [true, false, true, false, 600_000], Leaving.Impatient],
  ['is silent after a 5xx for one', [true, false, true, false, 60_000], Leaving.Impatient],
])('a client that %s is told so', (_, parts, leaving) => {
  expect(leavingFor(...parts)).toBe(leaving);
});
