/**
 * reply-reader — takes whole replies out of what the backend has sent
 *
 * A reply is one or more lines `ddd-text` closed by `ddd text` (RFC 5321 §4.2). It is taken only when whole, and
 * only when it is one: the same three digits on every line, first digit 2 to 5, no line over 1,000 bytes, none
 * without CR LF, no reply over 16 kB. Anything else is garbage, and a backend that sends garbage is left.
 * Control bytes in the text are shown as "?", since the text goes on to a client and into logs.
 */
const LF = 0x0a;
const CR = 0x0d;
const LINE_BYTES_MAX = 1000;
const REPLY_BYTES_MAX = 16_384;

export const Found = { Nothing: 0, Reply: 1, Garbage: 2 } as const;
export type Found = (typeof Found)[keyof typeof Found];

export class ReplyReader {
  /** The reply found, as a copy with CR LF line ends. */
  reply: Uint8Array = new Uint8Array(0);
  /** Its three digits as a number. */
  code = 0;
  /** Bytes of the input it took. */
  used = 0;

  /** Looks for a whole reply at the start of `bytes`. */
  find(bytes: Uint8Array): Found {
    let at = 0;
    let code = 0;
    for (;;) {
      const lf = bytes.indexOf(LF, at);
      if (lf < 0)
        return bytes.length - at > LINE_BYTES_MAX || bytes.length > REPLY_BYTES_MAX
          ? Found.Garbage
          : Found.Nothing;
      if (lf - at > LINE_BYTES_MAX || lf > REPLY_BYTES_MAX || lf - at < 4 || bytes[lf - 1] !== CR)
        return Found.Garbage;
      const lineCode = codeAt(bytes, at);
      if (lineCode < 0 || (code !== 0 && lineCode !== code)) return Found.Garbage;
      code = lineCode;
      const mark = bytes[at + 3];
      if (mark !== 0x2d && mark !== 0x20 && !(mark === CR && lf === at + 4)) return Found.Garbage;
      at = lf + 1;
      if (mark !== 0x2d) break;
    }
    this.code = code;
    this.used = at;
    this.reply = bytes.slice(0, at);
    for (let byte = 0; byte < at; byte++) {
      const value = this.reply[byte]!;
      const isLineEnd = value === LF || (value === CR && this.reply[byte + 1] === LF);
      if (!isLineEnd && (value < 0x20 || value === 0x7f)) this.reply[byte] = 0x3f;
    }
    return Found.Reply;
  }
}

function codeAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at]! - 0x30;
  const second = bytes[at + 1]! - 0x30;
  const third = bytes[at + 2]! - 0x30;
  if (first < 2 || first > 5 || second < 0 || second > 9 || third < 0 || third > 9) return -1;
  return first * 100 + second * 10 + third;
}
