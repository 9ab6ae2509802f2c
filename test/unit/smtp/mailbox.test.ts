import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf, latin1 } from '../../../src/base/ascii.ts';
import { Argument, Extension, MailboxReader } from '../../../src/smtp/mailbox.ts';

const ALL = Extension.Size | Extension.EightBitMime | Extension.SmtpUtf8 | Extension.Dsn;
const reader = new MailboxReader();

interface Result {
  readonly verdict: Argument;
  readonly path: string;
  readonly parameters: string;
}

function read(kind: 'mail' | 'rcpt', text: string, offered: number = ALL): Result {
  // Other bytes around the range: a reader that looks beyond it gives itself away.
  const bytes = bytesOf(`<x@y>${text}<x@y> SIZE=1`);
  const end = 5 + text.length;
  const verdict =
    kind === 'mail' ? reader.readMail(bytes, 5, end, offered) : reader.readRcpt(bytes, 5, end, offered);
  return {
    verdict,
    path: latin1(bytes, reader.pathStart, reader.pathEnd),
    parameters: latin1(bytes, reader.parametersStart, reader.parametersEnd),
  };
}

describe('paths that are passed on as they are', () => {
  test.each([
    '<>',
    '<a@b>',
    '<a.b+c=d@b.example>',
    '<"a b"@b>',
    '<"a\\"b>c"@b>',
    '<""@b>',
    '<a@[192.0.2.1]>',
    '<a@[IPv6:2001:db8::1]>',
    '<a@[IPv6:::ffff:192.0.2.1]>',
    '<a@[x-400:a/b=c,d;"e"!@{~}]>',
    '<@r.example:a@b>',
    '<@r,@s:a@b>',
    '<postmaster>',
    '<a%b@c>',
    '<a!b@c>',
    "<o'neil#$&*/?^_`{|}~@c>",
    '<a@b.>',
    '<a@b_c.example>',
    '<\xe4@b.example>',
    '<a@\xe4.example>',
    `<${'l'.repeat(255)}@b>`,
    `<a@${'d'.repeat(63)}.example>`,
  ])('%s', (path) => {
    expect(read('mail', `FROM:${path}`)).toEqual({ verdict: Argument.Good, path, parameters: '' });
  });
});

describe('what is no path', () => {
  test.each([
    '<',
    '>',
    '<a',
    'a@b',
    '<a@b',
    'a@b>',
    '<a b@c>',
    '<a@b c>',
    '<@b>',
    '<a@>',
    '<a@b..c>',
    '<a@.b>',
    '<a@b>>',
    '<<a@b>>',
    '<a@b>x',
    '<a@b>\t',
    '<"a@b>',
    '<"a\\">',
    '<"a"b@c>',
    '<a@[1.2.3.4>',
    '<a@[]>',
    '<a@[1.2.3.4]x>',
    '<a@[1/2]>',
    '<a@[x:a b]>',
    '<a@[x:a<b]>',
    '<a@[x:a>b]>',
    '<a@[x:a\\b]>',
    '<a@[x:[a]>',
    '<a@[x:a\x7f]>',
    '<a@[x:\xe4]>',
    '<a(c)@b>',
    '<a@b;c>',
    '<;@>',
    '<a@b@c>',
    '<a,b@c>',
    '<a:b@c>',
    '<a\\b@c>',
    '<a\x00b@c>',
    '<a\x7fb@c>',
    '<a\rb@c>',
    '<a@b\n>',
    '<@r a@b>',
    '<@r:>',
    '<@r,a@b>',
    `<${'l'.repeat(256)}@b>`,
    `<a@${'d'.repeat(256)}>`,
  ])('%j', (path) => {
    const { verdict } = read('mail', `FROM:${path}`);
    expect(verdict === Argument.Syntax || verdict === Argument.Address).toBe(true);
  });
});

describe('the label', () => {
  test.each(['FROM:<a@b>', 'from:<a@b>', 'FrOm: <a@b>', 'FROM:\t <a@b>'])('%s', (text) => {
    expect(read('mail', text).verdict).toBe(Argument.Good);
  });
  test.each(['', 'F', 'FROM', 'FROM <a@b>', 'FROM :<a@b>', 'TO:<a@b>', 'FROM;<a@b>', 'FROM\x1a<a@b>'])(
    '%j is none',
    (text) => {
      expect(read('mail', text).verdict).toBe(Argument.Syntax);
    },
  );
  test('the null path is a sender and no recipient', () => {
    expect(read('mail', 'FROM:<>').verdict).toBe(Argument.Good);
    expect(read('rcpt', 'TO:<>').verdict).toBe(Argument.Address);
  });
});

