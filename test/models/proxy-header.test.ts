/**
 * The reader of PROXY headers against a naive one made of regular expressions and the parser of node:net, for headers that are
 * right, headers that are nearly right, and noise; whole and in every piece. What the writer writes, the reader reads.
 */
import { BlockList, isIPv4, isIPv6, SocketAddress } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatAddress, parseAddress } from '../../src/base/address.ts';
import { crc32cOf, HeaderFound, ProxyHeaderReader } from '../../src/transport/proxy-header.ts';
import { proxyHeader } from '../../src/transport/proxy-writer.ts';

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

/** What a reader makes of all bytes: `nothing`, `garbage`, `itself USED`, or `USED ADDRESS PORT ADDRESS PORT`. */
function reading(all: Uint8Array): string {
  const reader = new ProxyHeaderReader();
  switch (reader.find(all)) {
    case HeaderFound.Nothing:
      return 'nothing';
    case HeaderFound.Garbage:
      return 'garbage';
    case HeaderFound.Itself:
      return `itself ${reader.used}`;
    default:
      return `${reader.used} ${reader.address} ${reader.port} ${reader.destinationAddress} ${reader.destinationPort}`;
  }
}

const impossible = new BlockList();
impossible.addSubnet('0.0.0.0', 8);
impossible.addSubnet('224.0.0.0', 4);
impossible.addAddress('255.255.255.255');
impossible.addAddress('::', 'ipv6');
impossible.addSubnet('ff00::', 8, 'ipv6');

function plain(text: string): string {
  const words = new Uint32Array(4);
  expect(parseAddress(text, words, 0)).toBe(true);
  return formatAddress(words, 0);
}

function canBeClient(text: string): boolean {
  const one = plain(text);
  return !impossible.check(one, isIPv4(one) ? 'ipv4' : 'ipv6');
}

const port = '(0|[1-9]\\d{0,4})';
const line = new RegExp(`^PROXY (?:(UNKNOWN)(?: [^\\r\\n]*)?|(TCP[46]) (\\S+) (\\S+) ${port} ${port})\\r\\n`);

/** The naive twin: whole headers only, so `nothing` is also what may come. */
function naive(all: Uint8Array): string {
  const text = Buffer.from(all).toString('latin1');
  if (text.startsWith('\r')) return naiveBlock(Buffer.from(all), text);
  const found = line.exec(text.slice(0, 107));
  if (found === null) return isStart(text) ? 'nothing' : 'garbage';
  const [whole, unknown, family, from = '', to = '', fromPort, toPort] = found;
  if (unknown !== undefined) return `itself ${whole.length}`;
  const isOne = family === 'TCP4' ? isIPv4 : isIPv6;
  if (!isOne(from) || !isOne(to) || `${from}${to}`.includes('%')) return 'garbage';
  if (Number(fromPort) > 65_535 || Number(toPort) > 65_535 || !canBeClient(from)) return 'garbage';
  return `${whole.length} ${plain(from)} ${fromPort} ${plain(to)} ${toPort}`;
}

function isStart(text: string): boolean {
  const head = 'PROXY ';
  if (text.length < head.length) return head.startsWith(text);
  const rest = text.slice(head.length).replace(/\r$/, '');
  return text.startsWith(head) && !/[\r\n]/.test(rest) && text.length < 107;
}

const signature = '\r\n\r\n\0\r\nQUIT\n';

