/**
 * The same message by DATA and by BDAT, cut into chunks and into pieces on the wire at any place: the backend gets the same
 * bytes, or the client the same refusal.
 */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { defaultConfig } from '../../src/config/load.ts';
import { World } from '../dialogues/world.ts';

const ENVELOPE = ['EHLO c.example\r\n', 'MAIL FROM:<a@c.example>\r\nRCPT TO:<good@example.org>\r\n'];
const ADDRESS = '192.0.2.7';
const HOUR_MS = 3_600_000;

const octets = fc
  .array(
    fc.constantFrom('\r', '\n', '.', '\0', 'a', '\r\n', '\r\n.', '.\r\n', 'QUIT\r\n', 'BDAT 3 LAST\r\n'),
    {
      maxLength: 16,
    },
  )
  .map((parts) => `${parts.join('')}\r\n`);
const cuts = fc.array(fc.nat({ max: 80 }), { maxLength: 6 });
const splits = fc.constantFrom(undefined, 1, 2, 3, 7, 64);
const modes = fc.constantFrom('reject' as const, 'normalize' as const);

/** What became of a message: what the backend got, and the class of each reply behind the envelope. */
interface Fate {
  readonly contents: readonly string[];
  readonly last: string;
}

function fateOf(
  bareNewline: 'reject' | 'normalize',
  splitBytes: number | undefined,
  words: readonly string[],
): Fate {
  const config = defaultConfig({ smtp: { bareNewline }, spool: { messageMemoryBytes: 4_096 } });
  const world = new World({ config, ...(splitBytes === undefined ? {} : { splitBytes }) });
  world.start();
  world.remember(ADDRESS, 0, true);
  const client = world.dial(ADDRESS);
  for (const word of words) {
    world.settle();
    client.send(word);
  }
  world.settle();
  const last = client.heard.split('\r\n').at(-2) ?? '';
  client.send('QUIT\r\n');
  world.runUntil(HOUR_MS, () => client.gone);
  world.runUntil(3 * HOUR_MS, () => world.leaks().length === 0);
  expect(world.leaks()).toEqual([]);
  expect(world.backend.crimes).toEqual([]);
  return { contents: world.backend.stored.map(({ content }) => content), last };
}

function chunked(all: string, places: readonly number[]): string {
  const borders = [...new Set([0, ...places.filter((place) => place < all.length)])].sort((a, b) => a - b);
  return borders
    .map((from, at) => {
      const part = all.slice(from, borders[at + 1] ?? all.length);
      return `BDAT ${part.length}${at === borders.length - 1 ? ' LAST' : ''}\r\n${part}`;
    })
    .join('');
}

it('a message is the same to the backend by DATA and by BDAT, wherever it is cut', () => {
  let refused = 0;
  let delivered = 0;
  fc.assert(
    fc.property(modes, octets, cuts, splits, (mode, all, places, splitBytes) => {
      const stuffed = all.replaceAll(/(^|\r\n)\./g, '$1..');
      const byData = fateOf(mode, splitBytes, [...ENVELOPE, 'DATA\r\n', `${stuffed}.\r\n`]);
      const byChunks = fateOf(mode, splitBytes, [...ENVELOPE, chunked(all, places)]);
      expect(byChunks).toEqual(byData);
      if (byData.contents.length === 1) delivered += 1;
      else refused += 1;
    }),
    { numRuns: 400 },
  );
  expect(delivered).toBeGreaterThan(200);
  expect(refused).toBeGreaterThan(50);
});

it('any words of this little language leave nothing behind, and no message without a LAST', () => {
  const words = fc.constantFrom(
    'EHLO c.example\r\n',
    'MAIL FROM:<a@c.example>\r\n',
    'RCPT TO:<good@example.org>\r\n',
    'BDAT 0\r\n',
    'BDAT 4\r\nab\r\n',
    'BDAT 3\r\n.\r\n',
    'BDAT 2\r\na\r',
    'BDAT 4 LAST\r\ncd\r\n',
    'BDAT 0 LAST\r\n',
    'BDAT 1 LAST\r\n\n',
    'RSET\r\n',
    'NOOP\r\n',
    'DATA\r\n',
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 16 }), splits, (script, splitBytes) => {
      const { contents } = fateOf('reject', splitBytes, [...ENVELOPE, ...script]);
      const lasts = script.filter((word) => word.includes('LAST')).length;
      const datas = script.filter((word) => word === 'DATA\r\n').length;
      expect(contents.length).toBeLessThanOrEqual(lasts + datas);
      for (const content of contents) expect(content).not.toMatch(/(?:^|\r\n)\.(?:\r\n|$)/);
    }),
    { numRuns: 400 },
  );
});
