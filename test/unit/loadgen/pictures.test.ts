import { describe, expect, it } from 'vitest';
import { agePicture } from '../../../loadgen/pictures/age-picture.ts';
import { frontierPicture } from '../../../loadgen/pictures/frontier-picture.ts';
import type { Point } from '../../../loadgen/pictures/frontier-picture.ts';
import { roundStep, roundUp } from '../../../loadgen/pictures/svg.ts';

const numbersOf = (svg: string, pattern: RegExp): number[] =>
  [...svg.matchAll(pattern)].map(([, number]) => Number(number));

describe('the picture of ages', () => {
  const edgesMs = Array.from({ length: 601 }, (_, second) => second * 1_000);
  const bins = (counts: Readonly<Record<number, number>>): number[] =>
    Array.from({ length: 600 }, (_, second) => counts[second] ?? 0);
  const draw = (...counts: readonly Readonly<Record<number, number>>[]): string =>
    agePicture({
      groups: counts.map((one, at) => ({ words: `<${at}>`, counts: bins(one), isRest: at === 1 })),
      edgesMs,
      title: 'a & b',
      under: '',
      axis: 'seconds',
    });
  const bars = /<rect x="[\d.]+" y="[\d.]+" width="[\d.]+" height="([\d.]+)" fill="#[0-9a-f]{6}"/g;

  it('has a bar for each bin of a group that holds anything, as high as it holds', () => {
    // The first rectangle of that form is the sign in the legend.
    const [sign, small, large] = numbersOf(draw({ 21: 10, 100: 40 }), bars).toSorted((a, b) => a - b);
    expect(sign).toBe(12);
    expect(large! / small!).toBeCloseTo(4, 1);
  });

  it('leaves out who left within a second or after ten minutes', () => {
    expect(numbersOf(draw({ 0: 5 }), bars)).toHaveLength(1);
    expect(numbersOf(draw({ 599: 5 }), bars)).toHaveLength(2);
  });

  it('stacks groups, and paints the rest grey', () => {
    const svg = draw({ 21: 10 }, { 21: 30 });
    expect(numbersOf(svg, bars)).toHaveLength(4);
    expect(svg.match(/#b8b8b8/g)).toHaveLength(2);
    const [low, high] = numbersOf(svg, /<rect x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="[\d.]+" fill/g);
    expect(high).toBeLessThan(low!);
  });

  it('says no word that would be taken for a tag', () => {
    const svg = draw({ 21: 1 });
    expect(svg).toContain('a &amp; b');
    expect(svg).toContain('&lt;0&gt;');
  });

  it('can be drawn of nobody', () => {
    expect(draw({})).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe('the picture of the frontier', () => {
  const at = (value: number): Point['outcome']['slotSec'] => ({ mean: value, min: value, max: value });
  const point = (number: number, isOnFrontier: boolean, gone: number, slotSec: number): Point => ({
    number,
    name: `plan ${number}`,
    isOnFrontier,
    outcome: {
      goneShare: { mean: gone, min: gone - 0.05, max: gone + 0.05 },
      honestMs: at(6_000),
      slotSec: at(slotSec),
      messagesPerHour: at(1),
      honestDelivered: at(1),
      bytesPerSession: at(1),
    },
  });
  const svg = frontierPicture([point(1, true, 0.9, 20), point(2, false, 0.5, 30)], 'title', 'under');

  it('has each plan in both panels, and names those on the frontier', () => {
    expect(svg.match(/<circle /g)).toHaveLength(4);
    expect(svg.match(/<circle [^>]*fill="#fff"/g)).toHaveLength(2);
    expect(svg).toContain('1: plan 1');
    expect(svg).not.toContain('2: plan 2');
  });

  it('puts what is better higher, and what is dearer to the right', () => {
    const [x2, x1] = numbersOf(svg, /<circle cx="([\d.]+)"/g);
    const [y2, y1] = numbersOf(svg, /<circle cx="[\d.]+" cy="([\d.]+)"/g);
    expect(x1).toBeLessThan(x2!);
    expect(y1).toBeLessThan(y2!);
  });

  it('can be drawn of one plan, and of plans that cost nothing', () => {
    expect(frontierPicture([point(1, true, 0.1, 0)], '', '')).not.toMatch(/NaN|Infinity|undefined/);
  });
});

it('steps and tops of axes are round and never smaller', () => {
  expect([0, 0.03, 1, 1.5, 4.2, 1_100].map(roundStep)).toEqual([1, 0.05, 1, 2, 5, 2_000]);
  expect([0, 7, 11, 250, 6_001].map(roundUp)).toEqual([1, 8, 12, 320, 8_000]);
});
