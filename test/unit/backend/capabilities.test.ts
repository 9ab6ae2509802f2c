import { expect, test } from 'vitest';
import { readCapabilities } from '../../../src/backend/capabilities.ts';
import { Extension } from '../../../src/smtp/mailbox.ts';

const postfix = [
  '250-mx.example.net',
  '250-PIPELINING',
  '250-SIZE 10240000',
  '250-VRFY',
  '250-ETRN',
  '250-XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT',
  '250-ENHANCEDSTATUSCODES',
  '250-8BITMIME',
  '250-DSN',
  '250-SMTPUTF8',
  '250 CHUNKING',
  '',
].join('\r\n');

test('reads what Postfix offers', () => {
  const capabilities = readCapabilities(postfix);
  expect(capabilities.extensions).toBe(
    Extension.Size | Extension.EightBitMime | Extension.SmtpUtf8 | Extension.Dsn,
  );
  expect(capabilities.sizeMaxBytes).toBe(10_240_000);
  expect(capabilities.pipelining).toBe(true);
  expect(capabilities.xclient).toEqual([
    'NAME',
    'ADDR',
    'PROTO',
    'HELO',
    'REVERSE_NAME',
    'PORT',
    'LOGIN',
    'DESTADDR',
    'DESTPORT',
  ]);
});

test.each([
  ['250 mx.example.net\r\n', 0],
  ['250-mx.example.net\r\n250 size\r\n', Extension.Size],
  ['250-SIZE 5\r\n250 x\r\n', 0],
  ['250-mx\r\n250 8bitmime \r\n', Extension.EightBitMime],
])('%j offers %i', (reply, extensions) => {
  expect(readCapabilities(reply).extensions).toBe(extensions);
});

test.each(['SIZE', 'SIZE 0', 'SIZE x', 'SIZE -5', 'SIZE 1e400', 'SIZE 1.5'])('%s is no limit', (word) => {
  expect(readCapabilities(`250-mx\r\n250 ${word}\r\n`).sizeMaxBytes).toBe(0);
});
