/**
 * hunt-plan — what session number n of a seed says, and where it leaves
 *
 * The hunt for leaks (hunt.ts) needs two parties that know a session without speaking with each other: the client that plays it, and
 * the check that afterwards finds its messages in the store. Both compute it here from the seed and the number.
 *
 * Nothing of a session is shared with another: address, HELO, sender, recipients and every line of every body hold its number.
 */
import { Prng } from '../../src/base/prng.ts';
import type { ProxyEnds } from '../../src/transport/proxy-writer.ts';

/** Where a session may leave. */
export const abortPoints = {
  connected: 'connected, nothing read',
  insideHeader: 'inside a PROXY header',
  greeted: 'greeted',
  insideHello: 'inside the line of HELO or EHLO',
  hello: 'HELO or EHLO answered',
  tlsAsked: 'STARTTLS said, its reply outstanding',
  insideHandshake: 'inside the TLS handshake',
  secured: 'inside TLS, nothing said',
  insideMail: 'inside the line of MAIL',
  mail: 'MAIL answered',
  insideRcpt: 'inside the line of RCPT',
  rcptSaid: 'RCPT said, its reply outstanding',
  rcpt: 'RCPT answered',
  groupSaid: 'MAIL, RCPT and DATA said together, replies outstanding',
  dataSaid: 'DATA said, its reply outstanding',
  data: 'DATA answered, nothing of the message sent',
  insideBody: 'inside the message',
  insideDot: 'inside the final dot',
  insideChunk: 'inside a BDAT chunk',
  chunk: 'between two BDAT chunks',
  dot: 'final dot or last chunk sent, its reply outstanding',
  delivered: 'message answered',
  never: 'not at all: QUIT',
} as const;
export type AbortPoint = keyof typeof abortPoints;

/** How it leaves. */
export const leavingWays = {
  close: 'closes (FIN, or RST when something is unread)',
  reset: 'RST',
  half: 'closes its side and reads on to the end',
  quit: 'says QUIT and reads on to the end',
} as const;
export type LeavingWay = keyof typeof leavingWays;

/** One transaction. */
export interface Letter {
  /** Says hello anew before it, with another name. */
  readonly hello: string | null;
  /** The path of MAIL, in brackets, and its parameters. */
  readonly sender: string;
  readonly parameters: string;
  /** Paths of RCPT, in brackets. */
  readonly recipients: readonly string[];
  readonly byChunks: boolean;
  /** RSET before its message, which is then never sent. */
  readonly resets: 'after MAIL' | 'after RCPT' | 'never';
  readonly body: Buffer;
  /** Pieces that the message is sent in. */
  readonly pieces: number;
}

export interface SessionPlan {
  readonly number: number;
  /** Where it connects from. */
  readonly source: string;
  /** Whom a PROXY header names, and its version; the port is the client's own otherwise. */
  readonly header: { readonly version: 1 | 2; readonly ends: ProxyEnds } | null;
  readonly isEsmtp: boolean;
  readonly hello: string;
  readonly isLowerCase: boolean;
  readonly pipelines: boolean;
  readonly tls: boolean;
  readonly letters: readonly Letter[];
  readonly abort: {
    readonly at: AbortPoint;
    /** The transaction in which it leaves, from 0. */
    readonly letter: number;
    readonly way: LeavingWay;
    /** Waited before it, so that what was sent is already being dealt with. */
    readonly pauseMs: number;
  };
}

/** What holds for all sessions of a hunt. */
export interface HuntRules {
  readonly seed: number;
  /** Whether some come through a proxy, and some go into TLS. */
  readonly hasProxies: boolean;
  readonly hasTls: boolean;
}

/** Clients from here are on `lists.allow`: offered PIPELINING from the first EHLO on. All others are strangers. */
export const TRUSTED = ['127.128.0.0/10', '2001:db8::/32'];
/** Clients that come with a PROXY header connect from here. */
export const PROXIES = '127.192.0.0/10';
const LISTS = { trusted: 128, proxies: 192, strangers: 64 } as const;

/** The header line by which a message names its session and transaction. */
export const idOf = (number: number, letter: number): string => `${number}.${letter}`;

const anywhere: readonly AbortPoint[] = ['connected', 'greeted', 'insideHello', 'hello'];
const inTls: readonly AbortPoint[] = ['tlsAsked', 'insideHandshake', 'secured'];
const inSteps: readonly AbortPoint[] = ['insideMail', 'mail', 'insideRcpt', 'rcptSaid', 'rcpt'];
const inData: readonly AbortPoint[] = ['dataSaid', 'data', 'insideBody', 'insideDot', 'dot', 'delivered'];
const inChunks: readonly AbortPoint[] = ['insideChunk', 'chunk', 'dot', 'delivered'];
const pausesMs = [0, 0, 0, 1, 3, 10];

