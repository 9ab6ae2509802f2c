/**
 * proxy-writer — a client's address for a backend that takes it from a PROXY header
 *
 * The other side of proxy-header: one header, at the very start of a connection that serves this client alone. Ends of two
 * families, which a proxy in front of us may report, are both written as IPv6. An address that cannot be read becomes the
 * unspecified one, which nobody trusts.
 *
 * Without a client it is a connection of our own: LOCAL. Version 1 has UNKNOWN for that, which Postfix 3.7 does not take; there
 * it is one for nobody (RFC 5737).
 */
import { formatAddress, isIpv4, parseAddress } from '../base/address.ts';
import { bytesOf } from '../base/ascii.ts';
import type { ClientIdentity } from '../smtp/xclient.ts';
import { nobody } from '../smtp/xclient.ts';
import { Command, Family, SIGNATURE } from './proxy-header.ts';

/** The two ends of a client's connection. */
export type ProxyEnds = Pick<ClientIdentity, 'address' | 'port' | 'destinationAddress' | 'destinationPort'>;

/** The header for a client, or (null) for a connection of our own. */
export function proxyHeader(version: 1 | 2, ends: ProxyEnds | null): Uint8Array {
  const words = new Uint32Array(8);
  const { address, destinationAddress } = ends ?? nobody;
  parseAddress(address, words, 0);
  parseAddress(destinationAddress, words, 4);
  const isV4 = isIpv4(words, 0) && isIpv4(words, 4);
  return version === 1 ? line(words, isV4, ends ?? nobody) : block(words, isV4, ends);
}

function line(words: Uint32Array, isV4: boolean, ends: ProxyEnds): Uint8Array {
  const textOf = (at: number): string =>
    isV4 || !isIpv4(words, at) ? formatAddress(words, at) : `::ffff:${formatAddress(words, at)}`;
  const family = isV4 ? 'TCP4' : 'TCP6';
  return bytesOf(`PROXY ${family} ${textOf(0)} ${textOf(4)} ${ends.port} ${ends.destinationPort}\r\n`);
}

function block(words: Uint32Array, isV4: boolean, ends: ProxyEnds | null): Uint8Array {
  const wordsEach = isV4 ? 1 : 4;
  const rest = ends === null ? 0 : wordsEach * 8 + 4;
  const bytes = new Uint8Array(16 + rest);
  bytes.set(SIGNATURE);
  bytes[12] = ends === null ? Command.Local : Command.Proxy;
  if (ends === null) return bytes;
  bytes[13] = isV4 ? Family.Tcp4 : Family.Tcp6;
  const view = new DataView(bytes.buffer);
  view.setUint16(14, rest);
  let at = 16;
  for (const from of [0, 4])
    for (let word = 4 - wordsEach; word < 4; word++, at += 4) view.setUint32(at, words[from + word]!);
  view.setUint16(at, ends.port);
  view.setUint16(at + 2, ends.destinationPort);
  return bytes;
}
