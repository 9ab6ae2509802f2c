/**
 * matrix-facts — which client and which mail server can do what, and the messages that ask for it
 *
 * Debian 12's programs, as they are shipped. What a cell of the matrix has to come to follows from these tables: delivered, or returned
 * by the client because the mail server has no word for it, or nothing at all because the client has none. Servers are asked: the
 * test compares their rows with what they announce.
 */

export const kinds = ['small', 'IPv6', '10 MB', '8-bit', 'UTF-8 addresses', 'DSN', 'CHUNKING'] as const;
export type Kind = (typeof kinds)[number];

export const clientNames = [
  'Postfix',
  'Exim',
  'OpenSMTPD',
  'msmtp',
  'swaks',
  'nodemailer',
  'smtplib',
] as const;
export type ClientName = (typeof clientNames)[number];

export const backendNames = ['Postfix', 'Exim', 'OpenSMTPD'] as const;
export type BackendName = (typeof backendNames)[number];

export interface ClientFacts {
  /** Says BODY=8BITMIME; the others send the octets without a word. */
  readonly eightBitMime: boolean;
  readonly smtpUtf8: boolean;
  /** Parameters of RFC 3461 that it can say. */
  readonly dsn: readonly ('NOTIFY' | 'RET' | 'ENVID' | 'ORCPT')[];
  readonly chunking: boolean;
  /** The address it comes from over IPv4. */
  readonly address: string;
}

const all = ['NOTIFY', 'RET', 'ENVID', 'ORCPT'] as const;

/** smtplib has no word for BDAT, but sends what it is given: the script says it (smtplib-send.py). */
export const clientFacts: Readonly<Record<ClientName, ClientFacts>> = {
  Postfix: { eightBitMime: true, smtpUtf8: true, dsn: all, chunking: false, address: '127.0.0.71' },
  Exim: { eightBitMime: true, smtpUtf8: true, dsn: all, chunking: true, address: '127.0.0.72' },
  OpenSMTPD: { eightBitMime: false, smtpUtf8: false, dsn: all, chunking: false, address: '127.0.0.73' },
  msmtp: {
    eightBitMime: false,
    smtpUtf8: false,
    dsn: ['NOTIFY', 'RET'],
    chunking: false,
    address: '127.0.0.74',
  },
  swaks: { eightBitMime: false, smtpUtf8: false, dsn: [], chunking: false, address: '127.0.0.75' },
  nodemailer: { eightBitMime: true, smtpUtf8: true, dsn: all, chunking: false, address: '127.0.0.76' },
  smtplib: { eightBitMime: true, smtpUtf8: true, dsn: all, chunking: true, address: '127.0.0.77' },
};

export interface BackendFacts {
  /** How it learns who the client is, and whether one connection serves many. */
  readonly identity: 'xclient' | 'proxy-v1' | 'proxy-v2';
  readonly reuse: 'auto' | 'always';
  readonly extensions: readonly ('8BITMIME' | 'SMTPUTF8' | 'DSN' | 'CHUNKING' | 'PIPELINING')[];
  /** Takes STARTTLS, on a connection that begins with a PROXY header too. */
  readonly tls: boolean;
}

export const backendFacts: Readonly<Record<BackendName, BackendFacts>> = {
  Postfix: {
    identity: 'xclient',
    reuse: 'always',
    extensions: ['8BITMIME', 'SMTPUTF8', 'DSN', 'CHUNKING', 'PIPELINING'],
    tls: true,
  },
  Exim: {
    identity: 'proxy-v2',
    reuse: 'auto',
    extensions: ['8BITMIME', 'SMTPUTF8', 'DSN', 'CHUNKING', 'PIPELINING'],
    tls: true,
  },
  OpenSMTPD: { identity: 'proxy-v2', reuse: 'auto', extensions: ['8BITMIME', 'DSN'], tls: false },
};

/** What a cell has to come to. */
export type Expected =
  | { readonly is: 'delivered' }
  /** The client has to say so, in these words. */
  | { readonly is: 'returned'; readonly says: RegExp }
  | { readonly is: 'cannot be'; readonly because: string };

/**
 * How each client says that a message needs SMTPUTF8 and the server does not have it. Exim tries a name in ASCII (RFC 3492) in its
 * place, which nobody has here; nodemailer says the address as it is, and Sluice finds it no address.
 */
const saysNoUtf8: Partial<Readonly<Record<ClientName, RegExp>>> = {
  Postfix: /status=bounced.*SMTPUTF8 is required, but was not offered/s,
  Exim: /\*\* xn--jrgen-kva@example\.test .*550 5\.0\.0 Invalid recipient/,
  nodemailer: /501 5\.1\.7 Bad sender address syntax/,
  smtplib: /SMTPNotSupportedError: SMTPUTF8 not supported by server/,
};

