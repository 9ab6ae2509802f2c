/**
 * ascii — small questions about ranges of bytes
 *
 * The wire is bytes, and stays bytes: words are compared where they lie, numbers are read where they lie. A
 * range is `[start, end)` of an array; a range outside its array reads as no match.
 *
 * Text is made only for a log line or an argument that must be kept, one character a byte (ISO 8859-1), so
 * that any 256 bytes survive the way there and back. TextDecoder's 'latin1' is windows-1252 by another name
 * and turns 0x80 … 0x9f into other characters, so it is not used.
 */

const CHUNK_BYTES = 4096;
const DECIMAL_MAX = 2 ** 31;

/** The byte in upper case when it is a letter a–z, else the byte itself. */
export function upper(byte: number): number {
  return byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte;
}

/** Whether a range spells a word, letter case aside. The word is given in upper case. */
export function equalsIgnoreCase(bytes: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  if (end - start !== word.length || start < 0 || end > bytes.length) return false;
  for (let i = 0; i < word.length; i += 1) {
    if (upper(bytes[start + i]!) !== word[i]) return false;
  }
  return true;
}

/**
 * The decimal number that a range spells: digits only, at least one, at most 2^31; -1 for anything else.
 * Leading zeros are read as zeros.
 */
export function parseDecimal(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end || start < 0 || end > bytes.length) return -1;
  let value = 0;
  for (let i = start; i < end; i += 1) {
    const digit = bytes[i]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
    if (value > DECIMAL_MAX) return -1;
  }
  return value;
}

/** A range as text, one character a byte. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  const from = Math.max(0, start);
  const to = Math.min(bytes.length, end);
  let text = '';
  for (let at = from; at < to; at += CHUNK_BYTES) {
    const chunk = bytes.subarray(at, Math.min(to, at + CHUNK_BYTES));
    // A typed array is array-like enough for apply; the chunk bounds the arguments on the stack.
    text += String.fromCharCode.apply(null, chunk as unknown as number[]);
  }
  return text;
}

/** Text as bytes, one byte a character: the low eight bits of each. The inverse of `latin1`. */
export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
  return bytes;
}
