/**
 * transcript — the dialogues of a Markdown file, read and written
 *
 * A dialogue is a `##` heading, some prose, `name: value` lines, and an indented block:
 *
 *     settings: screen.greet_wait=6s smtp.errors_max=3     keys of the configuration file
 *     client: 192.0.2.7, known, score 50                    one line each for `client 2:`, `client 3:` …
 *     backend: reuse=no rcpt=421x1 delay.final=30s          the faults of test/dialogues/backend.ts
 *     backend: tls=yes handshake=untrusted                  it takes mail inside TLS alone, and backend.tls is required
 *     backend 2: connect=refuse                             those of the second server, when settings has server=[{…},{…}]
 *     tls: yes                                              the listener has a certificate
 *     proxies: 198.51.100.0/24                             the listener is for these proxies, which send PROXY headers
 *     pool: a.example good 192.0.2.0/24 2001:db8::/48      the networks of a sender domain; `new` for one that has earned nothing
 *     family: mutters 21s LowerVerb SmallKeyword            a family that is known: name, patience (0s: unknown), traits of families/dialect
 *     dns: 192.0.2.7 at 1.000 weight 8 zen.example.net "reason"   what DNS lists say, and when; `dns:` alone: nothing
 *     whole: why this dialogue cannot be cut into pieces
 *
 *         0.000  S  220-mx.example.net ESMTP                Sluice says a line
 *         0.050  C  EHLO early.example                      the client says one; `C2`, `S2` for the second client
 *         0.050  c  MAIL FR                                 the client (Sluice: `s`) says a piece without a line end
 *         1.000  C  (hangs up)                              also: resets, stops reading, reads again, connects,
 *                                                           does its part of the handshake
 *         2.000  B  (rcpt=421x1)                            the backend changes; (says 250 x), (closes), (resets)
 *         2.000  B2  (closes)                               and the second server
 *         2.000  L1> XCLIENT …                              what lane 1 hears (shown when the block has one such line); L2.1> of the second server
 *         3.000  *  drain                                   Sluice is told to shut down
 *         4.000  end quit                                   how the session ended, with TLS if it was up; `end2` for the second client
 *         4.000  end quit                                   how the session ended; `end2` for the second client
 *         4.000  end quit, limit message_rate               and the limit that it exceeded, if any
 *         counters: pregreet=1 messagesDelivered=0
 *         log: listed score=45 dnsxl=zen.example.net "reason"   reasons, score, family, lists (shown when one such line is there)
 *         log:  score=0 dnsxl= would=slow, score, 75 s     and what enforce mode would have done (shown when one such line is there)
 *         asked: 192.0.2.7 (good)                        clients that DNS lists were asked about
 *         notice: what the operator was told
 *         offered: 192.0.2.7 a.example HELO                 a good sender and its domain, for whoever verifies it (or: nothing)
 *         backend got: 192.0.2.7 EHLO a.example FROM:<a@b> TO:<good@c>
 *         | line of the message
 *
 * Two `C` lines with nothing between them and the same time leave in one segment. In a draft a time may be
 * `+1.5` (after what stands above; `+0` for the same breath) or missing (when the reply to what stands above is whole): REWRITE=1 fills in.
 * `\r`, `\n`, `\0`, `\t`, `\\` and `\xHH` in what is said are bytes; `(60000 times 0123456789\r\n)` is what it says.
 */

export interface ScriptLine {
  /** Milliseconds; null for "when the reply is whole". */
  readonly atMs: number | null;
  readonly relative: boolean;
  /** `C`, `c`, `B`, `*`; the number of the client, from 1. */
  readonly party: string;
  readonly number: number;
  readonly text: string;
  /** Which line of the block it is. */
  readonly place: number;
}

export interface Dialogue {
  readonly title: string;
  readonly headers: ReadonlyMap<string, string>;
  /** What the players do; what Sluice says is compared as text. */
  readonly script: readonly ScriptLine[];
  /** What stands behind each `dns:`, and each `family:`. */
  readonly dns: readonly string[];
  readonly families: readonly string[];
  readonly counters: readonly string[];
  readonly showsLanes: boolean;
  readonly showsNotices: boolean;
  readonly showsOffers: boolean;
  readonly showsLog: boolean;
  readonly showsWould: boolean;
  readonly showsAsked: boolean;
  /** The indented block as it stands, without its indentation. */
  readonly block: readonly string[];
  /** Where the block stands in the file: lines [from … to). */
  readonly from: number;
  readonly to: number;
}

const INDENT = '    ';
const headerNames =
  /^(settings|client(?: \d)?|backend(?: \d)?|whole|lanes|sessions|tls|pool|proxies):(?: (.*))?$/;
