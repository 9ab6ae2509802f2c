/**
 * enhanced — the enhanced code of a backend's reply, where it has none
 *
 * Sluice offers ENHANCEDSTATUSCODES whatever its backend offers, and RFC 2034 §4 then wants a code on every line of every
 * answer of class 2, 4 and 5. A backend that knows none, or that forgets it in one reply, would break that promise: its reply
 * gets the code that says no more than the class (2.0.0, 4.0.0, 5.0.0; RFC 3463 §2). Its own three digits and its words are kept.
 * Not offering the extension to clients of such a backend was the other way; it would take the codes of Sluice's own replies
 * from them too.
 *
 * A reply that has its codes goes on as it is: one look at each line, no copy.
 */
const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const DOT = 0x2e;
const ZERO = 0x30;

/** Where the text of a line begins, behind three digits and a blank or a hyphen. */
const TEXT_AT = 4;
const DIGITS_MAX = 3;

/** The reply with an enhanced code of its class on each line. */
export function withEnhancedCode(reply: Uint8Array): Uint8Array {
  let lacking = 0;
  for (let at = 0; at < reply.length; at = lineEnd(reply, at)) if (codeEnd(reply, at) < 0) lacking++;
  if (lacking === 0) return reply;
  const firstEnd = codeEnd(reply, 0);
  const code = firstEnd < 0 ? generalCode(reply[0]!) : reply.slice(TEXT_AT, firstEnd);
  const out = new Uint8Array(reply.length + lacking * (code.length + 1));
  let length = 0;
  for (let at = 0, end = 0; at < reply.length; at = end) {
    end = lineEnd(reply, at);
    let from = at;
    if (codeEnd(reply, at) < 0) {
      // A line of three digits alone has no blank to put the code behind.
      const isBare = reply[at + TEXT_AT - 1] === CR;
      from = at + TEXT_AT - (isBare ? 1 : 0);
      out.set(reply.subarray(at, from), length);
      length += from - at;
      if (isBare) out[length++] = SP;
      out.set(code, length);
      length += code.length;
      if (!isBare) out[length++] = SP;
    }
    out.set(reply.subarray(from, end), length);
    length += end - from;
  }
  return out;
}

const generalCode = (digit: number): Uint8Array => Uint8Array.of(digit, DOT, ZERO, DOT, ZERO);

/** Behind the line that begins at `at`. */
function lineEnd(reply: Uint8Array, at: number): number {
  const lf = reply.indexOf(LF, at);
  return lf < 0 ? reply.length : lf + 1;
}

/** Behind the enhanced code of the line that begins at `at`; -1 when it has none of the class of the reply. */
function codeEnd(reply: Uint8Array, at: number): number {
  let now = at + TEXT_AT;
  if (reply[now] !== reply[at] || reply[now + 1] !== DOT) return -1;
  now = digitsEnd(reply, now + 2);
  if (now < 0 || reply[now] !== DOT) return -1;
  now = digitsEnd(reply, now + 1);
  return now >= 0 && (reply[now] === SP || reply[now] === CR) ? now : -1;
}

/** Behind one to three digits; -1 when there is none, or more. */
function digitsEnd(reply: Uint8Array, start: number): number {
  let at = start;
  while (reply[at]! >= ZERO && reply[at]! <= ZERO + 9) at++;
  return at > start && at - start <= DIGITS_MAX ? at : -1;
}
