/**
 * proxy-header — who a client is, in the words of a proxy in front of us (PROXY protocol, versions 1 and 2)
 *
 * A header stands in front of everything else on its connection: one line of text (1) or a block of bytes (2). The reader is given
 * all bytes that have come and says whether the header is whole, is still coming, or is none. It never guesses: the
 * version is told by the first byte, every byte is judged as soon as it is there, and what was no header once is none with
 * more bytes behind it. Whose headers are believed is not its business (stages/arrive).
 *
 * Taken: version 1 with TCP4, TCP6 and UNKNOWN, exactly as the document has it: single blanks, no leading zeros, at most 107
 * bytes. Version 2 with TCP over IPv4 and IPv6, LOCAL, and the family "unspecified"; what stands behind the addresses (TLV)
 * is passed over but for its checksum, CRC32C, which has to be right where there is one. IPv4 inside IPv6 is IPv4. Not taken:
 * UDP, Unix sockets, and a source that no client can have (unspecified, multicast, broadcast).
 *
 * A block of version 2 may be 536 bytes long: 16 of head, 216 for the longest pair of addresses, 304 for the rest, which is what
 * the smallest segment of TCP holds. The document allows 65,551, with which a connection could make us keep as much.
 *
 * Cost: once a connection, four short strings.
 */
import { formatAddress, isIpv4, parseAddress } from '../base/address.ts';
import { bytesOf, latin1 } from '../base/ascii.ts';

/** What was found at the start of a connection. */
export const HeaderFound = {
  /** It may become a header. */
  Nothing: 0,
  /** It is none, whatever comes. */
  Garbage: 1,
  /** A client, with its address. */
  Client: 2,
  /** The proxy speaks for itself, or cannot say for whom (LOCAL, UNKNOWN). */
  Itself: 3,
} as const;
export type HeaderFound = (typeof HeaderFound)[keyof typeof HeaderFound];

/** Bytes of the longest line of version 1, with its CR LF. */
export const LINE_BYTES_MAX = 107;
/** Bytes of the longest block of version 2. */
export const BLOCK_BYTES_MAX = 536;

const CR = 0x0d;
const LF = 0x0a;
const LINE_START = bytesOf('PROXY ');
/** The twelve bytes that version 2 begins with. */
export const SIGNATURE = bytesOf('\r\n\r\n\0\r\nQUIT\n');
const HEAD_BYTES = 16;

/** Version and command, the thirteenth byte. */
export const Command = { Local: 0x20, Proxy: 0x21 } as const;
/** Family and protocol, the fourteenth byte. */
export const Family = { Unspecified: 0x00, Tcp4: 0x11, Tcp6: 0x21 } as const;

/** Bytes of the two addresses and ports of a family; -1 for a family that is not taken. */
function endsBytesOf(family: number): number {
  if (family === Family.Tcp4) return 12;
  if (family === Family.Tcp6) return 36;
  return family === Family.Unspecified ? 0 : -1;
}

const TLV_HEAD_BYTES = 3;
const TLV_CRC32C = 0x03;
const CRC32C_BYTES = 4;
const MAPPED = 0xffff;

export class ProxyHeaderReader {
  /** Bytes of the header, when one was found. */
  used = 0;
  /** Of a client: its address and port, and those that it connected to. */
  address = '';
  port = 0;
  destinationAddress = '';
  destinationPort = 0;
  readonly #words = new Uint32Array(4);

  /** Looks at all bytes that have come on a connection. */
  find(bytes: Uint8Array): HeaderFound {
    if (bytes.length === 0) return HeaderFound.Nothing;
    return bytes[0] === SIGNATURE[0] ? this.#findBlock(bytes) : this.#findLine(bytes);
  }

