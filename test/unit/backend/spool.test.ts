import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Allowance } from '../../../src/backend/allowance.ts';
import { Prng } from '../../../src/base/prng.ts';
import { Spool } from '../../../src/backend/spool.ts';
import { MemorySpoolFiles } from '../../../loadgen/virtual/spool-files.ts';

const SLOTS = 6;
const limits = { messageMemoryBytes: 100, memoryMaxBytes: 250, diskMaxBytes: 1_000 };

function pieceOf(length: number, fill: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (fill + at) & 0xff);
}

/** Reads all that may be read of a message which still comes in. */
function readSoFar(spool: Spool, files: MemorySpoolFiles, slot: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (let isMore = true; isMore;) {
    const piece = spool.nextPiece(slot);
    if (piece !== null) pieces.push(piece);
    isMore = piece !== null || files.advance();
    while (spool.nextNoted() >= 0);
  }
  return Uint8Array.from(Buffer.concat(pieces));
}

/** Reads a message to its end. */
function drain(spool: Spool, files: MemorySpoolFiles, slot: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (let round = 0; !spool.atEnd(slot); round++) {
    if (round > 1_000) throw new Error('the message has no end');
    const piece = spool.nextPiece(slot);
    if (piece !== null) pieces.push(piece);
    else {
      files.advance();
      while (spool.nextNoted() >= 0);
    }
  }
  return Uint8Array.from(Buffer.concat(pieces));
}