/** Session `number` of a hunt. */
export function planOf(rules: HuntRules, number: number): SessionPlan {
  const random = new Prng(rules.seed * 1_000_003 + number);
  const one = <Kind>(of: readonly Kind[]): Kind => of[random.below(of.length)]!;
  const oneIn = (many: number): boolean => random.below(many) === 0;
  const isProxied = rules.hasProxies && oneIn(8);
  const isEsmtp = !oneIn(4);
  const pipelines = isEsmtp && oneIn(2);
  const tls = rules.hasTls && isEsmtp && !isProxied && oneIn(40);
  const place = isProxied ? LISTS.proxies : pipelines ? LISTS.trusted : LISTS.strangers;
  const address = (first: number): string =>
    `127.${first + (number >>> 16)}.${(number >>> 8) & 255}.${number & 255}`;
  const client = one([
    address(pipelines ? LISTS.trusted : LISTS.strangers),
    `2001:db8:${((number >>> 15) + 1).toString(16)}:${((number & 0x7fff) | 0x8000).toString(16)}::1`,
  ]);
  const isV6 = client.includes(':');
  const ends = {
    address: client,
    port: 1_024 + random.below(60_000),
    destinationAddress: isV6 ? '2001:db8::25' : '192.0.2.25',
    destinationPort: 25 + random.below(2) * 562,
  };
  const hello = one([
    `c${number}.hunt.example`,
    `C${number}`,
    `[${address(LISTS.strangers)}]`,
    `x+${number}=y`,
  ]);
  const letters = Array.from({ length: one([1, 1, 1, 2, 3]) }, (_, at) =>
    letterOf(random, number, at, isEsmtp),
  );
  const leaves = random.below(100) < 60;
  const letter = random.below(letters.length);
  const points: AbortPoint[] = leaves ? [...anywhere] : ['never'];
  if (leaves && isProxied) points.push('insideHeader');
  if (leaves && tls) points.push(...inTls);
  if (leaves) points.push(...pointsOf(letters[letter]!, pipelines));
  const at = one(points);
  return {
    number,
    source: address(place),
    header: isProxied ? { version: one([1, 2]), ends } : null,
    isEsmtp,
    hello,
    isLowerCase: oneIn(4),
    pipelines,
    tls,
    letters,
    abort: { at, letter, way: wayAt(at, random), pauseMs: one(pausesMs) },
  };
}

/** Where a session may leave in a transaction; twice where a message is on its way. */
function pointsOf(letter: Letter, pipelines: boolean): readonly AbortPoint[] {
  const isReset = letter.resets !== 'never';
  const atEnd = letter.byChunks ? inChunks : inData;
  if (isReset) return letter.resets === 'after MAIL' ? inSteps.slice(0, 2) : inSteps;
  if (!pipelines) return [...inSteps, ...atEnd, ...atEnd];
  return ['groupSaid', 'groupSaid', ...atEnd.filter((point) => point !== 'dataSaid'), ...atEnd.slice(-2)];
}

/** Inside a line, a message or a handshake QUIT would be a piece of it. */
function wayAt(point: AbortPoint, random: Prng): LeavingWay {
  if (point === 'never') return 'quit';
  const ways: LeavingWay[] = ['close', 'reset'];
  if (point !== 'insideHandshake') ways.push('half');
  const canQuit =
    !point.startsWith('inside') &&
    !['connected', 'data', 'dataSaid', 'groupSaid', 'tlsAsked'].includes(point);
  if (canQuit) ways.push('quit');
  return ways[random.below(ways.length)]!;
}

function letterOf(random: Prng, number: number, at: number, isEsmtp: boolean): Letter {
  const oneIn = (many: number): boolean => random.below(many) === 0;
  const recipients = Array.from({ length: 1 + random.below(oneIn(3) ? 5 : 2) }, (_, which) => {
    const name = oneIn(8) ? 'unknown' : 'user';
    return oneIn(10)
      ? `<"${name} ${number} ${at} ${which}"@example.com>`
      : `<${name}.${number}.${at}.${which}@example.com>`;
  });
  const lines = random.below(oneIn(40) ? 2_000 : oneIn(4) ? 200 : 12);
  let text = `X-Load-Id: ${idOf(number, at)}\r\n\r\n`;
  for (let line = 0; line < lines; line += 1)
    text += `${line % 7 === 3 ? '.' : ''}line ${line} of ${idOf(number, at)}\r\n`;
  const body = Buffer.from(text);
  return {
    hello: at > 0 && oneIn(4) ? `again${at}.c${number}.hunt.example` : null,
    sender: oneIn(6) ? '<>' : `<from.${number}.${at}@sender.example>`,
    parameters: isEsmtp && oneIn(3) ? ` SIZE=${body.length}${oneIn(2) ? ' BODY=8BITMIME' : ''}` : '',
    recipients,
    byChunks: isEsmtp && oneIn(3),
    resets: oneIn(10) ? 'after MAIL' : oneIn(10) ? 'after RCPT' : 'never',
    body,
    pieces: 1 + random.below(4),
  };
}
