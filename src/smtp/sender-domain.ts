/**
 * sender-domain — the domain of MAIL FROM, as SPF knows it (RFC 7208 §2.4)
 *
 * Reads the argument of MAIL as the session keeps it (`FROM:<a@b> SIZE=7`), which was checked before (smtp/mailbox):
 * a route in front of the mailbox is passed over, and whatever stands in a quoted local part is no domain. A sender
 * that has no domain of its own (`<>`, `<postmaster>`), an address literal, a domain in anything but ASCII, and a name
 * with one label only have none here.
 */
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const AT = 0x40;
const GT = 0x3e;
const DOT = 0x2e;

const NAME_CHARACTERS_MAX = 253;
const LABEL_CHARACTERS_MAX = 63;

/** The domain in small letters; '' when there is none that SPF could speak of. */
export function senderDomain(argument: string): string {
  let at = argument.indexOf('<') + 1;
  if (at === 0) return '';
  if (argument.charCodeAt(at) === AT) at = argument.indexOf(':', at) + 1;
  if (at === 0) return '';
  at = behindLocalPart(argument, at);
  if (argument.charCodeAt(at) !== AT) return '';
  const from = at + 1;
  const end = argument.indexOf('>', from);
  return end > from && isName(argument, from, end) ? argument.slice(from, end).toLowerCase() : '';
}

function behindLocalPart(text: string, start: number): number {
  let at = start;
  if (text.charCodeAt(at) === QUOTE) {
    for (at += 1; at < text.length && text.charCodeAt(at) !== QUOTE; at += 1)
      if (text.charCodeAt(at) === BACKSLASH) at += 1;
    return at + 1;
  }
  while (at < text.length && text.charCodeAt(at) !== AT && text.charCodeAt(at) !== GT) at += 1;
  return at;
}

/** Two labels or more of letters, digits, hyphens and underscores. */
function isName(text: string, from: number, end: number): boolean {
  if (end - from > NAME_CHARACTERS_MAX) return false;
  let labels = 1;
  let length = 0;
  for (let at = from; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code === DOT) {
      if (length === 0) return false;
      labels += 1;
      length = 0;
      continue;
    }
    const lower = code | 0x20;
    const isLetter = lower >= 0x61 && lower <= 0x7a;
    if (!isLetter && !(code >= 0x30 && code <= 0x39) && code !== 0x2d && code !== 0x5f) return false;
    length += 1;
    if (length > LABEL_CHARACTERS_MAX) return false;
  }
  return labels > 1 && length > 0;
}
