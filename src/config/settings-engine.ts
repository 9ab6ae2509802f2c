/**
 * settings-engine — the settings of the machinery: threads, backend, protocol, delays, spool
 *
 * A part of THE table (settings), which says what a row is made of.
 */
import { choice, connecting, duration, flag, hostName, integer, path, size } from './kinds.ts';
import { section, tables } from './sections.ts';

export const engineSettings = {
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

  backend: section('The mail server behind Sluice, or all of them (see [[server]]).', {
    address: connecting('127.0.0.1:10025', 'Address or name, and port. Of several servers: [[server]].'),
    tls: choice(
      'off',
      ['off', 'required', 'unverified'],
      'STARTTLS to the backend. required: with a backend whose certificate is good, or mail waits with its sender. unverified: encrypted, but with anybody.',
    ),
    tls_ca: path(
      '',
      'A file of PEM certificates; one of them has to vouch for that of the backend. Empty: those that the system trusts.',
    ),
    tls_name: hostName(
      '',
      'The name that the certificate of the backend has to bear. Empty: the host in address.',
    ),
    identity: choice(
      'xclient',
      ['xclient', 'proxy-v1', 'proxy-v2', 'none'],
      'How the backend learns who the client is. proxy-…: by a PROXY header, one connection for each client. none: it takes all for Sluice.',
    ),
    reuse: choice(
      'auto',
      ['auto', 'always', 'never'],
      'One connection for one client after another. auto: when a test at start shows that the backend allows it.',
    ),
    max_connections: integer(
      20,
      { min: 1, max: 10_000 },
      'Connections to the backend at once, all shards of all processes and all servers together; one for each process at least.',
    ),
    adapt: flag(
      true,
      'Use no more connections at once than each server works on: fewer when it becomes slow or says 421, up to max_connections when it does not.',
    ),
    verify_recipients: choice(
      'early',
      ['early', 'late'],
      'early: the backend is asked at each RCPT. late: it hears of recipients together with the message.',
    ),
    connect_timeout: duration(
      '10s',
      { min: '100ms', max: '5min' },
      'For a connection and its greeting; for a TLS handshake as long again.',
    ),
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

  server: tables(
    'Several mail servers instead of backend.address. One block for each; the other settings of [backend] hold for all.',
    {
      address: connecting('127.0.0.1:10025', 'Address or name, and port.'),
      weight: integer(1, { min: 1, max: 100 }, 'Its share of the clients, by the weights of all.'),
      tls_name: hostName(
        '',
        'The name that the certificate of this server has to bear. Empty: the host in address.',
      ),
    },
    0,
  ),

  smtp: section('Limits of the SMTP dialogue.', {
    bare_newline: choice(
      'reject',
      ['reject', 'normalize'],
      'A message with CR or LF alone. reject: 5xx. normalize: it is delivered with CR LF instead. Never sent on as it is.',
    ),
    chunking: flag(
      true,
      'Offer CHUNKING: messages may come in parts (BDAT). The backend gets them by DATA and need not know of it.',
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
      'Recipients of one message (RFC 5321, 4.5.3.1.8: at least 100). Below 1,000 senders are told by LIMITS (RFC 9422).',
    ),
    message_size_max: size(
      '0B',
      { min: '0B', max: '10GB' },
      'Size of one message. 0B: what the backend announces.',
    ),
  }),

  tls: section('STARTTLS towards clients, on listeners with a certificate.', {
    min_version: choice('1.2', ['1.2', '1.3'], 'The oldest version of TLS that is spoken.'),
    handshake_timeout: duration(
      '10s',
      { min: '1s', max: '5min' },
      'For the handshake, from our 220 to its end; then the client is cut off.',
    ),
    handshakes_max: integer(
      500,
      { min: 1, max: 100_000 },
      'Handshakes under way at once, in each shard; the next client hears 454 and may go on in plaintext.',
    ),
    trace_header: flag(
      false,
      'A field in front of each message for the backend: "X-Sluice-TLS: " and the protocol and cipher of its client, or none.',
    ),
  }),

  shape: section(
    'How suspicious clients are slowed, in proportion to their score and within their own timers.',
    {
      slow_from: integer(
        15,
        { min: 0, max: 999 },
        'Score above which a client is slowed: a little at first, in proportion, in full at slow_at.',
      ),
      slow_at: integer(
        40,
        { min: 1, max: 1_000 },
        'Score of the full plan: the delays below as they stand. A higher score stretches them further.',
      ),
      scale_max: integer(
        400,
        { min: 100, max: 1_000 },
        'Most that a score stretches the plan to, in percent; the timers and total_max hold all the same.',
      ),
      reply_delay: duration('15s', { min: '0s', max: '4min' }, 'Delay of the greeting and of each reply.'),
      body_rate: size('1kB', { min: '64B', max: '1GB' }, 'Bytes of a message that are read in a second.'),
      hold: duration(
        '1min',
        { min: '0s', max: '5min' },
        'How long a whole message is held before the backend sees anything of it. Who leaves meanwhile has delivered nothing.',
      ),
      timer_share: integer(
        50,
        { min: 1, max: 90 },
        'Most that Sluice uses of any timer of the client, in percent.',
      ),
      total_max: duration(
        '10min',
        { min: '0s', max: '1h' },
        'Most that Sluice adds to one session, all delays together.',
      ),
      drip: size(
        '16B',
        { min: '1B', max: '512B' },
        'Bytes of the greeting, or of a reply, that go out at a time.',
      ),
      drip_interval: duration(
        '2s',
        { min: '100ms', max: '1min' },
        'Time between two drips, and between two reads of a slow body.',
      ),
      drip_replies: flag(
        false,
        'Replies drip as the greeting does, instead of coming whole at the end of their delay.',
      ),
    },
  ),

  stress: section(
    'What is done when it becomes too much: of sessions, memory, work or waiting for the backend.',
    {
      enter: integer(
        90,
        { min: 2, max: 98 },
        'Load in percent from which waits are short: stress. Of the slots for strangers, spool.memory_max, loop_delay or backend_latency.',
      ),
      leave: integer(70, { min: 1, max: 97 }, 'Load in percent at which stress is over.'),
      shed: integer(
        95,
        { min: 3, max: 99 },
        'Load in percent from which sessions are shed; at enter shedding is over.',
      ),
      greet_wait: duration(
        '2s',
        { min: '0s', max: '4min' },
        'Under stress: the silence in the greeting, if screen.greet_wait is longer.',
      ),
      command_time: duration(
        '10s',
        { min: '1s', max: '1h' },
        'Under stress: for one command of a client that is not of good standing, if smtp.command_time is longer.',
      ),
      delays: integer(
        50,
        { min: 0, max: 100 },
        'Under stress: how much is kept of the delays of slow clients, in percent.',
      ),
      reserve: integer(
        10,
        { min: 0, max: 90 },
        'Slots in percent of engine.max_sessions that only clients of good standing may take.',
      ),
      network_share: integer(
        10,
        { min: 1, max: 100 },
        'Slots in percent that one network (/24, /48) may hold under stress; a stranger of it beyond that hears 421. 100: no such limit.',
      ),
      loop_delay: duration(
        '500ms',
        { min: '10ms', max: '1min' },
        'A load of 100 percent: what has happened is answered so much later, on average of the last seconds.',
      ),
      backend_latency: duration(
        '20s',
        { min: '100ms', max: '5min' },
        'A load of 100 percent: the backend judges a recipient so much later, with the wait for a connection.',
      ),
    },
  ),

  spool: section('Where a message waits while it comes in.', {
    directory: path(
      '',
      'For messages that do not fit the memory. Empty: the temporary directory of the system.',
    ),
    message_memory: size('64kB', { min: '4kB', max: '100MB' }, 'Bytes of one message that stay in memory.'),
    memory_max: size(
      '64MB',
      { min: '64kB', max: '16GB' },
      'Memory for all messages, all shards together; what does not fit goes to disk. Several processes have equal parts.',
    ),
    disk_max: size(
      '1GB',
      { min: '0B', max: '1000GB' },
      'Disk for all messages, all shards together; a full spool answers 452. Several processes have equal parts.',
    ),
    stream_from: size(
      '1MB',
      { min: '0B', max: '1000GB' },
      'A larger message of a client in good standing goes to the backend while it still comes in; 0B: none does.',
    ),
  }),
} as const;
