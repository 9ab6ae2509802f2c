/**
 * limits — what a client, or all clients of a network, may do at once and in a window
 *
 * One table: a limit has the name that it has in the configuration, what it counts and of whom, the reply that Postfix
 * gives for it, and its counter. A session remembers which limit it has exceeded by a small number; reply and log say
 * it by the name.
 *
 * Below the limit a rate slows: from `limits.slow_from` percent of it on, the session owes waiting time in proportion, at
 * the limit itself all of `shape.total_max`. The time is spent on the greeting and on the replies to MAIL and RCPT, each
 * within its timer (patience); the wait for the backend counts as a part of it. So one session of a sender whose rate
 * stays at x of the way from `slow_from` to the limit loses x of those ten minutes, once, and what cannot be slowed enough
 * is refused.
 */
import type { Config } from '../config/config.ts';
import { Rate } from '../reputation/rates.ts';
import type { CounterName } from '../session/counter-table.ts';
import type { EndingName } from '../session/endings.ts';
import type { ReplyName } from '../smtp/replies.ts';

interface LimitRow {
  /** Its name in the Config. */
  readonly setting: keyof Config['limits'];
  readonly of: 'client' | 'network';
  /** The rate that is limited; null for sessions open at once. */
  readonly rate: Rate | null;
  readonly reply: ReplyName;
  readonly counter: CounterName;
  /** What counts, for people. */
  readonly counts: string;
}

const SESSIONS = 'sessions open at once';
const CONNECTIONS = 'connections in a window';
const MESSAGES = 'MAIL commands in a window';
const RECIPIENTS = 'RCPT commands in a window';
const TLS_SESSIONS = 'new TLS sessions in a window';

/** Every limit by its name in the configuration. A client's limit stands before its network's. */
export const limitTable = {
  connections: {
    setting: 'connections',
    of: 'client',
    rate: null,
    reply: 'tooManyConnections',
    counter: 'overConnections',
    counts: SESSIONS,
  },
  network_connections: {
    setting: 'networkConnections',
    of: 'network',
    rate: null,
    reply: 'tooManyConnections',
    counter: 'overNetworkConnections',
    counts: SESSIONS,
  },
  connection_rate: {
    setting: 'connectionRate',
    of: 'client',
    rate: Rate.Connections,
    reply: 'tooManyConnections',
    counter: 'overConnectionRate',
    counts: CONNECTIONS,
  },
  network_connection_rate: {
    setting: 'networkConnectionRate',
    of: 'network',
    rate: Rate.Connections,
    reply: 'tooManyConnections',
    counter: 'overNetworkConnectionRate',
    counts: CONNECTIONS,
  },
  message_rate: {
    setting: 'messageRate',
    of: 'client',
    rate: Rate.Messages,
    reply: 'tooMuchMail',
    counter: 'overMessageRate',
    counts: MESSAGES,
  },
  network_message_rate: {
    setting: 'networkMessageRate',
    of: 'network',
    rate: Rate.Messages,
    reply: 'tooMuchMail',
    counter: 'overNetworkMessageRate',
    counts: MESSAGES,
  },
  recipient_rate: {
    setting: 'recipientRate',
    of: 'client',
    rate: Rate.Recipients,
    reply: 'tooManyRecipientsFrom',
    counter: 'overRecipientRate',
    counts: RECIPIENTS,
  },
  network_recipient_rate: {
    setting: 'networkRecipientRate',
    of: 'network',
    rate: Rate.Recipients,
    reply: 'tooManyRecipientsFrom',
    counter: 'overNetworkRecipientRate',
    counts: RECIPIENTS,
  },
  tls_rate: {
    setting: 'tlsRate',
    of: 'client',
    rate: Rate.TlsSessions,
    reply: 'tooManyTlsSessions',
    counter: 'overTlsRate',
    counts: TLS_SESSIONS,
  },
  network_tls_rate: {
    setting: 'networkTlsRate',
    of: 'network',
    rate: Rate.TlsSessions,
    reply: 'tooManyTlsSessions',
    counter: 'overNetworkTlsRate',
    counts: TLS_SESSIONS,
  },
} as const satisfies Record<string, LimitRow>;

export type LimitName = keyof typeof limitTable;

/** The number of no limit. */
export const NO_LIMIT = 0;

/** Names by number; '' for none. */
export const limitNames = ['', ...Object.keys(limitTable)] as readonly ('' | LimitName)[];

/** Numbers by name, for a column of small integers. */
export const Limit = Object.fromEntries(limitNames.map((name, number) => [name, number])) as {
  readonly [Name in LimitName]: number;
};

/** The row of a limit by its number. */
export function limitRow(number: number): LimitRow {
  return limitTable[limitNames[number] as LimitName];
}

/** How a session ends that is sent away over a limit when it connects. */
export function endingOver(number: number): EndingName {
  return limitRow(number).rate === null ? 'tooManyConnections' : 'connectionRate';
}

/** The limits of a configuration, in the form in which a shard asks for them. 0: none. */
export interface LimitPlan {
  /** By number of the limit. */
  readonly values: Float64Array;
  /** By rate: the number of the client's and of the network's limit; NO_LIMIT when it is not set. */
  readonly clientRates: Uint8Array;
  readonly networkRates: Uint8Array;
  /** Half of `limits.window`. */
  readonly halfMs: number;
}

/** Takes the limits out of a configuration. */
export function limitPlan(config: Config): LimitPlan {
  const values = new Float64Array(limitNames.length);
  const clientRates = new Uint8Array(Object.keys(Rate).length);
  const networkRates = new Uint8Array(Object.keys(Rate).length);
  for (let number = 1; number < limitNames.length; number++) {
    const row = limitRow(number);
    const value = config.limits[row.setting] as number;
    values[number] = value;
    if (row.rate === null || value === 0) continue;
    (row.of === 'client' ? clientRates : networkRates)[row.rate] = number;
  }
  return { values, clientRates, networkRates, halfMs: config.limits.windowMs / 2 };
}

/**
 * The waiting time that a session owes in all when a rate has come to `rate` of `limit`: 0 up to `slow_from` of it, all of
 * `shape.total_max` at the limit and above, in milliseconds.
 */
export function excessDelayMs(config: Config, rate: number, limit: number): number {
  const { slowFrom } = config.limits;
  const from = (limit * slowFrom) / 100;
  if (slowFrom >= 100 || rate <= from) return 0;
  return Math.floor(config.shape.totalMaxMs * Math.min(1, (rate - from) / (limit - from)));
}
