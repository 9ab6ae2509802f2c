/**
 * message — the mail that bots send: text that follows from its id and size alone
 *
 * An audit needs no copy of what was sent: the ledger's id and size give every byte again. The first line
 * is the load id's header, so that a front end's trace headers can be told from the message. The text holds
 * lines that begin with dots, so that dot-stuffing is exercised by every message.
 */
import { Prng } from '../../src/base/prng.ts';
import type { Random } from '../../src/base/prng.ts';

const encoder = new TextEncoder();
const DOT = 46;
const LF = 10;
const LINE_BYTES_MAX = 74;
const FINAL_DOT = encoder.encode('.\r\n');
const WORDS = [
  'lorem',
  'gate',
  'water',
  'sluice',
  'mill',
  'river',
  'stone',
  'wheel',
  'meadow',
  'bridge',
  'otter',
  'reed',
];

/** Bytes of an ASCII text. */
export function ascii(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The id of a client's message: run, client, number. Letters, digits and dots only. */
export function messageIdOf(run: string, serial: number, messageNo: number): string {
  return `${run}.${serial}.${messageNo}`;
}

/**
 * The text of message `id`, lines ended by CR LF, dots not stuffed: at least its header lines, else exactly
 * `bytes` long (one more when only a single byte is left after the header). Equal arguments give equal bytes.
 */
export function messageText(id: string, bytes: number): Uint8Array {
  const header =
    `X-Load-Id: ${id}\r\nFrom: <sender@load.example>\r\nTo: <receiver@load.example>\r\nSubject: load ${id}\r\n` +
    `Message-ID: <${id}@load.example>\r\nDate: Thu, 01 Jan 2009 00:00:00 +0000\r\n\r\n`;
  const random = new Prng(seedOf(id));
  let text = header;
  while (text.length < bytes) text += `${line(random, lineBytes(bytes - text.length))}\r\n`;
  return encoder.encode(text);
}

/** How long the next line may be so that the rest can still be filled with whole lines of at least CR LF. */
function lineBytes(room: number): number {
  if (room <= LINE_BYTES_MAX + 2) return Math.max(0, room - 2);
  return room - LINE_BYTES_MAX - 2 === 1 ? LINE_BYTES_MAX - 1 : LINE_BYTES_MAX;
}

/** The message as it goes over the wire: dots stuffed (RFC 5321 section 4.5.2), the final dot added. */
export function stuffed(text: Uint8Array): Uint8Array {
  let extra = 0;
  for (let at = 0; at < text.length; at += 1) if (isStuffable(text, at)) extra += 1;
  const wire = new Uint8Array(text.length + extra + FINAL_DOT.length);
  let to = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (isStuffable(text, at)) wire[to++] = DOT;
    wire[to++] = text[at] as number;
  }
  wire.set(FINAL_DOT, to);
  return wire;
}

function isStuffable(text: Uint8Array, at: number): boolean {
  return text[at] === DOT && (at === 0 || text[at - 1] === LF);
}

function line(random: Random, bytes: number): string {
  let text = random.below(8) === 0 ? '.' : '';
  while (text.length < bytes) text += `${WORDS[random.below(WORDS.length)] as string} `;
  return text.slice(0, bytes);
}

function seedOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at += 1) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
