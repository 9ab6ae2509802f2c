/**
 * sink-xclient — what EHLO offers, and the attributes of an XCLIENT command, applied the way Postfix applies them
 *
 * Three habits of the real server matter to whoever stands in front of it, so they are kept here: what is
 * omitted keeps the value of the client before (except HELO, PROTO and LOGIN, which go back to nothing);
 * a bad attribute in the middle leaves the ones before it in force; values are xtext.
 *
 * Sources: Postfix XCLIENT_README, and the behaviour of Postfix 3.7.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { SinkOptions } from './sink-options.ts';

/** Names that EHLO lists, in the order in which Postfix lists them. */
export const xclientNames = [
  'NAME',
  'ADDR',
  'PORT',
  'PROTO',
  'HELO',
  'LOGIN',
  'DESTADDR',
  'DESTPORT',
  'REVERSE_NAME',
] as const;
export type XclientName = (typeof xclientNames)[number];

/** Whom the connection speaks for, as told by XCLIENT; empty strings where nothing was told. */
export type Impersonated = Record<XclientName, string>;

/** Nobody was named yet. */
export function nobody(): Impersonated {
  return {
    NAME: '',
    ADDR: '',
    PORT: '',
    PROTO: '',
    HELO: '',
    LOGIN: '',
    DESTADDR: '',
    DESTPORT: '',
    REVERSE_NAME: '',
  };
}

/** The answer to EHLO, its lines joined by CR LF. */
export function ehloReply({ hostname, messageBytesMax }: SinkOptions, mayXclient: boolean): string {
  const keywords = [
    hostname,
    'PIPELINING',
    `SIZE ${messageBytesMax}`,
    'ENHANCEDSTATUSCODES',
    '8BITMIME',
    'DSN',
    'SMTPUTF8',
    ...(mayXclient ? [`XCLIENT ${xclientNames.join(' ')}`] : []),
  ];
  const last = keywords.length - 1;
  return keywords.map((keyword, at) => `250${at === last ? ' ' : '-'}${keyword}`).join('\r\n');
}

const COMMAND_BYTES_MAX = 512;
const VALUE_BYTES_MAX = 255;
const HOSTNAME = /^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*$/;

/**
 * Applies the attributes after "XCLIENT" to `client`, in order.
 * Returns an empty string when all were good, else the 501 reply; attributes before the bad one stay applied.
 */
export function applyXclient(client: Impersonated, attributes: string): string {
  if (attributes.length + 8 > COMMAND_BYTES_MAX) return '501 5.5.4 Error: XCLIENT command too long';
  const words = attributes.split(' ').filter((word) => word !== '');
  if (words.length === 0) return '501 5.5.4 Syntax: XCLIENT attribute=value...';
  client.HELO = '';
  client.PROTO = '';
  client.LOGIN = '';
  for (const word of words) {
    const equals = word.indexOf('=');
    const name = word.slice(0, equals).toUpperCase();
    if (equals < 1 || !isXclientName(name)) return `501 5.5.4 Bad XCLIENT attribute name: ${name}`;
    const raw = word.slice(equals + 1);
    const value = decodeXtext(raw);
    if (value === null || raw.length > VALUE_BYTES_MAX)
      return `501 5.5.4 Bad XCLIENT attribute value: ${name}`;
    if (!isGood(name, value)) return `501 5.5.4 Bad ${name} syntax: ${value}`;
    client[name] = /^\[(UNAVAILABLE|TEMPUNAVAIL)\]$/i.test(value) ? value.toUpperCase() : value;
  }
  return '';
}

function isXclientName(name: string): name is XclientName {
  return (xclientNames as readonly string[]).includes(name);
}

function isGood(name: XclientName, value: string): boolean {
  const word = value.toUpperCase();
  if (word === '[UNAVAILABLE]') return true;
  switch (name) {
    case 'NAME':
    case 'REVERSE_NAME':
      return word === '[TEMPUNAVAIL]' || (HOSTNAME.test(value) && value.length <= VALUE_BYTES_MAX);
    case 'ADDR':
    case 'DESTADDR':
      return word.startsWith('IPV6:') ? isIPv6(value.slice(5)) : isIPv4(value);
    case 'PORT':
    case 'DESTPORT':
      return /^\d{1,5}$/.test(value) && Number(value) <= 65_535;
    case 'PROTO':
      return word === 'SMTP' || word === 'ESMTP';
    case 'HELO':
    case 'LOGIN':
      return value !== '';
  }
}

/**
 * Decodes xtext (RFC 3461 section 4): "+HH" is the octet HH. Null when a plus is not followed by two
 * digits.
 */
export function decodeXtext(text: string): string | null {
  if (/\+(?![0-9A-F]{2})/i.test(text)) return null;
  return text.replace(/\+([0-9A-F]{2})/gi, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}