/** What has to happen with a message of this kind from this client to this mail server. */
export function expectedOf(client: ClientName, backend: BackendName, kind: Kind): Expected {
  const facts = clientFacts[client];
  const cannot = (word: string): Expected => ({
    is: 'cannot be',
    because: `${client} has no ${word}`,
  });
  if (kind === 'CHUNKING') return facts.chunking ? { is: 'delivered' } : cannot('BDAT');
  if (kind === 'DSN') return facts.dsn.length > 0 ? { is: 'delivered' } : cannot('parameters of DSN');
  if (kind !== 'UTF-8 addresses') return { is: 'delivered' };
  if (!facts.smtpUtf8) return cannot('SMTPUTF8');
  const says = saysNoUtf8[client];
  const isOffered = backendFacts[backend].extensions.includes('SMTPUTF8');
  return isOffered || says === undefined ? { is: 'delivered' } : { is: 'returned', says };
}

/** A message to send. */
export interface Letter {
  readonly kind: Kind;
  /** Stands in its header as X-Letter. */
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** Header and body, with LF for CR LF; ends in one. */
  readonly content: Buffer;
}

/** What a message of the kind DSN asks for. */
export function dsnOf(letter: Letter): {
  readonly notify: string;
  readonly ret: string;
  readonly envid: string;
  readonly orcpt: string;
} {
  return { notify: 'SUCCESS,FAILURE', ret: 'HDRS', envid: letter.id, orcpt: 'first.anna@example.test' };
}

/** A part of the matrix: what one client is to send to one mail server. */
export interface Row {
  readonly client: ClientName;
  readonly backend: BackendName;
  readonly isTls: boolean;
  readonly kinds: readonly Kind[];
}

/** The whole matrix. */
export function wholeMatrix(): Row[] {
  return backendNames.flatMap((backend) =>
    clientNames.flatMap((client) =>
      [false, true].map((isTls) => ({ client, backend, isTls, kinds: [...kinds] })),
    ),
  );
}

/**
 * The part that is run with every test: each client has each kind with Postfix, half of them inside TLS; smtplib has each
 * kind with Exim, and Exim with OpenSMTPD; everybody has been with everybody.
 */
export function quickMatrix(): Row[] {
  const plain: readonly Kind[] = ['small', 'DSN', '8-bit'];
  const inside: readonly Kind[] = ['10 MB', 'IPv6', 'UTF-8 addresses', 'CHUNKING'];
  const withPostfix = clientNames.flatMap((client): Row[] => [
    { client, backend: 'Postfix', isTls: false, kinds: plain },
    { client, backend: 'Postfix', isTls: true, kinds: inside },
  ]);
  const withOthers = clientNames.flatMap((client): Row[] => [
    { client, backend: 'Exim', isTls: true, kinds: client === 'smtplib' ? kinds : ['small'] },
    { client, backend: 'OpenSMTPD', isTls: false, kinds: client === 'Exim' ? kinds : ['small'] },
  ]);
  return [...withPostfix, ...withOthers];
}

const lineOf = (at: number): string => `${String(at).padStart(8, '0')} ${'all work and no play '.repeat(3)}`;

let large: { readonly seed: number; readonly body: Buffer } | undefined;

/** Bytes of the body of each kind; the large one is made once. */
function bodyOf(kind: Kind, seed: number): Buffer {
  const dots = '.\n..\n.hidden\nFrom nowhere\n\n\n';
  const lines = (count: number): string =>
    Array.from({ length: count }, (_, at) => lineOf(seed + at)).join('\n');
  switch (kind) {
    case '10 MB':
      return (large = large?.seed === seed ? large : { seed, body: Buffer.from(`${lines(136_987)}\n`) }).body;
    case 'CHUNKING':
      return Buffer.from(`${dots}${lines(4_000)}\n${dots}`);
    case '8-bit': {
      const octets = Buffer.from(Array.from({ length: 128 }, (_, at) => 128 + at));
      return Buffer.concat([Buffer.from('Grüße, 你好\n'), octets, Buffer.from(`\n${dots}`)]);
    }
    default:
      return Buffer.from(`Good morning, ${seed}.\n${dots}`);
  }
}

/** Writes a message; `seed` makes its body another one. */
export function writeLetter(kind: Kind, id: string, seed: number): Letter {
  const isUtf8 = kind === 'UTF-8 addresses';
  const from = isUtf8 ? 'søren@honest.test' : 'sender@honest.test';
  const to = isUtf8 ? 'jürgen@example.test' : 'anna@example.test';
  const header = [
    `From: ${isUtf8 ? 'Søren ' : ''}<${from}>`,
    `To: <${to}>`,
    'Date: Wed, 25 Nov 2026 12:00:00 +0000',
    `Message-Id: <${id}@honest.test>`,
    `Subject: ${isUtf8 ? 'Grüße' : kind}`,
    `X-Letter: ${id}`,
    `X-Kind: ${kind}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Transfer-Encoding: ${kind === '8-bit' || isUtf8 ? '8bit' : '7bit'}`,
  ];
  return {
    kind,
    id,
    from,
    to,
    content: Buffer.concat([Buffer.from(`${header.join('\n')}\n\n`), bodyOf(kind, seed)]),
  };
}
