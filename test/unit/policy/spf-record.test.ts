import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isOfFairSize, isSpf, readSpf } from '../../../src/policy/spf-record.ts';

test('a record is read into its terms and its redirect', () => {
  const record = readSpf(
    'v=spf1 ip4:192.0.2.0/24 -ip6:2001:db8::/32 a mx:mail.example/24//64 ~all redirect=x.example',
  );
  expect(record?.redirect).toBe('x.example');
  const terms = record?.terms.map(
    ({ qualifier, name, value, bits4, bits6 }) => `${qualifier}${name} ${value} ${bits4} ${bits6}`,
  );
  expect(terms).toEqual([
    '+ip4 192.0.2.0/24 32 128',
    '-ip6 2001:db8::/32 32 128',
    '+a  32 128',
    '+mx mail.example 24 64',
    '~all  32 128',
  ]);
});

test.each([
  ['V=SPF1 IP4:192.0.2.1', 1],
  ['v=spf1', 0],
  ['v=spf1   a   ', 1],
  ['v=spf1 exp=why.example foo=bar ?ptr exists:%{i}.x.example', 2],
  ['v=spf1 a/24 a//64 a:b.example/0//0', 3],
])('%s is well formed', (text, count) => {
  expect(readSpf(text)?.terms).toHaveLength(count);
});

test.each([
  'v=spf2 a',
  'v=spf10 a',
  'v=spf1 ip4:',
  'v=spf1 ip4',
  'v=spf1 ip4:2001:db8::1',
  'v=spf1 ip4:192.0.2.0/33',
  'v=spf1 ip4:192.0.2.0/024',
  'v=spf1 ip6:192.0.2.1',
  'v=spf1 ip6:2001:db8::/129',
  'v=spf1 include',
  'v=spf1 include:',
  'v=spf1 all:x',
  'v=spf1 all/24',
  'v=spf1 a/33',
  'v=spf1 a//129',
  'v=spf1 a/08',
  'v=spf1 nonsense',
  'v=spf1 --a',
  'v=spf1 redirect=',
  'v=spf1 redirect=a.example redirect=b.example',
  'v=spf1 a\u00e9',
  'v=spf1\ta',
])('%s is not', (text) => {
  expect(readSpf(text)).toBeNull();
});

test('what is longer than any honest record is not read', () => {
  expect(isOfFairSize(`v=spf1 ${'ip4:192.0.2.1 '.repeat(290)}`)).toBe(true);
  expect(isOfFairSize(`v=spf1 ${'ip4:192.0.2.1 '.repeat(300)}`)).toBe(false);
  expect(isOfFairSize(`v=spf1 include:${'a'.repeat(600)}`)).toBe(false);
  expect(isOfFairSize(`v=spf1 exists:${'%{d1r}'.repeat(17)}`)).toBe(false);
});

test('any text is read or refused, without an exception', () => {
  const pieces = fc.constantFrom(
    'v=spf1',
    ' ',
    'ip4:',
    'a',
    'mx',
    '/',
    '%',
    '{',
    '}',
    ':',
    '=',
    '1.2.3.4',
    'all',
    '-',
    '\0',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
      const text = `v=spf1 ${parts.join('')}`;
      const record = readSpf(text);
      expect(isSpf(text)).toBe(true);
      if (record !== null) expect(record.terms.length).toBeLessThanOrEqual(parts.length);
    }),
    { numRuns: 2_000 },
  );
});
