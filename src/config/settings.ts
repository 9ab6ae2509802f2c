/**
 * settings — THE table of settings
 *
 * One row a key of the configuration file: its default as the file would spell it, its bounds, a sentence.
 * All else is derived: the Config type and its names (config), the check of a file (load), the commented
 * example, the Markdown table and the values in effect (describe), the JSON Schema (schema).
 *
 * The name in the Config is the key in camel case, with Ms behind a duration and Bytes behind a size:
 * screen.greet_wait = "6s" is config.screen.greetWaitMs = 6000. Keys made by later(…) are reserved: the file
 * may hold them with their inert default, the Config does not have them.
 */
import {
  choice,
  connecting,
  duration,
  hostName,
  integer,
  later,
  listening,
  networks,
  path,
  size,
  text,
} from './kinds.ts';
import type { Setting } from './kinds.ts';

/** Keys and their settings. */
export type Rows = Readonly<Record<string, Setting>>;

/** A table of the file, such as [engine]. */
export interface Section<R extends Rows = Rows> {
  readonly kind: 'section';
  readonly doc: string;
  readonly rows: R;
}

/** A table that may come several times, such as [[listener]]; when it is missing, it comes once with its defaults. */
export interface Tables<R extends Rows = Rows> {
  readonly kind: 'tables';
  readonly doc: string;
  readonly rows: R;
}

/** What stands at the top of the file. */
export type Entry = Setting | Section | Tables;

function section<R extends Rows>(doc: string, rows: R): Section<R> {
  return { kind: 'section', doc, rows };
}

function tables<R extends Rows>(doc: string, rows: R): Tables<R> {
  return { kind: 'tables', doc, rows };
}

const onTrap = ['refuse', 'drop', 'ignore'] as const;