/** Several lines of these are several things, not one long one. */
const repeated = /^(dns|family):(?: (.*))?$/;
const spoken = /^ *(\+?\d+\.\d{3}|\+\d+(?:\.\d+)?)? *(C|c|B|\*)(\d?)(?: {2}(.*))?$/;

/** Reads all dialogues of a file. */
export function readDialogues(text: string): readonly Dialogue[] {
  const lines = text.split('\n');
  const dialogues: Dialogue[] = [];
  for (let at = 0; at < lines.length; at++) {
    if (!lines[at]!.startsWith('## ')) continue;
    let end = at + 1;
    while (end < lines.length && !lines[end]!.startsWith('## ')) end++;
    dialogues.push(readDialogue(lines, at, end));
    at = end - 1;
  }
  return dialogues;
}

function readDialogue(lines: readonly string[], at: number, end: number): Dialogue {
  const headers = new Map<string, string>();
  let from = at + 1;
  const several = { dns: [] as string[], family: [] as string[] };
  for (; from < end && !lines[from]!.startsWith(INDENT); from++) {
    const again = repeated.exec(lines[from]!);
    if (again !== null) several[again[1] as 'dns' | 'family'].push(again[2] ?? '');
    const header = headerNames.exec(lines[from]!);
    if (header !== null) {
      const before = headers.get(header[1]!);
      headers.set(header[1]!, before === undefined ? (header[2] ?? '') : `${before} ${header[2] ?? ''}`);
    }
  }
  let to = end;
  while (to > from && !lines[to - 1]!.startsWith(INDENT)) to--;
  const block = lines.slice(from, to).map((line) => line.slice(INDENT.length));
  const script: ScriptLine[] = [];
  for (const [place, line] of block.entries()) {
    const parts = spoken.exec(line);
    if (parts === null) continue;
    const [, time, party, number, said] = parts;
    const relative = time?.startsWith('+') === true;
    const atMs = time === undefined ? null : Math.round(Number(time) * 1000);
    script.push({
      atMs,
      relative,
      party: party!,
      number: number === '' ? 1 : Number(number),
      text: said ?? '',
      place,
    });
  }
  const counters = block
    .filter((line) => line.startsWith('counters:'))
    .flatMap((line) => line.slice(9).trim().split(/ +/));
  return {
    title: lines[at]!.slice(3),
    headers,
    script,
    dns: several.dns,
    families: several.family,
    counters: counters.filter((one) => one !== '').map((one) => one.split('=')[0]!),
    showsLanes: block.some((line) => /L[\d.]+[<>]/.test(line)),
    showsLog: block.some((line) => line.startsWith('log:')),
    showsWould: block.some((line) => /^log:.* would=/.test(line)),
    showsAsked: block.some((line) => line.startsWith('asked:')),
    showsNotices: block.some((line) => line.startsWith('notice:')),
    showsOffers: block.some((line) => line.startsWith('offered')),
    block,
    from,
    to,
  };
}

/** The file with the blocks of its dialogues replaced. */
export function withBlocks(
  text: string,
  dialogues: readonly Dialogue[],
  blocks: readonly (readonly string[])[],
): string {
  const lines = text.split('\n');
  for (let at = dialogues.length - 1; at >= 0; at--) {
    const { from, to } = dialogues[at]!;
    lines.splice(from, to - from, ...blocks[at]!.map((line) => (INDENT + line).trimEnd()));
  }
  return lines.join('\n');
}

/** What a `C` or `c` line stands for, as latin-1 text without the line end. */
export function unescape(text: string): string {
  const times = /^\((\d+) times (.*)\)$/.exec(text);
  if (times !== null) return unescape(times[2]!).repeat(Number(times[1]));
  return text.replaceAll(/\\(?:x([0-9a-f]{2})|([rnt0\\]))/g, (_, hex: string | undefined, letter: string) =>
    hex === undefined
      ? { r: '\r', n: '\n', t: '\t', 0: '\0', '\\': '\\' }[letter]!
      : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** Text of any bytes as a transcript shows it. */
export function escape(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]|\\/g, (byte) => {
    const names: Record<string, string> = {
      '\r': '\\r',
      '\n': '\\n',
      '\t': '\\t',
      '\0': '\\0',
      '\\': '\\\\',
    };
    return names[byte] ?? `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

/** `settings: a.b=6s c=1` as TOML. */
export function settingsToml(header: string): string {
  return header
    .split(/ +/)
    .filter((one) => one !== '')
    .map((one) => {
      const [key = ''] = one.split('=', 1);
      const value = one.slice(key.length + 1);
      return `${key} = ${/^(?:-?\d+|true|false|\[.*\])$/.test(value) ? value : JSON.stringify(value)}`;
    })
    .join('\n');
}
