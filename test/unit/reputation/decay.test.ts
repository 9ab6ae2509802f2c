import { describe, expect, it } from 'vitest';
import {
  AMOUNT_MAX,
  HALF_LIVES_MAX,
  ONE,
  SIGNALS_MAX,
  slotAgeSteps,
  slotAmount,
  slotId,
  slotWord,
  STEPS_PER_HALF_LIFE,
} from '../../../src/reputation/decay.ts';
import { signals } from '../../../src/reputation/signals.ts';
import { claim, DAY, HOUR, NOW, tableOf } from './tables.ts';

const STEP = DAY / STEPS_PER_HALF_LIFE;
const ID = 8;

/** What is left of an amount after some steps. */
const left = (amount: number, steps: number): number =>
  slotAmount(slotWord(ID, amount, NOW, STEP), NOW + steps * STEP, STEP);

describe('a slot', () => {
  it('gives back its signal and its amount, for every number and the least and largest amounts', () => {
    for (let id = 1; id < SIGNALS_MAX; id += 1) {
      for (const amount of [1, ONE, AMOUNT_MAX - 1, AMOUNT_MAX]) {
        const word = slotWord(id, amount, NOW, STEP);
        expect([slotId(word), slotAmount(word, NOW, STEP), slotAgeSteps(word, NOW, STEP)]).toEqual([
          id,
          amount,
          0,
        ]);
        expect(word).toBe(word | 0);
        expect(word).not.toBe(0);
      }
    }
    expect(slotId(0)).toBe(0);
  });

  it('holds 127 observations at most', () => {
    expect(slotAmount(slotWord(ID, 1e9, NOW, STEP), NOW, STEP)).toBe(AMOUNT_MAX);
    expect(Math.floor(AMOUNT_MAX / ONE)).toBe(127);
  });

  it('loses exactly half in each half-life', () => {
    for (let halves = 0; halves < 8; halves += 1)
      expect(left(128 * ONE - 256, halves * STEPS_PER_HALF_LIFE)).toBe((127 * ONE) / 2 ** halves);
  });

  it('is within half a unit and a 65 536th of the curve of halvings, after any number of steps', () => {
    for (const amount of [1, 3, 100, ONE, 1000, 5000, 20_000, AMOUNT_MAX]) {
      for (let steps = 0; steps <= (HALF_LIVES_MAX + 2) * STEPS_PER_HALF_LIFE; steps += 1) {
        const exact = amount * 2 ** (-steps / STEPS_PER_HALF_LIFE);
        expect(Math.abs(left(amount, steps) - exact)).toBeLessThanOrEqual(0.5 + exact / 65_536);
      }
    }
  });

  it('never grows by waiting, and nothing is left after sixteen half-lives', () => {
    for (const amount of [1, ONE, AMOUNT_MAX]) {
      let before = amount;
      for (let steps = 1; steps <= 31 * STEPS_PER_HALF_LIFE; steps += 1) {
        const now = left(amount, steps);
        expect(now).toBeLessThanOrEqual(before);
        before = now;
      }
      expect(left(amount, HALF_LIVES_MAX * STEPS_PER_HALF_LIFE)).toBe(0);
    }
  });

  it.each([ONE, 3 * ONE, 20 * ONE, 100 * ONE, AMOUNT_MAX])(
    'of %i that is touched in every step of a half-life ends within 3 % of one left alone',
    (amount) => {
      for (const everySec of [60, STEP - 1, STEP, STEP + 1, 3 * STEP]) {
        let touched = slotWord(ID, amount, NOW, STEP);
        for (let sec = everySec; sec <= DAY; sec += everySec)
          touched = slotWord(ID, slotAmount(touched, NOW + sec, STEP), NOW + sec, STEP);
        const difference = slotAmount(touched, NOW + DAY, STEP) - left(amount, STEPS_PER_HALF_LIFE);
        expect(Math.abs(difference)).toBeLessThanOrEqual(0.03 * left(amount, STEPS_PER_HALF_LIFE));
      }
    },
  );

  it('does not age while the wall clock stands behind its date', () => {
    const word = slotWord(ID, 50 * ONE, NOW, STEP);
    for (const days of [0.1, 1, 10, 31]) {
      expect(slotAgeSteps(word, NOW - days * DAY, STEP)).toBe(0);
      expect(slotAmount(word, NOW - days * DAY, STEP)).toBe(50 * ONE);
    }
    expect(slotAmount(word, NOW + DAY, STEP)).toBe(25 * ONE);
  });

  it('ages rightly while its date goes round', () => {
    const round = 64 * DAY;
    const turn = Math.ceil(NOW / round) * round;
    const word = slotWord(ID, 80 * ONE, turn - STEP, STEP);
    expect(slotAmount(word, turn - STEP + DAY, STEP)).toBe(40 * ONE);
  });
});

