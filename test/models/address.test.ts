import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { formatAddress, isIpv4, parseAddress } from '../../src/base/address.ts';
import { Prng } from '../../src/base/prng.ts';

/** Words of random groups, many of them zero, so that runs of zeros of all kinds come up. */
function randomWords(random: Prng): Uint32Array {
  const group = (): number =>
    random.below(2) === 0 ? 0 : random.below(random.below(2) === 0 ? 16 : 0x10000);
  const words = Uint32Array.from({ length: 4 }, () => group() * 0x10000 + group());
  if (random.below(4) === 0) words.set([0, 0, 0xffff]);
  return words;
}

function bytesOfWords(words: Uint32Array): number[] {
  return [...words].flatMap((word) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]);
}

/** One of the ways in which people write the same address. */
function spelling(random: Prng, words: Uint32Array): string {
  const address = ipaddr.fromByteArray(bytesOfWords(words)) as ipaddr.IPv6;
  const groups = address.parts.map((part) => part.toString(16).padStart(4, '0'));
  switch (random.below(6)) {
    case 0:
      return address.toNormalizedString();
    case 1:
      return groups.join(':').toUpperCase();
    case 2:
      return address.toRFC5952String();
    case 3: {
      const tail = bytesOfWords(words).slice(12).join('.');
      return `${groups.slice(0, 6).join(':')}:${tail}`;
    }
    case 4:
      return address.toString();
    default:
      return address.isIPv4MappedAddress() ? address.toIPv4Address().toString() : address.toRFC5952String();
  }
}

describe('addresses', () => {
  it.each([1, 2, 3])('print as ipaddr.js prints them, and read back, 5 000 times (seed %i)', (seed) => {
    const random = new Prng(seed);
    const read = new Uint32Array(4);
    for (let i = 0; i < 5000; i += 1) {
      const words = randomWords(random);
      const twin = ipaddr.fromByteArray(bytesOfWords(words)) as ipaddr.IPv6;
      const isMapped = twin.isIPv4MappedAddress();
      expect(isIpv4(words, 0)).toBe(isMapped);
      const text = formatAddress(words, 0);
      expect(text).toBe(isMapped ? twin.toIPv4Address().toString() : twin.toRFC5952String());
      expect(parseAddress(text, read, 0)).toBe(true);
      expect(read).toEqual(words);
    }
  });

  it.each([4, 5, 6])('are read in every spelling that ipaddr.js writes, 5 000 times (seed %i)', (seed) => {
    const random = new Prng(seed);
    const read = new Uint32Array(4);
    for (let i = 0; i < 5000; i += 1) {
      const words = randomWords(random);
      const text = spelling(random, words);
      expect({ text, ok: parseAddress(text, read, 0) }).toEqual({ text, ok: true });
      expect(read).toEqual(words);
    }
  });

  it.each([7, 8, 9])(
    'are refused when damaged, unless ipaddr.js reads the same from them (seed %i)',
    (seed) => {
      const random = new Prng(seed);
      const read = new Uint32Array(4);
      let refused = 0;
      for (let i = 0; i < 5000; i += 1) {
        const text = spelling(random, randomWords(random));
        const at = random.below(text.length + 1);
        const dirt = '0:.1fg% /-x'.charAt(random.below(11));
        const damaged =
          text.slice(0, at) + (random.below(2) === 0 ? dirt : '') + text.slice(at + random.below(2));
        if (!parseAddress(damaged, read, 0)) {
          refused += 1;
          continue;
        }
        const twin = ipaddr.parse(damaged);
        const twinBytes =
          twin.kind() === 'ipv4'
            ? (twin as ipaddr.IPv4).toIPv4MappedAddress().toByteArray()
            : twin.toByteArray();
        expect({ damaged, bytes: bytesOfWords(read) }).toEqual({ damaged, bytes: twinBytes });
      }
      expect(refused).toBeGreaterThan(500);
    },
  );
});
