/**
 * addresses — endpoints and networks as an operator writes them
 *
 * An endpoint is "192.0.2.1:25" or "[2001:db8::1]:25"; where a name is allowed, "mail.example.net:25" too. A
 * network is an address or a CIDR range whose host bits are zero. What counts as an address is what the engine's
 * own parser takes (not "127.1", not "010.0.0.1", no zone), so that no list is good here and unreadable there;
 * ipaddr.js does the arithmetic behind it.
 *
 * In: text of a file.   Out: parts, or undefined, or a sentence.   Cost: at load only.
 */
import ipaddr from 'ipaddr.js';
import { clearHostBits, formatAddress, isIpv4, parseAddress, parseNetwork } from '../base/address.ts';

const words = new Uint32Array(4);

/** Where to listen or to connect. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** True for an IPv4 address in four decimal parts or an IPv6 address without a zone. */
export function isAddress(text: string): boolean {
  return parseAddress(text, words, 0) && ipaddr.isValid(text);
}

/** True for a fully written host name: labels of letters, digits and inner hyphens, 253 characters at most. */
export function isHostName(text: string): boolean {
  if (text.length === 0 || text.length > 253) return false;
  return text.split('.').every((label) => /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)$/.test(label));
}

/** The parts of "host:port" ("[host]:port" for IPv6), or undefined when it is not an endpoint. */
export function splitEndpoint(text: string): Endpoint | undefined {
  const colon = text.lastIndexOf(':');
  if (colon < 0 || !/^[0-9]{1,5}$/.test(text.slice(colon + 1))) return undefined;
  const port = Number(text.slice(colon + 1));
  if (port > 65_535) return undefined;
  const left = text.slice(0, colon);
  if (left.startsWith('[') && left.endsWith(']')) {
    const host = left.slice(1, -1);
    return host.includes(':') && isAddress(host) ? { host, port } : undefined;
  }
  if (/^[0-9.]+$/.test(left)) return isAddress(left) ? { host: left, port } : undefined;
  return isHostName(left) ? { host: left, port } : undefined;
}

/** The parts of an endpoint that was checked at load; throws RangeError for one that was not. */
export function endpointOf(text: string): Endpoint {
  const endpoint = splitEndpoint(text);
  if (endpoint === undefined) throw new RangeError(`${text} is not an address and port`);
  return endpoint;
}

/** True when both endpoints can be the same socket of this host, whose own addresses `own` finds. */
export function meets(listener: Endpoint, target: Endpoint, own: () => readonly string[]): boolean {
  if (listener.port !== target.port) return false;
  const here = canonical(listener.host);
  const there = canonical(target.host);
  if (here === there) return true;
  const local =
    there === '0.0.0.0' ||
    there === '::' ||
    isLoopback(there) ||
    own().some((one) => canonical(one) === there);
  if (here === '::') return local;
  return here === '0.0.0.0' && local && (!there.includes(':') || there === '::');
}

function canonical(host: string): string {
  if (host.toLowerCase() === 'localhost') return '127.0.0.1';
  return isAddress(host) ? ipaddr.process(host).toString() : host.toLowerCase();
}

function isLoopback(host: string): boolean {
  return isAddress(host) && ipaddr.process(host).range() === 'loopback';
}

/** What keeps `text` from being an address or a CIDR range, or undefined when nothing does. */
export function networkFault(text: string): { readonly want: string; readonly meant?: string } | undefined {
  const want = 'an address or network such as "192.0.2.1" or "2001:db8::/32"';
  const slash = text.indexOf('/');
  const host = slash < 0 ? text : text.slice(0, slash);
  if (!isAddress(host)) return { want };
  if (slash < 0) return undefined;
  const bitsMax = host.includes(':') ? 128 : 32;
  const prefixBits = parseNetwork(text, words, 0);
  if (prefixBits < 0) return { want: `a prefix length of 0 to ${bitsMax}` };
  if (!clearHostBits(words, 0, prefixBits)) return undefined;
  const mapped = host.includes(':') && isIpv4(words, 0) ? '::ffff:' : '';
  return {
    want: 'a network whose host bits are zero',
    meant: `${mapped}${formatAddress(words, 0)}${text.slice(slash)}`,
  };
}
