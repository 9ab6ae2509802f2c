import { describe, expect, it } from 'vitest';
import { FreeList } from '../../src/base/free-list.ts';
import { Prng } from '../../src/base/prng.ts';

describe('FreeList', () => {
  it.each([1, 2, 3, 4])('agrees with a Set for 20 000 random operations (seed %i)', (seed) => {
    const random = new Prng(seed);
    const capacity = 1 + random.below(40);
    const list = new FreeList(capacity);
    const taken = new Set<number>();
    const given = new Array<number>(capacity).fill(0);
    for (let step = 0; step < 20_000; step += 1) {
      // Phases of filling and of emptying, so that both ends are met.
      const favoursTaking = Math.floor(step / 200) % 2 === 0;
      if (random.below(10) < (favoursTaking ? 7 : 3)) {
        const slot = list.take();
        expect(slot >= 0).toBe(taken.size < capacity);
        if (slot < 0) continue;
        expect(taken.has(slot)).toBe(false);
        taken.add(slot);
      } else if (taken.size > 0) {
        const slot = [...taken][random.below(taken.size)]!;
        list.give(slot);
        taken.delete(slot);
        given[slot]! += 1;
      }
      const probe = random.below(capacity);
      expect(list.isTaken(probe)).toBe(taken.has(probe));
      expect(list.generationOf(probe)).toBe(given[probe]! & 0xffff);
      expect(list.taken).toBe(taken.size);
    }
  });
});
