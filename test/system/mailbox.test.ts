/**
 * A thousand awkward letters: each arrives octet for octet, or is refused for its newlines in words that say so.
 * `node test/system/mailbox-main.ts` runs all twelve set-ups and writes what came of each shape.
 */
import { beforeAll, describe, expect, test } from 'vitest';

import { isOdd, lettersOf, shapeTitles } from './letters.ts';
import { fourHouses, intoPostfix, throughSluice } from './mailbox-run.ts';
import type { Delivery, InPostfix } from './mailbox-run.ts';

const letters = lettersOf(1, 1_000);

describe('the mailbox', () => {
  test('is the same each time, and its first letters do not depend on how many there are', () => {
    expect(lettersOf(1, 100)).toEqual(letters.slice(0, 100));
    expect(lettersOf(2, 100)).not.toEqual(letters.slice(0, 100));
  });

  test('has every shape many times, alone and with others, and odd letters of every kind', () => {
    for (const title of shapeTitles) {
      const having = letters.filter(({ shapes }) => shapes.includes(title));
      expect(having.length, title).toBeGreaterThanOrEqual(15);
      expect(new Set(having.map(({ shapes }) => shapes.length)).size, title).toBeGreaterThan(1);
    }
    const odd = letters.filter(({ octets }) => isOdd(octets));
    expect(odd.length).toBeGreaterThan(200);
    expect(odd.length).toBeLessThan(400);
  });
});

describe('through Sluice into the sink', () => {
  let deliveries: readonly Delivery[];
  let storedCount: number;
  let streamedCount: number;

  beforeAll(async () => {
    ({ deliveries, storedCount, streamedCount } = await throughSluice(letters, fourHouses));
  });

  test.each(fourHouses)(
    'bare_newline = $bareNewline, recipients verified $verify, kept in $spool: identical, or refused in words',
    (house) => {
      const here = deliveries.filter((delivery) => delivery.house === house);
      expect(here).toHaveLength(letters.length);
      const wrong = here
        .filter(({ fate, expected }) => JSON.stringify(fate) !== JSON.stringify(expected))
        .map(({ letter, errand, fate, expected }) => ({
          letter: letter.number,
          shapes: letter.shapes,
          errand: errand.name,
          fate,
          expected,
        }));
      expect(wrong).toEqual([]);
    },
  );

  test.each(['reject', 'normalize'] as const)(
    'with %s every letter went by DATA and by BDAT, in plaintext and inside TLS',
    (bareNewline) => {
      const here = deliveries.filter(({ house }) => house.bareNewline === bareNewline);
      expect(new Set(here.map(({ letter, errand }) => `${letter.number} ${errand.by}`)).size).toBe(2_000);
      expect(new Set(here.map(({ letter, errand }) => `${letter.number} ${errand.isTls}`)).size).toBe(2_000);
    },
  );

  test('many were on their way to the backend before they were whole, refused ones among them', () => {
    expect(streamedCount).toBeGreaterThan(100);
  });

  test('the sink has no message that was not sent', () => {
    expect(storedCount).toBe(deliveries.reduce((sum, { expected }) => sum + expected.stored.length, 0));
  });
});

describe('through Sluice into Postfix', () => {
  let inPostfix: readonly InPostfix[];

  beforeAll(async () => {
    inPostfix = await intoPostfix(letters);
  });

  test('what Postfix stores is what it stores of the same letter straight from its sender', () => {
    const differing = inPostfix.filter(
      ({ through, straight }) => through === null || straight === null || !through.equals(straight),
    );
    expect(differing.map(({ letter }) => ({ letter: letter.number, shapes: letter.shapes }))).toEqual([]);
  });

  test('of most letters that is every octet, and Postfix changes some by itself', () => {
    const kept = inPostfix.filter(({ through, sent }) => through?.equals(sent)).length;
    expect(kept).toBeGreaterThan(letters.length / 2);
    expect(kept).toBeLessThan(letters.length);
  });
});
