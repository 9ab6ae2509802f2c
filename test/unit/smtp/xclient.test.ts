import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ClientIdentity } from '../../../src/smtp/xclient.ts';
import { xclientCommand, xtext } from '../../../src/smtp/xclient.ts';

const everything = ['NAME', 'ADDR', 'PROTO', 'HELO', 'REVERSE_NAME', 'PORT', 'LOGIN', 'DESTADDR', 'DESTPORT'];
const client: ClientIdentity = {
  address: '192.0.2.7',
  port: 40_000,
  destinationAddress: '2001:db8::1',
  destinationPort: 25,
  esmtp: true,
  helo: 'a.example',
};
const anyText = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 255,
});

function decode(value: string): string {
  return value.replaceAll(/\+([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function attributesOf(command: string): Map<string, string> {
  const [word, ...rest] = command.split(' ');
  expect(word).toBe('XCLIENT');
  return new Map(rest.map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]));
}

test('xtext is printable, holds no blank and no equals sign, and can be read back (RFC 3461 §4)', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const value = xtext(text);
      expect(value).toMatch(/^[!-<>-~]*$/);
      expect(decode(value)).toBe(text);
    }),
  );
});

test('no HELO changes another attribute, and the command stays below 512 bytes', () => {
  const plain = attributesOf(xclientCommand(everything, client));
  fc.assert(
    fc.property(anyText, fc.boolean(), (helo, esmtp) => {
      const command = xclientCommand(everything, {
        ...client,
        helo,
        esmtp,
        address: '2001:db8:1111:2222:3333:4444:5555:6666',
      });
      expect(command.length + 2).toBeLessThanOrEqual(512);
      expect(command).toMatch(/^[ -~]*$/);
      const attributes = attributesOf(command);
      expect([...attributes.keys()].sort()).toEqual([...everything].sort());
      expect(attributes.get('ADDR')).toBe('IPV6:2001:db8:1111:2222:3333:4444:5555:6666');
      for (const name of ['PORT', 'DESTADDR', 'DESTPORT', 'LOGIN', 'NAME', 'REVERSE_NAME'])
        expect(attributes.get(name)).toBe(plain.get(name));
      const value = attributes.get('HELO')!;
      if (value !== '[UNAVAILABLE]') expect(decode(value)).toBe(helo);
    }),
  );
});

test('a client that calls itself [UNAVAILABLE] or [TEMPUNAVAIL] gets no attribute of that meaning by it', () => {
  for (const helo of ['[UNAVAILABLE]', '[TEMPUNAVAIL]', '[192.0.2.1]']) {
    expect(attributesOf(xclientCommand(everything, { ...client, helo })).get('HELO')).toBe('[UNAVAILABLE]');
  }
});

test('every attribute that is listed is said each time, and none that is not', () => {
  fc.assert(
    fc.property(fc.subarray(everything), (listed) => {
      expect([...attributesOf(xclientCommand([...listed, 'SOMETHING_NEW'], client)).keys()].sort()).toEqual(
        [...listed].sort(),
      );
    }),
  );
});

test('NAME and ADDR come last: behind them the right to say more may be gone', () => {
  expect([...attributesOf(xclientCommand(everything, client)).keys()].slice(-2)).toEqual(['NAME', 'ADDR']);
});