  #findLine(bytes: Uint8Array): HeaderFound {
    const length = Math.min(bytes.length, LINE_BYTES_MAX);
    for (let at = 0; at < length; at++) {
      const byte = bytes[at]!;
      if (at < LINE_START.length) {
        if (byte !== LINE_START[at]) return HeaderFound.Garbage;
        continue;
      }
      if (byte === LF) return HeaderFound.Garbage;
      if (byte !== CR) continue;
      this.used = at + 2;
      if (this.used > LINE_BYTES_MAX) return HeaderFound.Garbage;
      if (this.used > bytes.length) return HeaderFound.Nothing;
      return bytes[at + 1] === LF
        ? this.#readLine(latin1(bytes, LINE_START.length, at))
        : HeaderFound.Garbage;
    }
    return length < LINE_BYTES_MAX ? HeaderFound.Nothing : HeaderFound.Garbage;
  }

  #readLine(text: string): HeaderFound {
    // What stands behind UNKNOWN says nothing.
    if (text === 'UNKNOWN' || text.startsWith('UNKNOWN ')) return HeaderFound.Itself;
    const [family = '', source = '', destination = '', sourcePort = '', destinationPort = '', ...more] =
      text.split(' ');
    if ((family !== 'TCP4' && family !== 'TCP6') || more.length > 0) return HeaderFound.Garbage;
    const isIpv6 = family === 'TCP6';
    if (source.includes(':') !== isIpv6 || destination.includes(':') !== isIpv6) return HeaderFound.Garbage;
    this.port = portOf(sourcePort);
    this.destinationPort = portOf(destinationPort);
    if (this.port < 0 || this.destinationPort < 0) return HeaderFound.Garbage;
    if (!parseAddress(destination, this.#words, 0)) return HeaderFound.Garbage;
    this.destinationAddress = formatAddress(this.#words, 0);
    if (!parseAddress(source, this.#words, 0)) return HeaderFound.Garbage;
    return this.#client();
  }

  #findBlock(bytes: Uint8Array): HeaderFound {
    const length = Math.min(bytes.length, SIGNATURE.length);
    for (let at = 0; at < length; at++) if (bytes[at] !== SIGNATURE[at]) return HeaderFound.Garbage;
    const command = bytes[12] ?? Command.Proxy;
    if (command !== Command.Local && command !== Command.Proxy) return HeaderFound.Garbage;
    const family = bytes[13] ?? Family.Tcp4;
    const endsBytes = command === Command.Local ? 0 : endsBytesOf(family);
    if (endsBytes < 0) return HeaderFound.Garbage;
    // A length of which only the first byte is there can tell already that it is too much.
    if ((bytes[14] ?? 0) * 256 + HEAD_BYTES > BLOCK_BYTES_MAX) return HeaderFound.Garbage;
    if (bytes.length < HEAD_BYTES) return HeaderFound.Nothing;
    const used = HEAD_BYTES + bytes[14]! * 256 + bytes[15]!;
    if (used > BLOCK_BYTES_MAX || used < HEAD_BYTES + endsBytes) return HeaderFound.Garbage;
    if (bytes.length < used) return HeaderFound.Nothing;
    this.used = used;
    if (endsBytes === 0) return HeaderFound.Itself;
    if (!isRestGood(bytes, HEAD_BYTES + endsBytes, used)) return HeaderFound.Garbage;
    return this.#readEnds(bytes, (endsBytes - 4) / 2);
  }

  #readEnds(bytes: Uint8Array, addressBytes: number): HeaderFound {
    const portsAt = HEAD_BYTES + 2 * addressBytes;
    this.port = bytes[portsAt]! * 256 + bytes[portsAt + 1]!;
    this.destinationPort = bytes[portsAt + 2]! * 256 + bytes[portsAt + 3]!;
    this.#readAddress(bytes, HEAD_BYTES + addressBytes, addressBytes);
    this.destinationAddress = formatAddress(this.#words, 0);
    this.#readAddress(bytes, HEAD_BYTES, addressBytes);
    return this.#client();
  }

  #readAddress(bytes: Uint8Array, from: number, addressBytes: number): void {
    const words = this.#words;
    words[0] = 0;
    words[1] = 0;
    words[2] = MAPPED;
    const first = 4 - addressBytes / 4;
    for (let word = first; word < 4; word++) {
      const at = from + (word - first) * 4;
      words[word] = bytes[at]! * 0x1000000 + (bytes[at + 1]! << 16) + (bytes[at + 2]! << 8) + bytes[at + 3]!;
    }
  }

  /** The client whose address is in the words. */
  #client(): HeaderFound {
    if (!isClients(this.#words)) return HeaderFound.Garbage;
    this.address = formatAddress(this.#words, 0);
    return HeaderFound.Client;
  }
}

/** A port as text without leading zeros; -1 for anything else. */
function portOf(text: string): number {
  if (text.length === 0 || text.length > 5 || (text.length > 1 && text.startsWith('0'))) return -1;
  let port = 0;
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    port = port * 10 + digit;
  }
  return port > 0xffff ? -1 : port;
}

/** Whether a client can have this address. */
function isClients(words: Uint32Array): boolean {
  if (isIpv4(words, 0)) {
    const first = words[3]! >>> 24;
    return first !== 0 && (first < 224 || first >= 240) && words[3] !== 0xffffffff;
  }
  const isUnspecified = (words[0]! | words[1]! | words[2]! | words[3]!) === 0;
  return !isUnspecified && words[0]! >>> 24 !== 0xff;
}

/** Whether what stands behind the addresses is whole, and its checksum right, if there is one. */
function isRestGood(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to;) {
    if (at + TLV_HEAD_BYTES > to) return false;
    const valueAt = at + TLV_HEAD_BYTES;
    const next = valueAt + bytes[at + 1]! * 256 + bytes[at + 2]!;
    if (next > to) return false;
    if (bytes[at] === TLV_CRC32C) {
      if (next - valueAt !== CRC32C_BYTES) return false;
      const said =
        bytes[valueAt]! * 0x1000000 +
        (bytes[valueAt + 1]! << 16) +
        (bytes[valueAt + 2]! << 8) +
        bytes[valueAt + 3]!;
      if (crc32cOf(bytes, to, valueAt) !== said) return false;
    }
    at = next;
  }
  return true;
}

const crcOfByte = new Uint32Array(256).map((_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0x82f63b78;
  return crc;
});

/** CRC32C (RFC 9260, appendix A) of bytes[0, to), those of the checksum itself at `zeroAt` counted as 0. */
export function crc32cOf(bytes: Uint8Array, to: number, zeroAt: number): number {
  let crc = 0xffffffff;
  for (let at = 0; at < to; at++) {
    const byte = at >= zeroAt && at < zeroAt + CRC32C_BYTES ? 0 : bytes[at]!;
    crc = (crc >>> 8) ^ crcOfByte[(crc ^ byte) & 0xff]!;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