function naiveBlock(all: Buffer, text: string): string {
  if (!text.startsWith(signature.slice(0, text.length))) return 'garbage';
  if (all.length > 12 && all[12] !== 0x20 && all[12] !== 0x21) return 'garbage';
  const isLocal = all[12] === 0x20;
  const isEnds = all[13] === 0x11 || all[13] === 0x21;
  if (all.length > 13 && !isLocal && !isEnds && all[13] !== 0) return 'garbage';
  if (all.length > 14 && all[14]! * 256 > 520) return 'garbage';
  if (all.length < 16) return 'nothing';
  const length = all.readUInt16BE(14);
  const each = all[13] === 0x11 ? 4 : 16;
  if (length > 520 || (!isLocal && isEnds && length < each * 2 + 4)) return 'garbage';
  if (all.length < 16 + length) return 'nothing';
  if (isLocal || !isEnds) return `itself ${16 + length}`;
  const addressAt = (at: number): string => {
    const part = all.subarray(at, at + each);
    const family = each === 4 ? 'ipv4' : 'ipv6';
    const address = each === 4 ? part.join('.') : part.toString('hex').replaceAll(/(....)(?!$)/g, '$1:');
    return plain(new SocketAddress({ address, family }).address);
  };
  for (let at = 16 + each * 2 + 4; at < 16 + length;) {
    if (at + 3 > 16 + length) return 'garbage';
    const next = at + 3 + all.readUInt16BE(at + 1);
    if (next > 16 + length) return 'garbage';
    if (all[at] === 3) {
      if (next !== at + 7) return 'garbage';
      const zeroed = Buffer.from(all.subarray(0, 16 + length));
      zeroed.fill(0, at + 3, at + 7);
      if (naiveCrc(zeroed) !== all.readUInt32BE(at + 3)) return 'garbage';
    }
    at = next;
  }
  if (!canBeClient(addressAt(16))) return 'garbage';
  const ports = 16 + each * 2;
  return `${16 + length} ${addressAt(16)} ${all.readUInt16BE(ports)} ${addressAt(16 + each)} ${all.readUInt16BE(ports + 2)}`;
}

/** Bit by bit. */
function naiveCrc(all: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of all)
    for (let bit = 0; bit < 8; bit++) {
      const carry = (crc ^ (byte >> bit)) & 1;
      crc = (crc >>> 1) ^ (carry === 1 ? 0x82f63b78 : 0);
    }
  return (crc ^ 0xffffffff) >>> 0;
}

const v4 = fc.ipV4();
const v6 = fc.oneof(fc.ipV6(), fc.constantFrom('::ffff:192.0.2.7', '::', '::1', 'ff02::1', '::ffff:0.0.0.0'));
const address = fc.oneof(
  v4,
  v6,
  fc.constantFrom('192.0.2.07', '1.2.3', '255.255.255.255', '224.0.0.1', '0.0.0.0', 'fe80::1%eth0', ':::'),
);
const someLine = fc
  .tuple(
    fc.constantFrom('TCP4', 'TCP6', 'TCP4', 'TCP6', 'UNKNOWN', 'UDP4', 'tcp4', 'TCP'),
    address,
    address,
    fc.oneof(fc.integer({ min: 0, max: 70_000 }).map(String), fc.constantFrom('', '025', '+5', '1e3', '00')),
    fc.integer({ min: 0, max: 65_535 }).map(String),
    fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r', ' \r\n', '\r\r\n', ' more\r\n'),
    fc.constantFrom(' ', ' ', ' ', '  ', '\t'),
  )
  .map(([family, from, to, one, two, end, blank]) =>
    ['PROXY', family, from, to, one, `${two}${end}`].join(blank),
  );
const goodLine = fc
  .oneof(fc.tuple(fc.constant('TCP4'), v4, v4), fc.tuple(fc.constant('TCP6'), v6, v6))
  .map(([family, from, to]) => `PROXY ${family} ${from} ${to} 56324 25\r\n`);
const someTlv = fc
  .tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 40 }))
  .map(([type, value]) => [type, value.length >> 8, value.length & 255, ...value]);
const someBlock = fc
  .record({
    command: fc.constantFrom(0x20, 0x21, 0x21, 0x21, 0x22, 0x11),
    family: fc.constantFrom(0x11, 0x21, 0x11, 0x21, 0x00, 0x12, 0x31),
    ends: fc.uint8Array({ minLength: 36, maxLength: 36 }),
    tlvs: fc.array(someTlv, { maxLength: 4 }),
    checksum: fc.constantFrom('none', 'right', 'wrong', 'short'),
    cut: fc.constantFrom(0, 0, 0, 1, 5),
  })
  .map(({ command, family, ends, tlvs, checksum, cut }) => {
    const body = [...(family === 0x11 ? ends.subarray(0, 12) : ends), ...tlvs.flat()];
    const crcAt = 16 + body.length + 3;
    if (checksum === 'short') body.push(3, 0, 2, 1, 2);
    else if (checksum !== 'none') body.push(3, 0, 4, 0, 0, 0, 0);
    const length = body.length - cut;
    const all = Uint8Array.of(
      ...Buffer.from(signature, 'latin1'),
      command,
      family,
      length >> 8,
      length & 255,
      ...body,
    );
    if (checksum === 'right' && cut === 0)
      new DataView(all.buffer).setUint32(crcAt, naiveCrc(all.subarray(0, 16 + length)));
    return all;
  });
