import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  guessDuration,
  guessSize,
  readDuration,
  readSize,
  writeDuration,
  writeSize,
} from '../../../src/config/units.ts';

describe('units', () => {
  it.each([
    ['500ms', 500],
    ['6s', 6_000],
    ['5min', 300_000],
    ['2h', 7_200_000],
    ['30d', 2_592_000_000],
    ['0s', 0],
  ])('reads the duration %s', (text, ms) => {
    expect(readDuration(text)).toBe(ms);
  });

  it.each([
    ['512B', 512],
    ['256kB', 256_000],
    ['1MB', 1_000_000],
    ['1GB', 1_000_000_000],
    ['64KiB', 65_536],
    ['1MiB', 1_048_576],
    ['1GiB', 1_073_741_824],
  ])('reads the size %s', (text, bytes) => {
    expect(readSize(text)).toBe(bytes);
  });

  it.each([
    '',
    '6',
    's',
    '6 s',
    ' 6s',
    '6s ',
    '-6s',
    '+6s',
    '1.5s',
    '6S',
    '6m',
    '1min30s',
    '6s\n',
    '6constructor',
    '9999999999999d',
  ])('does not read %j as a duration', (text) => {
    expect(readDuration(text)).toBeUndefined();
  });

  it.each(['', '1', 'kB', '1KB', '1kb', '1 kB', '1k', '-1B', '0x1B', '999999999999999GB'])(
    'does not read %j as a size',
    (text) => {
      expect(readSize(text)).toBeUndefined();
    },
  );

  it('writes what it reads back as the same amount', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (amount) => {
        expect(readSize(writeSize(amount))).toBe(amount);
      }),
    );
    fc.assert(
      fc.property(fc.nat(), (amount) => {
        expect(readDuration(writeDuration(amount))).toBe(amount);
      }),
    );
  });

  it('writes the largest unit that fits', () => {
    expect([0, 500, 60_000, 90_000, 86_400_000].map(writeDuration)).toEqual([
      '0s',
      '500ms',
      '1min',
      '90s',
      '1d',
    ]);
    expect([0, 512, 64_000, 65_536, 1_000_000].map(writeSize)).toEqual([
      '0B',
      '512B',
      '64kB',
      '64KiB',
      '1MB',
    ]);
  });

  it('guesses what was meant', () => {
    expect(['5 minutes', '6sec', '5m', '2 hours', '1 day', '6S'].map(guessDuration)).toEqual([
      '5min',
      '6s',
      '5min',
      '2h',
      '1d',
      '6s',
    ]);
    expect(['256KB', '1 mb', '64k', '5 bytes', '1kib'].map(guessSize)).toEqual([
      '256kB',
      '1MB',
      '64kB',
      '5B',
      '1KiB',
    ]);
    expect(['soon', '6 fortnights', '1.5s', ''].map(guessDuration)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
