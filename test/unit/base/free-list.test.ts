import { describe, expect, it } from 'vitest';
import { ShardBug } from '../../../src/base/assert.ts';
import { FreeList } from '../../../src/base/free-list.ts';
import { SLOTS_MAX } from '../../../src/base/handle.ts';

describe('FreeList', () => {
  it('hands out each slot once, from 0 up, then says that it is empty', () => {
    const list = new FreeList(3);
    expect([list.take(), list.take(), list.take(), list.take()]).toEqual([0, 1, 2, -1]);
    expect(list.taken).toBe(3);
  });

  it('hands out the slot given back last', () => {
    const list = new FreeList(3);
    list.take();
    list.take();
    list.give(0);
    expect(list.take()).toBe(0);
    expect(list.take()).toBe(2);
  });

  it('changes a generation when the slot is given back, not when it is taken', () => {
    const list = new FreeList(2);
    const before = list.generationOf(0);
    list.take();
    expect(list.generationOf(0)).toBe(before);
    list.give(0);
    expect(list.generationOf(0)).toBe(before + 1);
    expect(list.generationOf(1)).toBe(before);
  });

  it('knows which slots are in use, and that other numbers are no slots', () => {
    const list = new FreeList(2);
    list.take();
    expect([list.isTaken(0), list.isTaken(1), list.isTaken(2), list.isTaken(-1)]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  it('calls giving back what is not in use our bug', () => {
    const list = new FreeList(2);
    expect(() => list.give(0)).toThrow(ShardBug);
    expect(() => list.give(-1)).toThrow(ShardBug);
    expect(() => list.give(2)).toThrow(ShardBug);
    list.give(list.take());
    expect(() => list.give(0)).toThrow(ShardBug);
  });

  it('may be empty from birth and may not be larger than a handle can say', () => {
    expect(new FreeList(0).take()).toBe(-1);
    expect(() => new FreeList(SLOTS_MAX + 1)).toThrow(ShardBug);
    expect(() => new FreeList(1.5)).toThrow(ShardBug);
  });
});
