import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Lately } from '../../../src/base/lately.ts';

test('a text is new once, and again when its time is over', () => {
  const lately = new Lately(10, 100);
  expect([lately.note('a', 0), lately.note('a', 99), lately.note('a', 100)]).toEqual([true, false, true]);
});

test('a text that was forgotten is new', () => {
  const lately = new Lately(10, 100);
  lately.note('a', 0);
  lately.forget('a');
  expect(lately.note('a', 1)).toBe(true);
});

test('never holds more than its bound, and gives up the oldest first', () => {
  const lately = new Lately(2, 100);
  for (const text of ['a', 'b', 'c']) lately.note(text, 0);
  expect(lately.size).toBe(2);
  expect([lately.note('c', 1), lately.note('b', 1), lately.note('a', 1)]).toEqual([false, false, true]);
});

test('says what a list of all that was noted would say', () => {
  const step = fc.record({ text: fc.constantFrom('a', 'b', 'c', 'd'), passMs: fc.nat({ max: 60 }) });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const lately = new Lately(100, 100);
      const noted: { text: string; atMs: number }[] = [];
      let nowMs = 0;
      for (const { text, passMs } of steps) {
        nowMs += passMs;
        const isNew = !noted.some((one) => one.text === text && nowMs < one.atMs + 100);
        expect(lately.note(text, nowMs)).toBe(isNew);
        if (isNew) noted.push({ text, atMs: nowMs });
      }
    }),
  );
});
