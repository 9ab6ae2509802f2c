import { describe, expect, it } from 'vitest';
import { ShardBug } from '../../../src/base/assert.ts';
import { Opens } from '../../../src/reputation/opens.ts';

/** Two shards and the main thread, on two sets, of which each has two words of something else before its counts. */
function writers(): [Opens, Opens, Opens] {
  const words = new Int32Array(new SharedArrayBuffer(2 * 18 * 4));
  const pins = new Int32Array(new SharedArrayBuffer(3 * 4));
  return [0, 1, 2].map((writer) => new Opens(words, 2, 18, pins, 2, writer)) as [Opens, Opens, Opens];
}

describe('Opens', () => {
  it('holds an entry by a session or by a pin, and counts the sessions only', () => {
    const [one, two] = writers();
    expect(two.isHeld(3)).toBe(false);
    one.pin(3);
    expect([two.isHeld(3), two.count(3)]).toEqual([true, 0]);
    one.add(3);
    one.unpin();
    expect([two.isHeld(3), two.count(3), two.isHeld(2)]).toEqual([true, 1, false]);
    one.remove(3);
    expect(two.isHeld(3)).toBe(false);
  });

  it('holds one pin a writer: the next lets the last one go', () => {
    const [one, two, main] = writers();
    one.pin(0);
    two.pin(0);
    main.pin(2);
    one.pin(1);
    expect([0, 1, 2, 3].map((index) => one.isHeld(index))).toEqual([true, true, true, false]);
    two.unpin();
    main.unpin();
    expect([0, 1, 2, 3].map((index) => two.isHeld(index))).toEqual([false, true, false, false]);
  });

  it('lets the main thread pin, but hold no session', () => {
    const [one, , main] = writers();
    main.pin(3);
    expect(one.isHeld(3)).toBe(true);
    expect(() => main.add(3)).toThrow(ShardBug);
    expect(() => main.remove(3)).toThrow(ShardBug);
  });

  it('keeps the counts of all entries apart', () => {
    const [one, two] = writers();
    for (let index = 0; index < 16; index += 1) {
      for (let times = 0; times <= index; times += 1) one.add(index);
      two.add(index);
    }
    for (let index = 0; index < 16; index += 1) expect(one.count(index)).toBe(index + 2);
  });

  it('forgets the sessions and the pin of one shard only', () => {
    const [one, two] = writers();
    one.add(0);
    one.add(0);
    two.add(0);
    one.pin(0);
    two.forget(0, 0);
    expect([one.count(0), one.isHeld(0)]).toEqual([1, true]);
    two.forget(0, 1);
    expect([one.count(0), one.isHeld(0)]).toEqual([0, true]);
    two.forgetPin(0);
    expect(one.isHeld(0)).toBe(false);
  });

  it('calls a session that closes twice, or an entry that is none, our bug', () => {
    const [one, two] = writers();
    one.add(1);
    expect(() => two.remove(1)).toThrow(ShardBug);
    one.remove(1);
    expect(() => one.remove(1)).toThrow(ShardBug);
    expect(() => one.add(16)).toThrow(ShardBug);
    expect(() => one.add(-1)).toThrow(ShardBug);
  });
});