describe('a message in the spool', () => {
  test('comes back byte for byte, as often as it is rewound, from memory and file together', () => {
    const files = new MemorySpoolFiles();
    const spool = new Spool(SLOTS, limits, files);
    spool.begin(0);
    const pieces = [pieceOf(60, 1), pieceOf(30, 2), pieceOf(70, 3), pieceOf(5, 4), pieceOf(200, 5)];
    for (const piece of pieces) expect(spool.append(0, piece)).toBe(true);
    spool.finish(0);
    const whole = Uint8Array.from(Buffer.concat(pieces));
    expect(spool.spilled(0)).toBe(true);
    expect(spool.memoryBytes).toBe(90);
    files.readBytesMax = 17;
    for (let reading = 0; reading < 3; reading++) {
      spool.rewind(0);
      expect(drain(spool, files, 0)).toEqual(whole);
    }
    spool.discard(0);
    expect([spool.memoryBytes, spool.diskBytes, files.filesOpen]).toEqual([0, 0, 0]);
  });

  test('is a copy: the caller may reuse its bytes', () => {
    const spool = new Spool(SLOTS, limits, new MemorySpoolFiles());
    const piece = pieceOf(10, 1);
    spool.begin(0);
    spool.append(0, piece);
    piece.fill(0);
    spool.finish(0);
    spool.rewind(0);
    expect(spool.nextPiece(0)).toEqual(pieceOf(10, 1));
  });

  test('a read that was under way when it was rewound is thrown away', () => {
    const files = new MemorySpoolFiles();
    const spool = new Spool(SLOTS, limits, files);
    spool.begin(0);
    spool.append(0, pieceOf(150, 7));
    spool.finish(0);
    files.readBytesMax = 40;
    spool.rewind(0);
    files.advance();
    while (spool.nextNoted() >= 0);
    expect(spool.nextPiece(0)).toBe(null);
    spool.rewind(0);
    expect(drain(spool, files, 0)).toEqual(pieceOf(150, 7));
  });

  test('is discarded in the middle of a read, and the slot takes the next one', () => {
    const files = new MemorySpoolFiles();
    const spool = new Spool(SLOTS, limits, files);
    spool.begin(0);
    spool.append(0, pieceOf(150, 7));
    spool.finish(0);
    spool.rewind(0);
    spool.nextPiece(0);
    spool.discard(0);
    spool.discard(0);
    files.advance();
    expect(spool.nextNoted()).toBe(-1);
    spool.begin(0);
    spool.append(0, pieceOf(20, 1));
    spool.finish(0);
    spool.rewind(0);
    expect(drain(spool, files, 0)).toEqual(pieceOf(20, 1));
  });

  test('one session has one message at a time', () => {
    const spool = new Spool(SLOTS, limits, new MemorySpoolFiles());
    spool.begin(0);
    expect(() => spool.begin(0)).toThrow('one message at a time');
    expect(() => spool.append(1, pieceOf(1, 1))).toThrow('no message');
  });

  test('a file that fails takes no more bytes and gives none back', () => {
    const files = new MemorySpoolFiles();
    const spool = new Spool(SLOTS, limits, files);
    spool.begin(0);
    spool.append(0, pieceOf(150, 7));
    spool.finish(0);
    files.broken = true;
    files.advance();
    expect(spool.nextNoted()).toBe(0);
    expect(spool.hasFailed(0)).toBe(true);
    expect(spool.append(0, pieceOf(1, 1))).toBe(false);
    spool.rewind(0);
    expect(spool.nextPiece(0)).toBe(null);
    expect(spool.atEnd(0)).toBe(false);
  });

  test('a file that lost its end counts as failed', () => {
    const files = new MemorySpoolFiles();
    const spool = new Spool(SLOTS, limits, files);
    spool.begin(0);
    spool.append(0, pieceOf(150, 7));
    spool.finish(0);
    files.readBytesMax = 0;
    spool.rewind(0);
    spool.nextPiece(0);
    files.advance();
    spool.nextNoted();
    expect(spool.hasFailed(0)).toBe(true);
  });

  test('what came last is held back until the message is whole: from memory', () => {
    const files = new MemorySpoolFiles();
    const spool = new Spool(SLOTS, limits, files);
    spool.begin(0);
    spool.append(0, pieceOf(10, 1));
    spool.rewind(0);
    expect(readSoFar(spool, files, 0)).toHaveLength(0);
    spool.append(0, pieceOf(20, 2));
    expect(readSoFar(spool, files, 0)).toEqual(pieceOf(10, 1));
    expect(spool.atEnd(0)).toBe(false);
    spool.finish(0);
    expect(drain(spool, files, 0)).toEqual(pieceOf(20, 2));
  });

  test('what came last is held back until the message is whole: from a file', () => {
    const files = new MemorySpoolFiles();
    files.readBytesMax = 17;
    const spool = new Spool(SLOTS, limits, files);
    spool.begin(0);
    spool.append(0, pieceOf(90, 1));
    spool.append(0, pieceOf(30, 2));
    spool.rewind(0);
    expect(readSoFar(spool, files, 0)).toEqual(pieceOf(90, 1));
    spool.append(0, pieceOf(50, 3));
    expect(readSoFar(spool, files, 0)).toEqual(pieceOf(30, 2));
    expect(readSoFar(spool, files, 0)).toHaveLength(0);
    expect(spool.atEnd(0)).toBe(false);
    spool.finish(0);
    expect(drain(spool, files, 0)).toEqual(pieceOf(50, 3));
  });

  test('a client is held back while more than a megabyte waits for the disk', () => {
    const files = new MemorySpoolFiles();
    const spool = new Spool(
      SLOTS,
      { messageMemoryBytes: 0, memoryMaxBytes: 0, diskMaxBytes: 10_000_000 },
      files,
    );
    spool.begin(0);
    files.stuck = true;
    for (let megabyte = 0; megabyte < 2; megabyte++) spool.append(0, new Uint8Array(1_000_000));
    expect(spool.isBehind(0)).toBe(true);
    files.stuck = false;
    files.advance();
    expect(spool.isBehind(0)).toBe(false);
  });
});