/** Bad commands fade by a day, deliveries by a fortnight. */
const quick = signals.badCommand;
const lasting = signals.delivered;

describe('a client', () => {
  it.each([16, 20, 31, 32, 33, 40, 48, 63, 64, 65, 127, 128, 129, 640])(
    'that stayed away for %i half-lives begins anew, and stays so',
    (halfLives) => {
      for (const offset of [-1, 0, 1, STEP - 1, STEP]) {
        const table = tableOf(8);
        const index = claim(table, '192.0.2.1');
        table.observe(index, quick.id, NOW, 100 * ONE);
        const backSec = NOW + halfLives * quick.halfLifeSec + Math.max(offset, 0);
        expect(table.scoreOf(index, backSec)).toBe(0);
        for (const nowSec of [backSec, backSec + STEP, backSec + DAY, backSec + 40 * DAY]) {
          expect(claim(table, '192.0.2.1', nowSec)).toBe(index);
          expect([table.amountOf(index, quick.id, nowSec), table.scoreOf(index, nowSec)]).toEqual([0, 0]);
          expect(table.rowsOf(index, nowSec)).toEqual([]);
        }
      }
    },
  );

  it('that comes every few hours for 100 half-lives loses what it did once, for good', () => {
    const table = tableOf(8);
    const index = claim(table, '192.0.2.1');
    table.observe(index, quick.id, NOW, 100 * ONE);
    table.observe(index, lasting.id, NOW, 50 * ONE);
    let before = 100 * ONE;
    for (let nowSec = NOW; nowSec <= NOW + 100 * DAY; nowSec += 5 * HOUR) {
      claim(table, '192.0.2.1', nowSec);
      // Another signal is noted again and again; the first one must not profit.
      table.observe(index, signals.hangup.id, nowSec, 10);
      const now = table.amountOf(index, quick.id, nowSec);
      expect(now).toBeLessThanOrEqual(before);
      before = now;
      const exact = 50 * ONE * 2 ** -((nowSec - NOW) / lasting.halfLifeSec);
      expect(Math.abs(table.amountOf(index, lasting.id, nowSec) - exact)).toBeLessThanOrEqual(
        0.5 + exact * 0.011,
      );
    }
    expect(before).toBe(0);
  });

  it('that comes in any rhythm never has more left than the curve of halvings', () => {
    // Gaps around the places where the date of a slot may be read wrongly.
    const gaps = [0.3, 1, 8, 15.9, 16, 17, 31.9, 32, 47, 48, 63.5, 64, 65];
    for (const first of gaps) {
      for (const second of gaps) {
        for (const third of gaps) {
          const table = tableOf(8);
          const index = claim(table, '192.0.2.1');
          table.observe(index, quick.id, NOW, 127 * ONE);
          let nowSec = NOW;
          for (const gap of [first, second, third]) {
            nowSec += Math.round(gap * DAY);
            const exact = 127 * ONE * 2 ** -((nowSec - NOW) / DAY);
            expect(table.amountOf(index, quick.id, nowSec)).toBeLessThanOrEqual(exact * 1.011 + 0.5);
            claim(table, '192.0.2.1', nowSec);
            expect(table.amountOf(index, quick.id, nowSec)).toBeLessThanOrEqual(exact * 1.011 + 0.5);
          }
        }
      }
    }
  });

  it('keeps what it has while the clock is set back, and goes on from there', () => {
    const table = tableOf(8);
    const index = claim(table, '192.0.2.1');
    table.observe(index, quick.id, NOW, 8 * ONE);
    // Less than the sixteen half-lives after which nothing is left of anything.
    for (const nowSec of [NOW - 15 * DAY, NOW - DAY, NOW]) {
      claim(table, '192.0.2.1', nowSec);
      expect(table.amountOf(index, quick.id, nowSec)).toBe(8 * ONE);
    }
    claim(table, '192.0.2.1', NOW + 2 * DAY);
    expect(table.amountOf(index, quick.id, NOW + 2 * DAY)).toBe(2 * ONE);
  });
});
