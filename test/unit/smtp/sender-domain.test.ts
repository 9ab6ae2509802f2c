import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOf } from '../../../src/base/ascii.ts';
import { Argument, MailboxReader } from '../../../src/smtp/mailbox.ts';
import { senderDomain } from '../../../src/smtp/sender-domain.ts';

test.each([
  ['FROM:<a@Example.ORG>', 'example.org'],
  ['FROM:<a@example.org> SIZE=7 BODY=8BITMIME', 'example.org'],
  ['FROM:<a@mail_1.example-2.org>', 'mail_1.example-2.org'],
  ['FROM:<@relay.example,@other.example:a@example.org>', 'example.org'],
  ['FROM:<"a@b>c\\"@d.example"@example.org>', 'example.org'],
  ['FROM:<""@example.org>', 'example.org'],
])('%s is of %s', (argument, domain) => {
  expect(senderDomain(argument)).toBe(domain);
});

test.each([
  'FROM:<>',
  'FROM:<postmaster>',
  'FROM:<a@[192.0.2.7]>',
  'FROM:<a@[IPv6:2001:db8::1]>',
  'FROM:<a@localhost>',
  'FROM:<a@example.org.>',
  'FROM:<a@b\u00e4r.example>',
  `FROM:<a@${'a'.repeat(64)}.example>`,
  `FROM:<a@${'a.'.repeat(127)}example>`,
  'FROM:<@relay.example',
  '',
])('%s has no domain that SPF could speak of', (argument) => {
  expect(senderDomain(argument)).toBe('');
});

test('whatever is taken for an argument has a domain that can be a name in the DNS, or none', () => {
  const reader = new MailboxReader();
  const pieces = fc.constantFrom(
    'a',
    'B',
    '.',
    '@',
    '"',
    '\\',
    '>',
    '<',
    ':',
    ',',
    '[',
    ']',
    ' ',
    '1',
    '-',
    '\u00e9',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 20 }), (parts) => {
      const text = `FROM:<${parts.join('')}>`;
      const domain = senderDomain(text);
      expect(domain).toMatch(/^(?:[a-z0-9_-]+\.[a-z0-9_.-]*[a-z0-9_-])?$/);
      const bytes = bytesOf(text);
      // What the reader takes ends in the domain that is told.
      if (reader.readMail(bytes, 0, bytes.length, 15) === Argument.Good && domain !== '')
        expect(text.slice(0, reader.pathEnd).toLowerCase()).toContain(`@${domain}>`);
    }),
    { numRuns: 2_000 },
  );
});