export const settings = {
  mode: choice(
    'enforce',
    ['enforce', 'observe'],
    'enforce: do as configured. observe: score and log everything, delay and refuse nothing.',
  ),
  hostname: hostName('', 'The name in the greeting and in replies. Empty: the host name of the system.'),

  listener: tables('Where clients connect. One block for each address.', {
    address: listening('0.0.0.0:25', 'Address and port; "[::]:25" takes IPv6, and IPv4 too.'),
    proxy_protocol: later('off', 'a PROXY header in front of each connection, from trusted_proxies only'),
    trusted_proxies: later([], 'the networks that may send a PROXY header'),
    tls: later({ certificate: '', key: '' }, 'STARTTLS, offered with this certificate and key'),
  }),

  engine: section('Threads, processes and room.', {
    shards: integer(
      0,
      { min: 0, max: 64 },
      'Threads that serve clients, over all processes. 0: one per core.',
    ),
    processes: integer(0, { min: 0, max: 256 }, 'Processes. 0: as many as the limit of open files asks for.'),
    max_sessions: integer(
      100_000,
      { min: 1, max: 1_000_000 },
      'Sessions open at once, all shards together; the next client hears 421.',
    ),
    drain_timeout: duration(
      '1min',
      { min: '0s', max: '1h' },
      'After SIGTERM: the time that deliveries under way have to finish.',
    ),
  }),

  backend: section('The mail server behind Sluice.', {
    address: connecting('127.0.0.1:10025', 'Address or name, and port.'),
    identity: choice('xclient', ['xclient', 'none'], 'How the backend learns who the client is.', [
      'none',
      'proxy-v1',
      'proxy-v2',
    ]),
    reuse: choice(
      'auto',
      ['auto', 'always', 'never'],
      'One connection for one client after another. auto: when a test at start shows that the backend allows it.',
    ),
    max_connections: integer(
      20,
      { min: 1, max: 10_000 },
      'Connections to the backend at once, all shards together.',
    ),
    verify_recipients: choice(
      'early',
      ['early', 'late'],
      'early: the backend is asked at each RCPT. late: it hears of recipients together with the message.',
    ),
    connect_timeout: duration('10s', { min: '100ms', max: '5min' }, 'For a connection and its greeting.'),
    reply_timeout: duration(
      '2min',
      { min: '1s', max: '10min' },
      'For one reply before the end of the message.',
    ),
    final_timeout: duration('10min', { min: '1s', max: '30min' }, 'For the reply to the end of the message.'),
    wait_max: duration(
      '30s',
      { min: '0s', max: '4min' },
      'How long a client waits for a free connection; then it hears 4xx.',
    ),
    hold: duration(
      '1s',
      { min: '0s', max: '1min' },
      'How long a connection stays with a client between its commands.',
    ),
    uses_max: integer(
      1_000,
      { min: 1, max: 1_000_000 },
      'Clients served by one reused connection before it is closed.',
    ),
  }),

  screen: section('Tests that a client passes once, before it is believed.', {
    greet_wait: duration(
      '6s',
      { min: '0s', max: '4min' },
      'Silence between the two halves of the greeting; who speaks in it has not waited for us.',
    ),
    banner: text('ESMTP', 200, 'Text behind the host name in the greeting.'),
    pregreet: choice(
      'refuse',
      onTrap,
      'A client that speaks before the greeting is complete. refuse: its recipients are refused. drop: 521 and close.',
    ),
    pipelining: choice(
      'refuse',
      onTrap,
      'A client that sends the next command before our reply, without leave.',
    ),
    non_smtp_command: choice(
      'drop',
      onTrap,
      'A client that speaks HTTP, or sends a message header for a command.',
    ),
    bare_newline: choice('ignore', onTrap, 'A client that ends a command line with LF alone.'),
    pass_ttl: duration('30d', { min: '0s', max: '365d' }, 'How long a passed test holds.'),
  }),

  smtp: section('Limits of the SMTP dialogue.', {
    bare_newline: choice(
      'reject',
      ['reject', 'normalize'],
      'A message with CR or LF alone. reject: 5xx. normalize: it is delivered with CR LF instead. Never sent on as it is.',
    ),
    command_time: duration(
      '5min',
      { min: '1s', max: '1h' },
      'For one command to arrive (RFC 5321, 4.5.3.2.7: 5 min).',
    ),
    data_block_time: duration('5min', { min: '1s', max: '1h' }, 'Between two pieces of a message.'),
    message_time: duration(
      '1h',
      { min: '1min', max: '24h' },
      'For a whole message to arrive, from DATA to its final dot.',
    ),
    command_line: size('2kB', { min: '512B', max: '64kB' }, 'Length of one command line, with its CR LF.'),
    commands_max: integer(
      1_000,
      { min: 10, max: 1_000_000 },
      'Commands of one session since its last delivered message.',
    ),
    errors_max: integer(
      20,
      { min: 1, max: 1_000_000 },
      'Commands of one session that were answered with an error, since its last delivered message.',
    ),
    recipients_max: integer(
      1_000,
      { min: 100, max: 100_000 },
      'Recipients of one message (RFC 5321, 4.5.3.1.8: at least 100).',
    ),
    message_size_max: size(
      '0B',
      { min: '0B', max: '10GB' },
      'Size of one message. 0B: what the backend announces.',
    ),
  }),

  shape: section('How clients with a bad score are slowed, within their own timers.', {
    slow_at: integer(
      40,
      { min: 1, max: 1_000 },
      'Score from which the greeting drips and replies are delayed.',
    ),
    reply_delay: duration('15s', { min: '0s', max: '4min' }, 'Delay of each reply.'),
    timer_share: integer(
      50,
      { min: 1, max: 90 },
      'Most that Sluice uses of any timer of the client, in percent.',
    ),
    total_max: duration(
      '10min',
      { min: '0s', max: '1h' },
      'Most that Sluice adds to one message, all delays together.',
    ),
    drip: size('16B', { min: '1B', max: '512B' }, 'Bytes of the greeting that a slow client gets at a time.'),
    drip_interval: duration('2s', { min: '100ms', max: '1min' }, 'Time between two drips.'),
  }),

  limits: section('Limits of each client (IPv4 address or IPv6 /64).', {
    connections: integer(50, { min: 1, max: 1_000_000 }, 'Sessions that it may have open at once.'),
  }),

  lists: section('Permanent lists of addresses and networks.', {
    allow: networks([], 'Never tested, never delayed.'),
    slow: networks([], 'Always slowed.'),
    deny: networks([], 'Always refused.'),
  }),

  dnsxl: later([], 'lists of clients in the DNS, each a block with zone, codes and weight'),
  dnsxl_policy: section('What DNS lists decide.', {
    resolvers: later([], 'the name servers to ask'),
    slow_at: later(3, 'the weight from which a listed client is slowed'),
    refuse_at: later(8, 'the weight from which a listed client is refused'),
  }),

  reputation: section('What is remembered of clients.', {
    entries: integer(
      1_000_000,
      { min: 1_024, max: 16_000_000 },
      'Clients remembered, in each process; 64 bytes of memory each, and 4 more for each shard.',
    ),
    file: later('', 'the file that keeps the memory over a restart'),
  }),

  spool: section('Where a message waits while it comes in.', {
    directory: path(
      '',
      'For messages that do not fit the memory. Empty: the temporary directory of the system.',
    ),
    message_memory: size('64kB', { min: '4kB', max: '100MB' }, 'Bytes of one message that stay in memory.'),
    memory_max: size('64MB', { min: '64kB', max: '16GB' }, 'Memory for all messages, in each shard.'),
    disk_max: size(
      '1GB',
      { min: '0B', max: '1000GB' },
      'Disk for all messages, in each shard; a full spool answers 452.',
    ),
  }),

  cluster: section('Other hosts.', {
    redis: later('', 'the Redis or Valkey server through which hosts share what they learn'),
  }),

  admin: section('The view from outside.', {
    address: later('', 'the address and port of the dashboard, the metrics and the API'),
    token_file: later('', 'the file with the token that a visitor must show'),
  }),

  log: section('The log on standard output: one line for each session, at its end.', {
    format: later('json', 'a choice between json and the lines of postscreen(8)'),
  }),

  privacy: section('What the log tells of clients.', {
    log_ip: later('full', 'a choice between full, truncate and hmac'),
  }),
} as const satisfies Readonly<Record<string, Entry>>;
