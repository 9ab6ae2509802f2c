import { describe, expect, it } from 'vitest';
import { WaitingLine } from '../../../src/backend/waiting-line.ts';

function served(line: WaitingLine): number[] {
  const slots: number[] = [];
  for (let slot = line.serve(); slot >= 0; slot = line.serve()) slots.push(slot);
  return slots;
}

describe('the waiting line', () => {
  it('serves the preferred first, and one of the others every fourth time', () => {
    const line = new WaitingLine(20);
    for (let slot = 0; slot < 10; slot++) line.join(slot, slot >= 4);
    expect(line.length).toBe(10);
    expect(served(line)).toEqual([4, 5, 6, 0, 7, 8, 9, 1, 2, 3]);
  });

  it('serves the preferred when it is the turn of the others and none of them waits', () => {
    const line = new WaitingLine(8);
    for (let slot = 0; slot < 5; slot++) line.join(slot, true);
    expect(served(line)).toEqual([0, 1, 2, 3, 4]);
  });

  it('forgets who leaves, in either line', () => {
    const line = new WaitingLine(8);
    line.join(1, true);
    line.join(2, false);
    line.leave(1);
    line.leave(2);
    line.leave(3);
    expect(line.has(1) || line.has(2)).toBe(false);
    expect(line.length).toBe(0);
    expect(line.serve()).toBe(-1);
  });
});