const some = fc
  .tuple(
    fc.oneof(
      someLine.map(bytes),
      goodLine.map(bytes),
      someBlock,
      fc.uint8Array({ maxLength: 200 }),
      fc.string({ maxLength: 150 }).map((text) => bytes(`PROXY UNKNOWN${text}`)),
      fc.uint8Array({ maxLength: 30 }).map((rest) => Uint8Array.of(...bytes(signature), ...rest)),
    ),
    fc.constantFrom('', 'EHLO me\r\n', 'PROXY TCP4 127.0.0.1 127.0.0.1 1 1\r\n'),
  )
  .map(([header, behind]) => Uint8Array.of(...header, ...bytes(behind)));

describe('the reader of PROXY headers', () => {
  test('says what the naive one says', () => {
    fc.assert(
      fc.property(some, (all) => {
        expect(reading(all)).toBe(naive(all));
      }),
      { numRuns: 3_000 },
    );
  });

  test('says of every beginning "not yet", or what it says of the whole; never anything else later', () => {
    fc.assert(
      fc.property(some, (all) => {
        const whole = reading(all);
        let settled = '';
        for (let end = 0; end <= all.length; end++) {
          const now = reading(all.subarray(0, end));
          if (settled !== '') expect(now).toBe(settled);
          if (now !== 'nothing') settled = now;
        }
        expect(settled === '' ? 'nothing' : settled).toBe(whole);
      }),
      { numRuns: 500 },
    );
  });

  test('has made up its mind after 536 bytes, whatever they are', () => {
    const padded = fc.uint8Array({ minLength: 536, maxLength: 600 });
    fc.assert(
      fc.property(some, padded, (start, rest) => {
        expect(reading(Uint8Array.of(...start, ...rest))).not.toBe('nothing');
      }),
    );
  });

  test.each([
    ['PROXY TCP4 255.255.255.254 255.255.255.255 65535 65535\r\n', 'of the document'],
    [
      'PROXY TCP6 fe80:fe80:fe80:fe80:fe80:fe80:fe80:fe80 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n',
      'the longest with addresses',
    ],
    [`PROXY UNKNOWN ${'f'.repeat(91)}\r\n`, 'of 107 bytes'],
  ])('takes %j, %s', (text) => {
    expect(reading(bytes(text))).toMatch(new RegExp(`^(itself )?${text.length}\\b`));
    expect(reading(bytes(text.slice(0, -1)))).toBe('nothing');
  });

  test('does not take a line of 108 bytes', () => {
    expect(reading(bytes(`PROXY UNKNOWN ${'f'.repeat(92)}\r\n`))).toBe('garbage');
  });

  test('knows the check value of CRC32C', () => {
    expect(crc32cOf(bytes('123456789'), 9, 9)).toBe(0xe3069283);
  });
});

describe('the writer of PROXY headers', () => {
  const ends = fc.record({
    address: fc.oneof(v4, fc.ipV6()).filter((text) => canBeClient(text)),
    port: fc.integer({ min: 0, max: 65_535 }),
    destinationAddress: fc.oneof(v4, fc.ipV6()),
    destinationPort: fc.integer({ min: 0, max: 65_535 }),
  });

  test.each([1, 2] as const)(
    'version %d is read as it was written, alone and with more behind it',
    (version) => {
      fc.assert(
        fc.property(ends, (one) => {
          const header = proxyHeader(version, one);
          const want = `${header.length} ${plain(one.address)} ${one.port} ${plain(one.destinationAddress)} ${one.destinationPort}`;
          expect(reading(header)).toBe(want);
          expect(reading(Uint8Array.of(...header, ...bytes('EHLO me\r\n')))).toBe(want);
          expect(naive(header)).toBe(want);
        }),
      );
    },
  );

  test('a connection of our own is LOCAL, and in version 1 for nobody', () => {
    expect(reading(proxyHeader(2, null))).toBe('itself 16');
    expect(Buffer.from(proxyHeader(1, null)).toString()).toBe('PROXY TCP4 192.0.2.1 192.0.2.2 25 25\r\n');
  });

  test('an address that cannot be read becomes one that nobody has', () => {
    const one = { address: '', port: 1, destinationAddress: '192.0.2.1', destinationPort: 25 };
    expect(reading(proxyHeader(1, one))).toBe('garbage');
    expect(Buffer.from(proxyHeader(1, one)).toString()).toBe('PROXY TCP6 :: ::ffff:192.0.2.1 1 25\r\n');
  });
});
