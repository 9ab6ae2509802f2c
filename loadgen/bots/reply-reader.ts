/**
 * reply-reader — an SMTP reader of its own that checks every byte a server sends to a bot
 *
 * It keeps one integer per client and no text: the digits of the code so far, the column, whether the line
 * is the last of its reply. A line is legal when it is three digits (2xx … 5xx), then "-" or a space or
 * nothing, at most 512 bytes with its CR LF, no bare CR or LF, and when all lines of one reply bear the
 * same code (RFC 5321 sections 4.2, 4.2.1 and 4.5.3.1.5). Anything else is a line of code 0: bots hang up
 * at it.
 *
 * Usage: state = READER_START; for each byte: state = readByte(state, byte); if (endsLine(state)) …
 */

/** The state before the first byte. */
export const READER_START = 0;

// bits 0–9 column · 10–19 code · 20 last line · 21 illegal · 22 CR seen · 23 line ended · 24 continues a reply
const COLUMN_MASK = 0x3ff;
const CODE_SHIFT = 10;
const LAST = 1 << 20;
const ILLEGAL = 1 << 21;
const SAW_CR = 1 << 22;
const ENDED = 1 << 23;
/** The line continues a reply: its digits must equal the code kept in the state. */
const CONTINUES = 1 << 24;

const LINE_BYTES_MAX = 512;
const CR = 13;
const LF = 10;
const SPACE = 32;
const HYPHEN = 45;
const ZERO = 48;

/** The state after one more byte. */
export function readByte(state: number, byte: number): number {
  const before = (state & ENDED) === 0 ? state : afterLine(state);
  if (byte === LF) return endLine(before);
  if ((before & SAW_CR) !== 0) return grow(before | ILLEGAL) & ~SAW_CR;
  if (byte === CR) return grow(before | SAW_CR);
  const column = before & COLUMN_MASK;
  if (column < 3) return grow(readDigit(before, column, byte - ZERO));
  if (column > 3) return grow(before);
  if (byte === SPACE) return grow(before | LAST);
  return grow(byte === HYPHEN ? before : before | ILLEGAL);
}

/** Whether the byte just read ended a line. */
export function endsLine(state: number): boolean {
  return (state & ENDED) !== 0;
}

/** The code of the line that just ended, 0 when it was no SMTP reply. */
export function lineCode(state: number): number {
  return (state & ILLEGAL) !== 0 ? 0 : (state >> CODE_SHIFT) & COLUMN_MASK;
}

/** Whether the line that just ended was the last of its reply; an illegal line always is. */
export function isLastLine(state: number): boolean {
  return (state & (LAST | ILLEGAL)) !== 0;
}

function afterLine(state: number): number {
  if (isLastLine(state)) return READER_START;
  return (state & (COLUMN_MASK << CODE_SHIFT)) | CONTINUES;
}

function grow(state: number): number {
  return (state & COLUMN_MASK) < COLUMN_MASK ? state + 1 : state;
}

function readDigit(state: number, column: number, digit: number): number {
  if (!(digit >= 0 && digit <= 9) || (column === 0 && (digit < 2 || digit > 5))) return state | ILLEGAL;
  const code = (state >> CODE_SHIFT) & COLUMN_MASK;
  if ((state & CONTINUES) !== 0) {
    const due = column === 0 ? Math.floor(code / 100) : column === 1 ? Math.floor(code / 10) % 10 : code % 10;
    return digit === due ? state : state | ILLEGAL;
  }
  return (state & ~(COLUMN_MASK << CODE_SHIFT)) | ((code * 10 + digit) << CODE_SHIFT);
}

function endLine(state: number): number {
  const column = state & COLUMN_MASK;
  const isLegal = (state & SAW_CR) !== 0 && column >= 4 && column + 1 <= LINE_BYTES_MAX;
  const ended = (state | ENDED) & ~SAW_CR;
  // "250" alone, CR in the fourth column, is a last line too.
  return isLegal ? (column === 4 ? ended | LAST : ended) : ended | ILLEGAL;
}
