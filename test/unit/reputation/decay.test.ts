import { describe, expect, it } from 'vitest';
import {
  HALF_LIFE_SEC,
  SCORE_MAX,
  SCORE_MIN,
  scoreOfWord,
  scoreWordAfter,
} from '../../../src/reputation/decay.ts';

const NOW = 1_790_000_000 - (1_790_000_000 % HALF_LIFE_SEC);
const HOUR_SEC = 3600;

describe('a score', () => {
  it('is 0 in a word that nobody wrote', () => {
    expect(scoreOfWord(0, NOW)).toBe(0);
    expect(scoreOfWord(0, 0)).toBe(0);
  });

  it('is what was added, as long as no time passes', () => {
    let word = 0;
    let sum = 0;
    for (const delta of [40, -10, 4, -60, 999, -3]) {
      word = scoreWordAfter(word, delta, NOW);
      sum += delta;
      expect(scoreOfWord(word, NOW)).toBe(sum);
    }
  });

  it('halves with every half-life, in both directions', () => {
    for (const [score, halves] of [
      [800, [400, 200, 100, 50, 25]],
      [-80, [-40, -20, -10, -5]],
    ] as const) {
      const word = scoreWordAfter(0, score, NOW);
      for (const [i, half] of halves.entries())
        expect(scoreOfWord(word, NOW + (i + 1) * HALF_LIFE_SEC)).toBe(half);
    }
  });

  it('falls along the curve of halvings in between', () => {
    const word = scoreWordAfter(0, 1000, NOW);
    for (let hours = 0; hours <= 72; hours += 1) {
      const left = scoreOfWord(word, NOW + hours * HOUR_SEC);
      expect(Math.abs(left - 1000 * 2 ** (-hours / 24))).toBeLessThan(2);
    }
  });

  it('never moves away from 0 by waiting, and gets there', () => {
    for (const score of [SCORE_MAX, 40, 1, -1, SCORE_MIN]) {
      const word = scoreWordAfter(0, score, NOW);
      let before = Math.abs(score);
      for (let steps = 0; steps < 14 * 24; steps += 1) {
        const now = scoreOfWord(word, NOW + steps * HOUR_SEC);
        expect(Math.abs(now)).toBeLessThanOrEqual(before);
        expect(now * score).toBeGreaterThanOrEqual(0);
        before = Math.abs(now);
      }
      expect(scoreOfWord(word, NOW + 14 * HALF_LIFE_SEC)).toBe(0);
      expect(scoreOfWord(word, NOW + 1000 * HALF_LIFE_SEC)).toBe(0);
    }
  });

  it('stays within its range', () => {
    expect(scoreOfWord(scoreWordAfter(scoreWordAfter(0, 900, NOW), 900, NOW), NOW)).toBe(SCORE_MAX);
    expect(scoreOfWord(scoreWordAfter(0, -1e9, NOW), NOW)).toBe(SCORE_MIN);
    expect(scoreOfWord(scoreWordAfter(0, 1e9, NOW), NOW)).toBe(SCORE_MAX);
  });

  it.each([1000, 800, 100, 40, 10, 4, -10, -100])(
    'of %i fades as fast when it is touched every minute',
    (score) => {
      let touched = scoreWordAfter(0, score, NOW);
      const alone = touched;
      for (let sec = 60; sec <= HALF_LIFE_SEC; sec += 60) touched = scoreWordAfter(touched, 0, NOW + sec);
      const difference = scoreOfWord(touched, NOW + HALF_LIFE_SEC) - scoreOfWord(alone, NOW + HALF_LIFE_SEC);
      expect(Math.abs(difference)).toBeLessThanOrEqual(1 + Math.abs(score) * 0.02);
    },
  );

  it('does not age while the wall clock stands behind its date', () => {
    const word = scoreWordAfter(0, 800, NOW);
    expect(scoreOfWord(word, NOW - 10 * HALF_LIFE_SEC)).toBe(800);
  });

  it('survives the turn of its 16-bit date', () => {
    const turn = 2 ** 16 * HOUR_SEC * 8;
    const word = scoreWordAfter(0, 800, turn - HOUR_SEC);
    expect(scoreOfWord(word, turn - HOUR_SEC + HALF_LIFE_SEC)).toBe(400);
  });
});
