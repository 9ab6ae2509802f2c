import { describe, expect, it } from 'vitest';
import { ShardBug } from '../../../src/base/assert.ts';
import { Opens } from '../../../src/reputation/opens.ts';

function pair(): [Opens, Opens] {
  const words = new Int32Array(new SharedArrayBuffer(4 * 2 * 4));
  return [new Opens(words, 2, 0), new Opens(words, 2, 1)];
}

describe('Opens', () => {
  it('holds an entry by a session or by a pin, and counts the sessions only', () => {
    const [one, two] = pair();
    expect(two.isHeld(3)).toBe(false);
    one.pin(3);
    expect([two.isHeld(3), two.count(3)]).toEqual([true, 0]);
    one.add(3);
    one.unpin(3);
    expect([two.isHeld(3), two.count(3), two.isHeld(2)]).toEqual([true, 1, false]);
    one.remove(3);
    expect(two.isHeld(3)).toBe(false);
  });

  it('forgets its own shard only', () => {
    const [one, two] = pair();
    one.add(0);
    two.add(0);
    one.pin(0);
    one.forget(0);
    expect([one.count(0), one.isHeld(0)]).toEqual([1, true]);
    two.forget(0);
    expect(one.isHeld(0)).toBe(false);
  });

  it('calls a session that closes twice, or an entry that is none, our bug', () => {
    const [one] = pair();
    one.add(1);
    one.remove(1);
    expect(() => one.remove(1)).toThrow(ShardBug);
    expect(() => one.add(4)).toThrow(ShardBug);
    expect(() => one.add(-1)).toThrow(ShardBug);
  });
});
