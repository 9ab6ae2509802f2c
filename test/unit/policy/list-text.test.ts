/**
 * The text of list files: what is taken, and how a fault is told.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../../src/base/address.ts';
import { bytesOf } from '../../../src/base/ascii.ts';
import { networkFault } from '../../../src/config/addresses.ts';
import type { FileListName } from '../../../src/policy/list-text.ts';
import { readListText } from '../../../src/policy/list-text.ts';
import { NetworkBuilder } from '../../../src/policy/network-builder.ts';
import { NetworkSet } from '../../../src/policy/networks.ts';

function read(text: string, list: FileListName = 'allow'): { set: NetworkSet; faults: string[] } {
  const builder = new NetworkBuilder();
  const faults: string[] = [];
  readListText(bytesOf(text), list, builder, (line, column, says) =>
    faults.push(`${line}:${column}: ${says()}`),
  );
  return { set: new NetworkSet(builder.build()), faults };
}

function has(set: NetworkSet, text: string): boolean {
  const words = new Uint32Array(4);
  if (!parseAddress(text, words, 0)) throw new Error(`test address ${text}`);
  return set.has(words, 0);
}

describe('a list file', () => {
  it('holds one address or network a line, with comments, blanks, CR LF and a byte order mark', () => {
    const text =
      '\xef\xbb\xbf192.0.2.1\r\n\r\n  # f\xfcr uns\n\t198.51.100.0/24 # them\n2001:db8::/32#us\n::ffff:203.0.113.0/120\n10.0.0.7';
    const { set, faults } = read(text);
    expect(faults).toEqual([]);
    expect(set.networks).toBe(5);
    const inside = ['192.0.2.1', '198.51.100.255', '2001:db8::1', '203.0.113.9', '10.0.0.7'];
    for (const address of inside) expect({ address, has: has(set, address) }).toEqual({ address, has: true });
    for (const address of ['192.0.2.2', '10.0.0.8', '2001:db9::']) expect(has(set, address)).toBe(false);
  });

  it.each(['', '\n', '\r\n\r\n', '# nothing', '\xef\xbb\xbf', ' \t '])('may be empty: %j', (text) => {
    const { set, faults } = read(text);
    expect([set.size, faults]).toEqual([0, []]);
  });

  // prettier-ignore
  it.each([
    ['10.0.0.1/8', 'got "10.0.0.1/8", want a network whose host bits are zero (did you mean "10.0.0.0/8"?)'],
    ['2001:db8::1/32', 'got "2001:db8::1/32", want a network whose host bits are zero (did you mean "2001:db8::/32"?)'],
    ['10.0.0.0/33', 'got "10.0.0.0/33", want a prefix length of 0 to 32'],
    ['10.0.0.0/', 'got "10.0.0.0/", want a prefix length of 0 to 32'],
    ['10.0.0', 'got "10.0.0", want an address or network such as "192.0.2.1" or "2001:db8::/32"'],
    ['010.0.0.1', 'got "010.0.0.1", want an address or network such as "192.0.2.1" or "2001:db8::/32"'],
    ['!10.0.0.1', 'got "!10.0.0.1", want an address or network such as "192.0.2.1" or "2001:db8::/32"'],
    ['mx.example.net', 'got "mx.example.net", want an address or network such as "192.0.2.1" or "2001:db8::/32"'],
    ['10.0.0.\x00', 'got "10.0.0.\\u0000", want an address or network such as "192.0.2.1" or "2001:db8::/32"'],
  ])('tells what is wrong with %j as for an inline list', (line, says) => {
    const { set, faults } = read(`192.0.2.1\n  ${line}\n192.0.2.3\n`);
    expect(faults).toEqual([`2:3: ${says}`]);
    expect(set.networks).toBe(2);
  });

  it('cuts a line of a million characters short when it is shown', () => {
    const [fault] = read('1'.repeat(1_000_000)).faults;
    expect(fault!.length).toBeLessThan(200);
  });

  it('takes the action of a postscreen_access.cidr that says what the list says', () => {
    expect(read('192.0.2.0/24 permit\n198.51.100.1\tPERMIT # us\n', 'allow').faults).toEqual([]);
    expect(read('192.0.2.0/24 reject\n', 'deny').faults).toEqual([]);
  });

  // prettier-ignore
  it.each([
    ['allow', 'reject', 'got "reject", want "permit", a # comment or nothing behind the network (such a line belongs into a file of lists.deny_files)'],
    ['deny', 'permit', 'got "permit", want "reject", a # comment or nothing behind the network (such a line belongs into a file of lists.allow_files)'],
    ['deny', 'dunno', 'got "dunno", want "reject", a # comment or nothing behind the network (leave such a line out)'],
    ['slow', 'reject', 'got "reject", want nothing behind the network but a # comment (such a line belongs into a file of lists.deny_files)'],
    ['slow', '10.0.0.2', 'got "10.0.0.2", want nothing behind the network but a # comment'],
  ] as const)('of lists.%s_files refuses %s behind a network, and says where it belongs', (list, word, says) => {
    expect(read(`10.0.0.1 ${word}\n`, list).faults).toEqual([`1:10: ${says}`]);
  });

  it('takes exactly what an inline list takes', () => {
    const almost = fc.stringMatching(/^[0-9a-f:.]{1,24}(\/[0-9]{1,3})?$/);
    const quad = fc.stringMatching(/^[0-9]{1,4}(\.[0-9]{1,3}){3}(\/[0-9]{0,3})?$/);
    const right = fc
      .tuple(
        fc.oneof(fc.ipV4(), fc.ipV6()),
        fc.constantFrom('', '/0', '/8', '/31', '/32', '/33', '/64', '/128'),
      )
      .map(([address, bits]) => address + bits);
    const zeros = fc
      .tuple(fc.nat(255), fc.nat(32), fc.constantFrom('0.0.0', '128.0.0', '0.0.128'))
      .map(([first, bits, rest]) => `${first}.${rest}/${bits}`);
    fc.assert(
      fc.property(fc.oneof(almost, quad, right, zeros), (text) => {
        const { set, faults } = read(`${text}\n`);
        const isGood = networkFault(text) === undefined;
        expect({ text, taken: set.networks === 1, faults: faults.length }).toEqual({
          text,
          taken: isGood,
          faults: isGood ? 0 : 1,
        });
        if (isGood) {
          const inline = NetworkSet.compile([text]);
          for (const probe of ['0.0.0.0', '::', '128.0.0.0', '255.255.255.255', text.split('/')[0]!])
            expect(has(set, probe)).toBe(has(inline, probe));
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it('never fails on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const builder = new NetworkBuilder();
        let faults = 0;
        readListText(bytes, 'deny', builder, (line, column, says) => {
          expect(line >= 1 && column >= 1 && says() !== '').toBe(true);
          faults += 1;
        });
        const lines = bytes.filter((byte) => byte === 0x0a).length + 1;
        expect(builder.count).toBeLessThanOrEqual(lines);
        expect(faults).toBeLessThanOrEqual(2 * lines);
      }),
      { numRuns: 500 },
    );
  });
});