describe('parameters', () => {
  test.each([
    'SIZE=0',
    'SIZE=123',
    'size=5 body=8bitmime',
    'BODY=7BIT SMTPUTF8',
    'RET=FULL ENVID=x',
    'SMTPUTF8',
  ])('MAIL %s', (parameters) => {
    expect(read('mail', `FROM:<a@b> ${parameters}`)).toEqual({
      verdict: Argument.Good,
      path: '<a@b>',
      parameters,
    });
  });
  test.each([
    'FROB',
    'SIZE',
    'SIZE=',
    'SIZE=-1',
    'SIZE=1x',
    'SIZE=1 SIZE=1',
    'BODY=BINARYMIME',
    'SMTPUTF8=1',
    'AUTH=<>',
    'RET=ALL',
    'ENVID=',
    'NOTIFY=NEVER',
    '=',
    'SIZE=1\t',
    `ENVID=${'e'.repeat(101)}`,
    'SIZE=\xe4',
  ])('MAIL %j is refused', (parameters) => {
    const { verdict } = read('mail', `FROM:<a@b> ${parameters}`);
    // A blank at the very end is no part of a parameter.
    expect(verdict).toBe(parameters.endsWith('\t') ? Argument.Good : Argument.Parameter);
  });
  test.each(['NOTIFY=NEVER', 'NOTIFY=SUCCESS,DELAY', 'ORCPT=rfc822;a@b'])('RCPT %s', (parameters) => {
    expect(read('rcpt', `TO:<a@b> ${parameters}`).verdict).toBe(Argument.Good);
    expect(read('rcpt', `TO:<a@b> ${parameters}`, Extension.Size).verdict).toBe(Argument.Parameter);
  });
  test.each(['NOTIFY=NEVER,SUCCESS', 'NOTIFY=', 'ORCPT', 'SIZE=1'])('RCPT %s is refused', (parameters) => {
    expect(read('rcpt', `TO:<a@b> ${parameters}`).verdict).toBe(Argument.Parameter);
  });
  test('nothing is understood that was not offered', () => {
    for (const parameters of ['SIZE=1', 'BODY=8BITMIME', 'SMTPUTF8', 'RET=HDRS'])
      expect(read('mail', `FROM:<a@b> ${parameters}`, 0).verdict).toBe(Argument.Parameter);
  });
  test('SIZE is told, and never less than was said', () => {
    read('mail', 'FROM:<a@b> SIZE=1234');
    expect(reader.sizeBytes).toBe(1234);
    read('mail', 'FROM:<a@b> SIZE=99999999999999999999');
    expect(reader.sizeBytes).toBe(0x7fffffff);
    read('mail', 'FROM:<a@b>');
    expect(reader.sizeBytes).toBe(0);
  });
  test('8-bit addresses want SMTPUTF8', () => {
    expect(read('mail', 'FROM:<\xe4@b>', ALL & ~Extension.SmtpUtf8).verdict).toBe(Argument.Address);
  });
});

test('whatever is good is one path and words: no byte of a line end or control gets through, nothing is changed', () => {
  const piece = fc.constantFrom(
    '<',
    '>',
    '@',
    '"',
    '\\',
    ' ',
    '\t',
    ':',
    ',',
    '.',
    '[',
    ']',
    'a',
    'b1',
    '\xe4',
    '\0',
    '\x01',
    '\x7f',
    '\r',
    '\n',
    'SIZE=1',
    'FROM:',
    '=',
    '(',
    ';',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), (parts) => {
      const text = `FROM:<${parts.join('')}`;
      const { verdict, path, parameters } = read('mail', text);
      if (verdict !== Argument.Good) return;
      const codes = bytesOf(path + parameters);
      expect([...codes].filter((code) => code < 0x20 || code === 0x7f)).toEqual([]);
      expect(path.startsWith('<') && path.endsWith('>')).toBe(true);
      expect(text.startsWith(`FROM:${path}`)).toBe(true);
      expect(text.slice(5 + path.length).trim()).toBe(parameters);
    }),
    { numRuns: 20_000 },
  );
});
