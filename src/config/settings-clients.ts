/**
 * settings-clients — the settings about who a client is: tests, limits, lists, memory, traps
 *
 * A part of THE table (settings), which says what a row is made of.
 */
import { choice, duration, flag, integer, path, text } from './kinds.ts';
import { codes, domains, localParts, mailboxes, networks, paths, resolvers } from './list-kinds.ts';
import { section, tables } from './sections.ts';
import { zone } from './zone-kinds.ts';

const onTrap = ['refuse', 'drop', 'ignore'] as const;
const ttl = { min: '0s', max: '365d' };
const AS_PASS_TTL = '0s: as pass_ttl.';
const rate = { min: 0, max: 1_000_000 };

export const clientSettings = {
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
    pass_ttl: duration('30d', ttl, 'How long a passed test holds.'),
    pregreet_ttl: duration('0s', ttl, `The same for pregreet alone. ${AS_PASS_TTL}`),
    pipelining_ttl: duration('0s', ttl, `The same for pipelining alone. ${AS_PASS_TTL}`),
    non_smtp_command_ttl: duration('0s', ttl, `The same for non_smtp_command alone. ${AS_PASS_TTL}`),
    bare_newline_ttl: duration('0s', ttl, `The same for bare_newline alone. ${AS_PASS_TTL}`),
  }),

  limits: section(
    'Limits of each client (IPv4 address or IPv6 /64) and of its network (/24 or /48). 0: none.',
    {
      connections: integer(50, { min: 1, max: 1_000_000 }, 'Sessions that a client may have open at once.'),
      network_connections: integer(0, rate, 'Sessions that a network may have open at once.'),
      window: duration('1min', { min: '2s', max: '1h' }, 'The time that a rate is counted over; it slides.'),
      connection_rate: integer(0, rate, 'Connections of a client in a window.'),
      message_rate: integer(0, rate, 'Messages of a client in a window (MAIL commands).'),
      recipient_rate: integer(0, rate, 'Recipients of a client in a window (RCPT commands).'),
      tls_rate: integer(0, rate, 'New TLS sessions of a client in a window.'),
      network_connection_rate: integer(0, rate, 'Connections of a network in a window.'),
      network_message_rate: integer(0, rate, 'Messages of a network in a window.'),
      network_recipient_rate: integer(0, rate, 'Recipients of a network in a window.'),
      network_tls_rate: integer(0, rate, 'New TLS sessions of a network in a window.'),
      slow_from: integer(
        50,
        { min: 1, max: 100 },
        'From this share of a rate on, in percent, replies are delayed in proportion; at the rate itself by all of shape.total_max. 100: not delayed.',
      ),
      exceptions: networks('Clients without limits. Those of lists.allow have none either.'),
      report_interval: duration(
        '10min',
        { min: '1s', max: '24h' },
        'How often the peaks of each kind are told on standard error.',
      ),
    },
  ),

  lists: section('Permanent lists of addresses and networks. SIGHUP reads them anew.', {
    allow: networks('Never tested, never delayed.'),
    slow: networks('Always slowed.'),
    deny: networks('Always refused.'),
    allow_files: paths('Files with more of the same: one address or network a line, # begins a comment.'),
    slow_files: paths('Likewise.'),
    deny_files: paths('Likewise.'),
  }),

  dnsxl: tables(
    'Lists of clients in the DNS. A zone may have several blocks with different codes; it is asked once.',
    {
      zone: zone('The zone, with the key of your subscription if it has one.'),
      codes: codes('The answers that count. Empty: 127.0.0.2-127.0.0.255.'),
      weight: integer(
        1,
        { min: -100, max: 100 },
        'What a listing adds; negative for a list of good clients.',
      ),
      shown_as: zone('The name in replies and logs. Set it when the zone holds a key. Empty: the zone.'),
      ipv6: choice(
        'auto',
        ['auto', 'off'],
        'auto: IPv6 clients are looked up when the zone has its IPv6 test entry.',
      ),
    },
    0,
  ),
  dnsxl_policy: section('What DNS lists decide. A list that cannot be asked decides nothing.', {
    resolvers: resolvers("The name servers to ask. Empty: the system's."),
    slow_at: integer(3, { min: 1, max: 1_000 }, 'The weight from which a listed client is slowed.'),
    refuse_at: integer(8, { min: 1, max: 1_000 }, 'The weight from which its recipients are refused.'),
    skip_at: integer(
      0,
      { min: -1_000, max: 0 },
      'The weight (negative) from which a client on lists of good ones is not made to wait. 0: never.',
    ),
    deadline: duration(
      '10s',
      { min: '100ms', max: '1min' },
      'A query that has no answer by then is given up.',
    ),
    ttl_min: duration('1min', { min: '0s', max: '1h' }, 'An answer is kept at least so long.'),
    ttl_max: duration('1h', { min: '1s', max: '24h' }, 'And at most so long.'),
    in_flight_max: integer(1_000, { min: 1, max: 30_000 }, 'Queries under way at once; the others wait.'),
    test_interval: duration(
      '1h',
      { min: '1s', max: '24h' },
      'How often the test entries of each zone are looked up (RFC 5782).',
    ),
    verify_interval: duration(
      '1min',
      { min: '100ms', max: '1h' },
      'A listing from memory counts beside a look-up, no older than this, that shows that the zone does not list everybody. A fresh listing waits for a fresh one.',
    ),
  }),

  reputation: section('What is remembered of clients.', {
    entries: integer(
      1_000_000,
      { min: 1_024, max: 16_000_000 },
      'Clients, networks and pools remembered, in each process; 64 bytes of memory each, and 4 more for each shard.',
    ),
    file: path('/var/lib/sluice/state.db', 'The file that keeps the memory over a restart. Empty: none.'),
    save_interval: duration(
      '2s',
      { min: '100ms', max: '4s' },
      'How often what has changed is written there.',
    ),
    keep: duration(
      '60d',
      { min: '1d', max: '3650d' },
      'Clients that were not seen for so long leave the file.',
    ),
  }),

  pools: section('Good standing earned by one sender counts for those who send with it.', {
    network: flag(true, 'The /24 of an IPv4 client, the /48 of an IPv6 client.'),
    spf: flag(
      true,
      'The networks that the SPF record of a sender domain names, once mail of it was verified and accepted.',
    ),
    spf_networks_max: integer(
      1_000,
      { min: 1, max: 100_000 },
      'Networks taken of one SPF record; one with more makes no pool.',
    ),
  }),

  greylist: section('Greylisting: the first try of a sender that is not known hears 450.', {
    enabled: flag(false, 'Off unless asked for: it delays honest mail.'),
    delay: duration('5min', { min: '1s', max: '24h' }, 'A try after this time is accepted.'),
    retry_max: duration('4h', { min: '1min', max: '7d' }, 'A try later than this begins anew.'),
    keep: duration('36d', { min: '1h', max: '365d' }, 'How long a pool that has come back is known.'),
  }),

  traps: section('Addresses and listeners that no honest sender comes to.', {
    recipients: mailboxes(
      'Addresses that were never published for mail. Whoever is not of good standing and names one is slowed.',
    ),
    learn: flag(false, 'Learn traps from names that do not exist and are asked for from many networks.'),
    trap_ttl: duration('1d', { min: '1min', max: '365d' }, 'How long a trapped client is slowed.'),
    low_priority: networks(
      'Our own addresses that are MX of the lowest priority. A stranger that comes there first is noted for it, which is enough to be slowed.',
    ),
    harvest: flag(
      false,
      'Answer recipients of a client that names many unknown ones ever more slowly, with the same delay for known and unknown names.',
    ),
    harvest_delay_max: duration('30s', { min: '1s', max: '2min' }, 'The longest of these delays.'),
  }),

  recipients: section('Recipients: what is remembered of them, and who has a standing of his own.', {
    no_ttl: duration(
      '1min',
      { min: '0s', max: '1h' },
      'How long a name that the backend does not know (550 5.1.1) is refused from memory. 0s: it is asked each time.',
    ),
    yes_ttl: duration(
      '0s',
      { min: '0s', max: '1h' },
      'How long a name that it has accepted is accepted from memory. It hears of the recipient with the message; if it refuses it then, to this client or to all, the sender hears 451 and is asked for at RCPT the next time.',
    ),
    always: localParts(
      ['postmaster', 'abuse'],
      'Names, in any domain, that every client may write to: also one whose recipients are refused for a failed test or for DNS lists. Empty: none.',
    ),
    never_slow: domains('Domains whose mail is not slowed: while all recipients of a message are of these.'),
  }),

  families: section('Families of zombies that are found in the traffic.', {
    feedback: flag(
      false,
      'A client recognised as a member of a family, and of no good standing, hears that its recipients do not exist (550 5.1.1), which makes botnets drop addresses. Off unless asked for: an honest stranger that speaks like a family loses its mail.',
    ),
  }),
} as const;