test.each([1, 2, 3, 4])(
  'agrees with plain arrays, and keeps its bounds, through 3 000 random steps (seed %i)',
  (seed) => {
    const random = new Prng(seed);
    const files = new MemorySpoolFiles();
    files.readBytesMax = 33;
    const spool = new Spool(SLOTS, limits, files);
    const twins: (Uint8Array[] | null)[] = Array.from({ length: SLOTS }, () => null);
    let refused = 0;
    for (let step = 0; step < 3_000; step++) {
      const slot = random.below(SLOTS);
      const twin = twins[slot];
      if (twin === null || twin === undefined) {
        spool.begin(slot);
        twins[slot] = [];
      } else if (random.below(10) < 7) {
        const piece = pieceOf(1 + random.below(80), step);
        const taken = spool.append(slot, piece);
        if (taken) twin.push(piece);
        else refused += 1;
      } else if (random.below(2) === 0) {
        // Read twice: as far as it may be while more comes, and from its start to its end.
        spool.rewind(slot);
        expect(readSoFar(spool, files, slot)).toEqual(Uint8Array.from(Buffer.concat(twin.slice(0, -1))));
        const isAnew = random.below(2) === 0;
        if (isAnew) spool.rewind(slot);
        spool.finish(slot);
        const rest = isAnew ? twin : twin.slice(-1);
        expect(drain(spool, files, slot)).toEqual(Uint8Array.from(Buffer.concat(rest)));
        spool.discard(slot);
        twins[slot] = null;
      } else {
        spool.discard(slot);
        twins[slot] = null;
      }
      if (random.below(3) === 0) files.advance();
      while (random.below(2) === 0 && spool.nextNoted() >= 0);
      expect(spool.memoryBytes).toBeLessThanOrEqual(limits.memoryMaxBytes);
      expect(spool.diskBytes).toBeLessThanOrEqual(limits.diskMaxBytes);
      const bytes = twins.reduce(
        (sum, one) => sum + (one ?? []).reduce((most, piece) => most + piece.length, 0),
        0,
      );
      expect(spool.memoryBytes + spool.diskBytes).toBe(bytes);
    }
    expect(refused).toBeGreaterThan(0);
  },
);

describe('the spools of several shards', () => {
  const shards = 3;
  const shared = { lanesMax: 1, memoryMaxBytes: 1_000, diskMaxBytes: 4_000 };
  const step = fc.record({
    shard: fc.nat({ max: shards - 1 }),
    slot: fc.nat({ max: SLOTS - 1 }),
    does: fc.constantFrom('append', 'append', 'append', 'append', 'discard', 'die'),
    bytes: fc.integer({ min: 1, max: 600 }),
  });

  test('together never hold more than is allowed, use all of it, and nothing when all was discarded', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const buffer = new SharedArrayBuffer(Allowance.bytesFor(shards));
        const allowance = (shard: number): Allowance => new Allowance(buffer, shared, shards, shard);
        const open = (shard: number): Spool =>
          new Spool(SLOTS, { ...shared, messageMemoryBytes: 400 }, new MemorySpoolFiles(), allowance(shard));
        const spools = Array.from({ length: shards }, (_, shard) => open(shard));
        const sum = (what: 'memoryBytes' | 'diskBytes'): number =>
          spools.reduce((total, spool) => total + spool[what], 0);
        for (const { shard, slot, does, bytes } of steps) {
          const spool = spools[shard]!;
          if (does === 'discard') spool.discard(slot);
          else if (does === 'die') {
            allowance((shard + 1) % shards).forget(shard);
            spools[shard] = open(shard);
          } else {
            if (!spool.has(slot)) spool.begin(slot);
            const before = sum('diskBytes');
            const fitsMemory = sum('memoryBytes') + bytes <= shared.memoryMaxBytes;
            const isTaken = spool.append(slot, pieceOf(bytes, 1));
            if (!isTaken) expect(before + bytes).toBeGreaterThan(shared.diskMaxBytes);
            if (!fitsMemory && isTaken) expect(sum('diskBytes')).toBe(before + bytes);
          }
          expect(sum('memoryBytes')).toBeLessThanOrEqual(shared.memoryMaxBytes);
          expect(sum('diskBytes')).toBeLessThanOrEqual(shared.diskMaxBytes);
          expect(allowance(0).memoryBytes).toBe(sum('memoryBytes'));
        }
        for (const spool of spools) for (let slot = 0; slot < SLOTS; slot++) spool.discard(slot);
        expect(allowance(0).memory.heldByAll).toBe(0);
        expect(allowance(0).disk.heldByAll).toBe(0);
      }),
    );
  });

  test('count what came in and was not looked at, as each shard told it last', () => {
    const buffer = new SharedArrayBuffer(Allowance.bytesFor(2));
    const [one, other] = [0, 1].map((shard) => new Allowance(buffer, shared, 2, shard)) as [
      Allowance,
      Allowance,
    ];
    one.tellUnread(100);
    other.tellUnread(20);
    other.tellUnread(30);
    expect(other.memory.take(500)).toBe(true);
    expect(one.memoryBytes).toBe(630);
    one.forget(1);
    expect(one.memoryBytes).toBe(100);
  });
});
