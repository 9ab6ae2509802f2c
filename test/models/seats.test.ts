import { describe, expect, it } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import { SeatClass, Seats } from '../../src/session/seats.ts';

const given = [SeatClass.Classified, SeatClass.Unknown, SeatClass.Shown] as const;

describe('Seats', () => {
  it.each([1, 2, 3, 4])('agrees with an array of slots in the order of their coming (seed %i)', (seed) => {
    const random = new Prng(seed);
    const capacity = 2 + random.below(40);
    const seats = new Seats(capacity);
    let twin: { slot: number; seat: SeatClass }[] = [];
    for (let step = 0; step < 10_000; step += 1) {
      const slot = random.below(capacity);
      const seat = random.below(5) as SeatClass;
      const before = twin.find((one) => one.slot === slot)?.seat ?? SeatClass.None;
      seats.put(slot, seat);
      if (before !== seat) {
        twin = twin.filter((one) => one.slot !== slot);
        if (seat !== SeatClass.None) twin.push({ slot, seat });
      }
      expect(seats.taken).toBe(twin.length);
      expect(seats.classOf(slot)).toBe(seat);
      for (const one of given) {
        const queue = seats.queueOf(one)!;
        const line: number[] = [];
        for (let at = queue.first(); at >= 0; at = queue.after(at)) line.push(at);
        expect(line).toEqual(twin.filter((other) => other.seat === one).map((other) => other.slot));
      }
      expect(seats.queueOf(SeatClass.None)).toBeNull();
      expect(seats.queueOf(SeatClass.Kept)).toBeNull();
    }
  });
});
