import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { latin1 } from '../../../src/base/ascii.ts';
import { NO_CAPABILITIES } from '../../../src/backend/capabilities.ts';
import type { PartialConfig } from '../../../src/config/load.ts';
import { defaultConfig } from '../../../src/config/load.ts';
import { Extension } from '../../../src/smtp/mailbox.ts';
import { Greetings } from '../../../src/stages/greetings.ts';

const text = (bytes: Uint8Array): string => latin1(bytes, 0, bytes.length);

function greetings(messageSizeMaxBytes: number, extensions: number, sizeMaxBytes: number): Greetings {
  const config = defaultConfig({ hostname: 'mx.example.net', smtp: { messageSizeMaxBytes } });
  return new Greetings(config, { ...NO_CAPABILITIES, extensions, sizeMaxBytes });
}

test('both halves of the greeting name the host, the first one goes on', () => {
  const { teaser, last } = greetings(0, 0, 0);
  expect(text(teaser)).toBe('220-mx.example.net ESMTP\r\n');
  expect(text(last)).toBe('220 mx.example.net ESMTP\r\n');
});

test('HELP names every verb that is understood, BDAT and STARTTLS where they are offered', () => {
  const verbs = 'EHLO HELO MAIL RCPT DATA BDAT RSET NOOP QUIT HELP VRFY';
  expect(text(greetings(0, 0, 0).help)).toBe(`214 2.0.0 ${verbs}\r\n`);
  expect(text(greetings(0, 0, 0).helpTls)).toBe(`214 2.0.0 ${verbs} STARTTLS\r\n`);
  const config = defaultConfig({ hostname: 'mx.example.net', smtp: { chunking: false } });
  expect(text(new Greetings(config, NO_CAPABILITIES).help)).not.toContain('BDAT');
});

test('before the backend was heard nothing is offered that depends on it; CHUNKING does not', () => {
  expect(text(greetings(0, 0, 0).ehlo)).toBe(
    '250-mx.example.net\r\n250-CHUNKING\r\n250 ENHANCEDSTATUSCODES\r\n',
  );
});

test('offers what the backend offers and Sluice can read, and CHUNKING, never ETRN, BINARYMIME or XCLIENT', () => {
  fc.assert(
    fc.property(fc.nat({ max: 15 }), (extensions) => {
      const made = greetings(0, extensions, 1_000);
      const { ehlo, ehloPipelining } = made;
      const offered = text(ehlo)
        .split('\r\n')
        .slice(1, -1)
        .map((line) => line.slice(4).split(' ')[0]);
      const wanted = [
        ...((extensions & Extension.Size) === 0 ? [] : ['SIZE']),
        ...((extensions & Extension.EightBitMime) === 0 ? [] : ['8BITMIME']),
        ...((extensions & Extension.SmtpUtf8) === 0 ? [] : ['SMTPUTF8']),
        ...((extensions & Extension.Dsn) === 0 ? [] : ['DSN']),
        'CHUNKING',
        'ENHANCEDSTATUSCODES',
      ];
      expect(offered).toEqual(wanted);
      expect(text(ehloPipelining).replace('250-PIPELINING\r\n', '')).toBe(text(ehlo));
      for (const pipelining of [false, true]) {
        const withTls = text(made.ehloFor(pipelining, true));
        expect(withTls).toContain('250-STARTTLS\r\n');
        expect(withTls.replace('250-STARTTLS\r\n', '')).toBe(text(made.ehloFor(pipelining, false)));
      }
    }),
  );
});

test.each([
  [0, 0, 0, '250-SIZE\r\n'],
  [0, 1_000, 1_000, '250-SIZE 1000\r\n'],
  [500, 1_000, 500, '250-SIZE 500\r\n'],
  [2_000, 1_000, 1_000, '250-SIZE 1000\r\n'],
  [500, 0, 500, '250-SIZE 500\r\n'],
])(
  "of an own limit of %i and the backend's of %i the smaller one stands: %i",
  (own, theirs, wanted, line) => {
    const made = greetings(own, Extension.Size, theirs);
    expect(made.sizeMaxBytes).toBe(wanted);
    expect(text(made.ehlo)).toContain(line);
  },
);

test.each<[string, PartialConfig, string]>([
  ['fewer recipients than senders count on', { smtp: { recipientsMax: 100 } }, '250-LIMITS RCPTMAX=100\r\n'],
  ['one recipient', { backend: { verifyRecipients: 'late' } }, '250-LIMITS RCPTMAX=1\r\n'],
])('a message that may have %s is told of by LIMITS (RFC 9422), in every EHLO reply', (_, parts, line) => {
  const made = new Greetings(defaultConfig({ hostname: 'mx.example.net', ...parts }), NO_CAPABILITIES);
  for (const pipelining of [false, true])
    for (const tls of [false, true]) expect(text(made.ehloFor(pipelining, tls))).toContain(line);
});

test('a limit that senders count on anyway is not told', () => {
  for (const recipientsMax of [1_000, 5_000]) {
    const made = new Greetings(defaultConfig({ smtp: { recipientsMax } }), NO_CAPABILITIES);
    expect(text(made.ehlo)).not.toContain('LIMITS');
  }
});
