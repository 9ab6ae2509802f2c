/**
 * endings — every way in which a session can end
 *
 * There is one way out (stages/end) and each ending has a name, a culprit and a sentence. The log word, the
 * counter and what reputation learns are columns of this table.
 *
 * `verdict` is the log's short answer: pass (mail may have gone through, the client behaved), abandoned (the
 * client left before it got what it came for), refused (Sluice ended it for what the client did), limit (a
 * bound was reached), shut (Sluice had its own reasons).
 */

export type Blame = 'client' | 'us' | 'nobody';
export type Verdict = 'pass' | 'abandoned' | 'refused' | 'limit' | 'shut';

interface Ending {
  readonly blame: Blame;
  readonly verdict: Verdict;
  /** The signal that reputation hears, by its name in reputation/signals; null for none. */
  readonly signal: 'hangup' | 'stall' | null;
  readonly says: string;
}

export const endingTable = {
  quit: { blame: 'nobody', verdict: 'pass', signal: null, says: 'said QUIT' },
  hangup: {
    blame: 'client',
    verdict: 'pass',
    signal: null,
    says: 'hung up between commands, as clients that keep connections do',
  },
  leftGreeting: {
    blame: 'client',
    verdict: 'abandoned',
    signal: 'hangup',
    says: 'hung up before the greeting was whole',
  },
  leftWaiting: {
    blame: 'client',
    verdict: 'abandoned',
    signal: 'hangup',
    says: 'hung up while a reply was owed',
  },
  leftEnvelope: {
    blame: 'client',
    verdict: 'abandoned',
    signal: 'hangup',
    says: 'hung up with an envelope open',
  },
  leftMessage: { blame: 'client', verdict: 'abandoned', signal: 'hangup', says: 'hung up inside a message' },
  leftHold: {
    blame: 'client',
    verdict: 'abandoned',
    signal: 'hangup',
    says: 'hung up while its message was held, before the backend had any of it',
  },
  leftDelivery: {
    blame: 'client',
    verdict: 'abandoned',
    signal: null,
    says: 'hung up before the answer to its message',
  },
  pregreet: {
    blame: 'client',
    verdict: 'refused',
    signal: null,
    says: 'spoke before the greeting and was sent away',
  },
  pipelining: {
    blame: 'client',
    verdict: 'refused',
    signal: null,
    says: 'sent commands ahead of replies and was sent away',
  },
  nonSmtp: { blame: 'client', verdict: 'refused', signal: null, says: 'spoke another protocol' },
  bareNewline: {
    blame: 'client',
    verdict: 'refused',
    signal: null,
    says: 'ended lines with a bare LF and was sent away',
  },
  denied: {
    blame: 'client',
    verdict: 'refused',
    signal: null,
    says: 'comes from a network on the deny list',
  },
  noProxy: {
    blame: 'client',
    verdict: 'refused',
    signal: null,
    says: 'came to a listener for proxies from elsewhere, and was cut off without a word',
  },
  badHeader: {
    blame: 'nobody',
    verdict: 'refused',
    signal: null,
    says: 'came through a proxy that sent something else than a PROXY header',
  },
  leftUnannounced: {
    blame: 'nobody',
    verdict: 'abandoned',
    signal: null,
    says: 'was a proxy that left before its PROXY header was whole',
  },
  unofferedBdat: {
    blame: 'client',
    verdict: 'refused',
    signal: null,
    says: 'sent BDAT although CHUNKING is not offered',
  },
  badChunk: {
    blame: 'client',
    verdict: 'refused',
    signal: null,
    says: 'sent a BDAT that does not say how many octets follow',
  },
  dataAhead: {
    blame: 'client',
    verdict: 'refused',
    signal: null,
    says: 'sent a message before it was asked to',
  },
  tlsInjection: {
    blame: 'client',
    verdict: 'refused',
    signal: null,
    says: 'sent plaintext behind STARTTLS, where it could have passed for words inside TLS',
  },
  tlsFailed: {
    blame: 'client',
    verdict: 'abandoned',
    signal: null,
    says: 'could not agree on TLS with us, or left in the handshake',
  },
  tooManyConnections: {
    blame: 'client',
    verdict: 'limit',
    signal: null,
    says: 'had too many sessions at once, alone or with its network',
  },
  connectionRate: {
    blame: 'client',
    verdict: 'limit',
    signal: null,
    says: 'connected too often, alone or with its network',
  },
  tlsRate: {
    blame: 'client',
    verdict: 'limit',
    signal: null,
    says: 'began too many TLS sessions, alone or with its network',
  },
  commandTimeLimit: {
    blame: 'client',
    verdict: 'limit',
    signal: 'stall',
    says: 'finished no command in time',
  },
  headerTimeLimit: {
    blame: 'nobody',
    verdict: 'limit',
    signal: null,
    says: 'came through a proxy that did not finish its PROXY header in time',
  },
  tlsTimeLimit: {
    blame: 'client',
    verdict: 'limit',
    signal: 'stall',
    says: 'did not finish the TLS handshake in time',
  },
  commandCountLimit: { blame: 'client', verdict: 'limit', signal: null, says: 'sent too many commands' },
  errorLimit: { blame: 'client', verdict: 'limit', signal: null, says: 'made too many errors' },
  lineTooLong: {
    blame: 'client',
    verdict: 'limit',
    signal: null,
    says: 'sent a command line far over the limit',
  },
  dataTimeLimit: {
    blame: 'client',
    verdict: 'limit',
    signal: 'stall',
    says: 'sent nothing of its message for too long',
  },
  messageTooBig: {
    blame: 'client',
    verdict: 'limit',
    signal: null,
    says: 'sent a message far over the limit',
  },
  inputOverrun: {
    blame: 'client',
    verdict: 'limit',
    signal: null,
    says: 'sent far ahead while input memory was short',
  },
  notReading: { blame: 'client', verdict: 'limit', signal: 'stall', says: 'did not read its replies' },
  shedClassified: {
    blame: 'us',
    verdict: 'shut',
    signal: null,
    says: 'had failed a test or was slow, and had to go under stress',
  },
  shedUnknown: {
    blame: 'us',
    verdict: 'shut',
    signal: null,
    says: 'had shown nothing for long, and had to go under stress',
  },
  shedShown: {
    blame: 'us',
    verdict: 'shut',
    signal: null,
    says: 'was idle, and its slot was needed for a client of good standing',
  },
  shedStranger: {
    blame: 'us',
    verdict: 'shut',
    signal: null,
    says: 'came as a stranger under stress, when nobody could go in its stead',
  },
  shedNetwork: {
    blame: 'us',
    verdict: 'shut',
    signal: null,
    says: 'came as a stranger under stress, when its network held its share of the slots',
  },
  sessionsFull: {
    blame: 'us',
    verdict: 'shut',
    signal: null,
    says: 'found every slot taken by clients of good standing or with a message in hand',
  },
  shuttingDown: { blame: 'us', verdict: 'shut', signal: null, says: 'was told that the service shuts down' },
} as const satisfies Record<string, Ending>;

export type EndingName = keyof typeof endingTable;

/** Names by number: the order of the table. */
export const endingNames = Object.keys(endingTable) as readonly EndingName[];

const numbers = new Map<EndingName, number>(endingNames.map((name, number) => [name, number]));

/** The number of an ending, for a column of small integers. */
export function endingNumber(name: EndingName): number {
  return numbers.get(name)!;
}

/** No ending yet. */
export const NO_ENDING = 255;
