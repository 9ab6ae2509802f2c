/**
 * counter-table — THE table of what is counted
 *
 * Name, unit, what it says and what to do about it. The order is that of the columns (counters); metrics, documentation and
 * tests come from it. Endings are counted by their own table (endings).
 */
interface Counter {
  readonly unit:
    | 'sessions'
    | 'commands'
    | 'messages'
    | 'recipients'
    | 'connections'
    | 'bytes'
    | 'milliseconds'
    | 'checks'
    | 'pools'
    | 'lines'
    | 'look-ups'
    | 'questions'
    | 'times'
    | 'turns'
    | 'shards';
  readonly says: string;
}

export const counterTable = {
  sessionsOpened: { unit: 'sessions', says: 'Sessions that were accepted.' },
  sessionsClosed: { unit: 'sessions', says: 'Sessions that ended; opened less closed are open now.' },
  sessionsFull: {
    unit: 'sessions',
    says: 'Clients that found every slot taken and heard 421. Raise engine.max_sessions.',
  },
  announced: { unit: 'sessions', says: 'Sessions that began with the PROXY header of a trusted proxy.' },
  pacedInstant: { unit: 'sessions', says: 'Sessions begun at full speed: known good or on the allow list.' },
  pacedScreened: { unit: 'sessions', says: 'Sessions of unknown clients, which wait for screen.greet_wait.' },
  pacedSlow: { unit: 'sessions', says: 'Sessions begun slow: on the slow list or with a bad score.' },
  turnedSlow: {
    unit: 'sessions',
    says: 'Sessions that became slow for what the client did or what was learnt of it.',
  },
  outlasted: {
    unit: 'sessions',
    says: 'Slow sessions whose message was accepted: they waited through their plan, and went on at full speed.',
  },
  held: {
    unit: 'messages',
    says: 'Messages of slow clients held before the backend. Those that left meanwhile: `ending.leftHold`.',
  },
  recognised: {
    unit: 'sessions',
    says: 'Strangers that were recognised as members of a family of zombies while they spoke, and slowed for it.',
  },
  knownByPool: {
    unit: 'sessions',
    says: 'Sessions at full speed of clients that are known by their network or pool alone.',
  },
  spfChecked: {
    unit: 'checks',
    says: 'Good senders whose domain was looked up (SPF), to make a pool of it.',
  },
  spfPassed: { unit: 'checks', says: 'Of these, senders that their domain authorises.' },
  spfUnanswered: {
    unit: 'checks',
    says: 'Of these, senders of whom the DNS told nothing in time. Look at dnsxl_policy.resolvers.',
  },
  spfDropped: { unit: 'checks', says: 'Senders that were not looked up since too many others waited.' },
  poolsMade: { unit: 'pools', says: 'Sender domains that became a pool.' },
  poolsRefused: {
    unit: 'pools',
    says: 'Verified senders whose record names them by nothing that makes a pool, such as +all, or names too much.',
  },
  passedNew: { unit: 'sessions', says: 'Clients that passed every test and went on in the same session.' },
  commands: { unit: 'commands', says: 'Command lines read.' },
  errors: { unit: 'commands', says: 'Commands answered with an error of the client.' },
  pregreet: { unit: 'sessions', says: 'Clients that spoke before the greeting.' },
  pipelining: {
    unit: 'sessions',
    says: 'Clients that sent commands ahead of replies before that was offered.',
  },
  nonSmtpCommand: { unit: 'sessions', says: 'Clients that spoke another protocol.' },
  bareNewline: { unit: 'sessions', says: 'Clients that ended a command with a bare LF.' },
  tlsStarted: { unit: 'sessions', says: 'STARTTLS answered 220.' },
  tlsDone: { unit: 'sessions', says: 'TLS handshakes that were finished.' },
  tlsFailed: { unit: 'sessions', says: 'TLS handshakes that failed, or were not finished in time.' },
  tlsRefused: {
    unit: 'commands',
    says: 'STARTTLS answered 454. Raise tls.handshakes_max, or look for a flood of handshakes.',
  },
  listed: { unit: 'sessions', says: 'Clients with a weight of dnsxl_policy.slow_at or more on DNS lists.' },
  listedGood: {
    unit: 'sessions',
    says: 'Unknown clients that were not made to wait since DNS lists of good clients have them.',
  },
  recipientsOk: { unit: 'recipients', says: 'Recipients that the backend accepted.' },
  recipientsBad: { unit: 'recipients', says: 'Recipients refused by the backend.' },
  recipientsScreened: {
    unit: 'recipients',
    says: 'Recipients refused because the client had failed a test.',
  },
  recipientsListed: {
    unit: 'recipients',
    says: 'Recipients refused because DNS lists have the client.',
  },
  recipientsCached: { unit: 'recipients', says: 'Unknown recipients answered from memory.' },
  recipientsPromised: {
    unit: 'recipients',
    says: 'Known recipients answered from memory (recipients.yes_ttl); the backend hears of them with the message.',
  },
  recipientsAlways: {
    unit: 'recipients',
    says: 'Recipients of recipients.always, named by clients whose others are refused.',
  },
  greylisted: { unit: 'recipients', says: 'Recipients answered 450 because the sender is not known yet.' },
  greylistPassed: {
    unit: 'recipients',
    says: 'Recipients of senders that came again in time; their network is known from then on.',
  },
  trapsSprung: { unit: 'recipients', says: 'Recipients that are traps.' },
  trapsLearned: {
    unit: 'recipients',
    says: 'Names that became traps because strangers of many networks asked for them.',
  },
  feedbackGiven: {
    unit: 'recipients',
    says: 'Recipients of members of a family that were answered as if they did not exist (families.feedback).',
  },
  lowPriorityFirst: { unit: 'sessions', says: 'Strangers that came first to the MX of the lowest priority.' },
  harvestSlowed: {
    unit: 'recipients',
    says: 'Recipients answered late because the client names many unknown ones.',
  },
  messagesReceived: { unit: 'messages', says: 'Messages received to their end.' },
  chunks: {
    unit: 'times',
    says: 'Parts of messages that came by BDAT, those that were thrown away included.',
  },
  streamed: {
    unit: 'messages',
    says: 'Messages that began to go to the backend while they still came in (spool.stream_from).',
  },
  streamsGivenUp: {
    unit: 'messages',
    says: 'Of these, messages that were handed over again from their start when whole: the client paused, the connection was lost, or somebody waited for it.',
  },
  messagesDelivered: { unit: 'messages', says: 'Messages that the backend took (2xx).' },
  messagesDeferred: { unit: 'messages', says: 'Messages answered 4xx. Look at the backend.' },
  messagesRefused: { unit: 'messages', says: 'Messages answered 5xx.' },
  messagesUncertain: {
    unit: 'messages',
    says: 'Messages sent whole to a backend that never answered; the client was told 451.',
  },
  bytesIn: { unit: 'bytes', says: 'Bytes read from clients.' },
  bytesOut: { unit: 'bytes', says: 'Bytes given to clients.' },
  delay: { unit: 'milliseconds', says: 'Waiting time that clients were made to spend.' },
  overConnections: { unit: 'sessions', says: 'Sessions over limits.connections.' },
  overNetworkConnections: { unit: 'sessions', says: 'Sessions over limits.network_connections.' },
  overConnectionRate: { unit: 'sessions', says: 'Sessions over limits.connection_rate.' },
  overNetworkConnectionRate: { unit: 'sessions', says: 'Sessions over limits.network_connection_rate.' },
  overMessageRate: { unit: 'commands', says: 'MAIL commands over limits.message_rate.' },
  overNetworkMessageRate: { unit: 'commands', says: 'MAIL commands over limits.network_message_rate.' },
  overRecipientRate: { unit: 'commands', says: 'RCPT commands over limits.recipient_rate.' },
  overNetworkRecipientRate: { unit: 'commands', says: 'RCPT commands over limits.network_recipient_rate.' },
  overTlsRate: {
    unit: 'sessions',
    says: 'TLS sessions over limits.tls_rate, refused before or after they began.',
  },
  overNetworkTlsRate: { unit: 'sessions', says: 'The same over limits.network_tls_rate.' },
  slowedByRate: {
    unit: 'commands',
    says: 'Greetings and replies that were delayed because a rate came near its limit.',
  },
  stressedNow: { unit: 'shards', says: 'Shards that are under stress now. See [stress].' },
  sheddingNow: { unit: 'shards', says: 'Of these, shards that shed sessions now.' },
  stressEntered: { unit: 'times', says: 'A shard came under stress. The notices say of what.' },
  sheddingBegun: { unit: 'times', says: 'A shard under stress began to shed sessions.' },
  shedForSessions: {
    unit: 'sessions',
    says: 'Sessions shed, or not let in, for want of slots. `ending.shed…` says which. Raise engine.max_sessions.',
  },
  shedForMemory: { unit: 'sessions', says: 'The same for want of memory. Raise spool.memory_max.' },
  shedForLoop: {
    unit: 'sessions',
    says: 'The same since the thread could not keep up. Raise engine.shards.',
  },
  shedForBackend: { unit: 'sessions', says: 'The same since the backend was slow. Look at the backend.' },
  shedObserved: {
    unit: 'sessions',
    says: 'In observe mode: sessions let in that would have been shed, or others in their stead.',
  },
  lanesOpened: { unit: 'connections', says: 'Connections made to the backend.' },
  lanesFailed: {
    unit: 'connections',
    says: 'Connections to the backend that failed or were closed on a surprise. Look at the backend.',
  },
  lanesTlsFailed: {
    unit: 'connections',
    says: 'Of these, connections on which TLS did not come about (backend.tls); nothing was sent there. The notices say why.',
  },
  lanesReused: { unit: 'sessions', says: 'Clients that were given a lane which had served another before.' },
  laneRetries: {
    unit: 'connections',
    says: 'Steps done again on another lane before anything was committed.',
  },
  identityRefused: {
    unit: 'connections',
    says: 'XCLIENT or a PROXY header was not accepted; nothing was sent there. See backend.identity.',
  },
  spilled: { unit: 'messages', says: 'Messages that grew over spool.message_memory and went to a file.' },
  spoolFull: {
    unit: 'messages',
    says: 'Messages answered 452 because the spool was full. Raise spool limits.',
  },
  dnsQueries: {
    unit: 'questions',
    says: 'Questions put to DNS lists, with those for test entries, proofs and reasons.',
  },
  dnsClean: { unit: 'look-ups', says: 'Look-ups of clients that a DNS list does not have.' },
  dnsListed: { unit: 'look-ups', says: 'Look-ups of clients that a DNS list has, and that counted.' },
  dnsCached: { unit: 'look-ups', says: 'Look-ups answered from memory.' },
  dnsCoalesced: {
    unit: 'sessions',
    says: 'Sessions that joined the look-ups of another session of the client.',
  },
  dnsTimeouts: {
    unit: 'questions',
    says: 'Questions to DNS lists that had no answer within dnsxl_policy.deadline.',
  },
  dnsSlow: { unit: 'questions', says: 'Questions to DNS lists that were answered after a second or later.' },
  dnsErrors: {
    unit: 'questions',
    says: 'Answers of DNS lists that were errors or could not be read. See sluice dnsxl test.',
  },
  dnsUnproven: {
    unit: 'look-ups',
    says: 'Listings that did not count since it could not be shown that the list does not have everybody.',
  },
  dnsDropped: {
    unit: 'look-ups',
    says: 'Look-ups not made for want of room. Raise dnsxl_policy.in_flight_max.',
  },
  dnsSuspensions: { unit: 'times', says: 'A DNS list was suspended. The notices say which, and why.' },
  leavingsDropped: {
    unit: 'sessions',
    says: 'Sessions that ended in a rush and were left out of the search for families.',
  },
  logDropped: { unit: 'lines', says: 'Log lines dropped because their reader was too slow.' },
} as const satisfies Record<string, Counter>;

export type CounterName = keyof typeof counterTable;
