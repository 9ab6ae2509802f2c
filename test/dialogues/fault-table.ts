/**
 * fault-table — what a backend can do wrong, what the client hears of it, and which dialogue shows that
 *
 * The one place where this stands: the table in README.md is printed from it (test/readme-blocks), and fault-table.test looks
 * into each dialogue for the answer, the counters and the notice that its row names. A row without a dialogue cannot be written.
 */
import type { CounterName } from '../../src/session/counter-table.ts';
import type { ReplyName } from '../../src/smtp/replies.ts';

export interface FaultRow {
  /** What the backend does. */
  readonly fault: string;
  /** The reply of Sluice that the client hears; `own`: the backend's; `none`: the client notices nothing. */
  readonly hears: ReplyName | 'own' | 'none';
  /** What Sluice does. */
  readonly does: string;
  /** Counters that grow. */
  readonly counters: readonly CounterName[];
  /** Words of the notice; '' when nobody is told. */
  readonly notice: string;
  /** File and heading of the dialogue. */
  readonly dialogue: readonly [string, string];
}

const faults = 'backend-faults.md';
const tls = 'backend-tls.md';
const leaves = 'leaves it alone for half a second to 8 s';
const again = 'does the step again on another connection, three in all';

// prettier-ignore
export const faultTable: readonly FaultRow[] = [
  { fault: 'is down: the connection is refused', hears: 'backendDown', does: leaves,
    counters: ['lanesFailed'], notice: 'cannot be reached', dialogue: [faults, 'a refused connection is 451'] },
  { fault: 'is away: nothing answers the connection', hears: 'backendDown', does: 'waits for `backend.connect_timeout`',
    counters: ['lanesFailed'], notice: 'did not answer in time', dialogue: ['recipients.md', 'a backend that answers nobody costs its connect timeout and no more'] },
  { fault: 'is slow', hears: 'none', does: 'waits',
    counters: ['recipientsOk'], notice: '', dialogue: ['recipients.md', 'a slow backend is waited for'] },
  { fault: 'never answers RCPT', hears: 'backendBusy', does: 'gives up within the five minutes that a client waits',
    counters: ['lanesFailed', 'laneRetries'], notice: 'did not answer in time', dialogue: ['recipients.md', 'a backend that never answers a recipient costs less than the client\'s five minutes'] },
  { fault: 'has no connection left for longer than `backend.wait_max`', hears: 'backendBusy', does: 'lets the client ask again',
    counters: [], notice: '', dialogue: ['lanes.md', 'with every lane taken a recipient waits in line for wait_max'] },
  { fault: 'greets with 554', hears: 'backendDown', does: `${leaves}; its 5xx is meant for Sluice, not for the mail`,
    counters: ['lanesFailed'], notice: 'greeted with 554', dialogue: [faults, 'a greeting of 554 is 451, never 5xx'] },
  { fault: 'greets with 4xx', hears: 'backendDown', does: leaves,
    counters: ['lanesFailed'], notice: 'greeted with 450', dialogue: [faults, 'a greeting of 450 is 451'] },
  { fault: 'greets with 421', hears: 'backendDown', does: leaves,
    counters: ['lanesFailed'], notice: 'said 421', dialogue: [faults, 'a greeting of 421 is 451'] },
  { fault: 'does not greet', hears: 'backendDown', does: 'waits for `backend.connect_timeout`',
    counters: ['lanesFailed'], notice: 'did not answer in time', dialogue: [faults, 'a greeting that does not come is 451 after the connect timeout'] },
  { fault: 'refuses EHLO', hears: 'backendDown', does: leaves,
    counters: ['lanesFailed'], notice: 'answered EHLO with 554', dialogue: [faults, 'an EHLO refused is 451'] },
  { fault: 'says 421 in mid-session, to RCPT', hears: 'none', does: again,
    counters: ['lanesFailed', 'laneRetries'], notice: 'said 421', dialogue: [faults, '421 at RCPT: the step is done again on another lane'] },
  { fault: 'says 421 in mid-session, to DATA', hears: 'none', does: again,
    counters: ['lanesFailed', 'laneRetries'], notice: 'said 421', dialogue: [faults, '421 at DATA: the step is done again on another lane'] },
  { fault: 'says 421 each time', hears: 'backendDown', does: 'gives up after three connections',
    counters: ['lanesFailed', 'laneRetries'], notice: 'said 421', dialogue: [faults, '421 at every RCPT: three lanes are enough'] },
  { fault: 'says 421 to the final dot', hears: 'backendBusy', does: 'takes it for an answer: nothing is sent twice',
    counters: ['messagesDeferred', 'lanesFailed'], notice: 'said 421', dialogue: [faults, '421 behind the final dot is 451 and not repeated'] },
  { fault: 'closes at RCPT', hears: 'none', does: again,
    counters: ['lanesFailed', 'laneRetries'], notice: 'closed by the backend', dialogue: [faults, 'a lane lost at RCPT: the step is done again on another lane'] },
  { fault: 'closes in DATA, before the final dot was sent', hears: 'none', does: again,
    counters: ['laneRetries', 'messagesDelivered'], notice: 'closed by the backend', dialogue: [faults, 'a lane lost inside a large message: done again on another lane, delivered once'] },
  { fault: 'closes in DATA each time', hears: 'backendDown', does: 'gives up after three connections',
    counters: ['lanesFailed', 'laneRetries', 'messagesDeferred'], notice: 'closed by the backend', dialogue: [faults, 'lanes lost inside a large message each time: 451'] },
  { fault: 'closes behind the final dot without an answer', hears: 'backendLost', does: 'never sends the message again: the backend may have it',
    counters: ['messagesUncertain', 'lanesFailed'], notice: 'closed by the backend', dialogue: [faults, 'a lane lost behind the final dot is 451, uncertain, and not repeated'] },
  { fault: 'is silent after the dot', hears: 'backendLost', does: 'waits for `backend.final_timeout`, and never sends it again',
    counters: ['messagesUncertain', 'lanesFailed'], notice: 'did not answer in time', dialogue: [faults, 'silence behind the final dot is 451 after the final timeout, and uncertain'] },
  { fault: 'answers 250 to the dot and closes at once', hears: 'own', does: 'passes the 250 on',
    counters: ['messagesDelivered'], notice: '', dialogue: [faults, 'a backend that takes the message and closes at once has taken it'] },
  { fault: 'has vanished without a word under an idle connection (half-open)', hears: 'none', does: `waits for \`backend.reply_timeout\`, then ${again}`,
    counters: ['lanesFailed', 'laneRetries'], notice: 'did not answer in time', dialogue: [faults, 'a backend that has vanished under an idle lane is found out by its silence, and the step is done again'] },
  { fault: 'has vanished, and every new connection too', hears: 'backendDown', does: 'gives up after three connections',
    counters: ['lanesFailed', 'laneRetries'], notice: 'did not answer in time', dialogue: [faults, 'an XCLIENT that is not answered'] },
  { fault: 'sends garbage to RCPT', hears: 'none', does: again,
    counters: ['lanesFailed', 'laneRetries'], notice: 'sent something that is no reply', dialogue: [faults, 'garbage at RCPT: the lane is left'] },
  { fault: 'sends garbage to the dot', hears: 'backendLost', does: 'never sends the message again',
    counters: ['messagesUncertain', 'lanesFailed'], notice: 'sent something that is no reply', dialogue: [faults, 'garbage behind the final dot is 451 and uncertain'] },
  { fault: 'sends a reply without end', hears: 'none', does: again,
    counters: ['lanesFailed', 'laneRetries'], notice: 'sent something that is no reply', dialogue: [faults, 'a reply without end at RCPT: the lane is left'] },
  { fault: 'sends a reply too many (out of step)', hears: 'none', does: `leaves the connection, and ${again}`,
    counters: ['lanesFailed', 'laneRetries'], notice: 'sent a reply that nobody asked for', dialogue: [faults, 'a reply said twice at RCPT: the lane is left, the step is done again on another'] },
  { fault: 'speaks on an idle connection (out of step)', hears: 'none', does: 'leaves the connection',
    counters: ['lanesFailed'], notice: 'sent a reply that nobody asked for', dialogue: [faults, 'a reply that nobody asked for closes an idle lane'] },
  { fault: 'answers RCPT with 3xx (out of step)', hears: 'none', does: `leaves the connection, and ${again}`,
    counters: ['lanesFailed', 'laneRetries'], notice: 'answered 354 to a command that nothing follows', dialogue: [faults, 'a 3xx at RCPT is no answer'] },
  { fault: 'does not offer XCLIENT', hears: 'backendDown', does: 'sends nothing: it would pass for Sluice\'s own',
    counters: ['identityRefused', 'lanesFailed'], notice: 'does not offer XCLIENT to Sluice', dialogue: [faults, 'a backend without XCLIENT gets no mail'] },
  { fault: 'withdraws XCLIENT while Sluice runs', hears: 'backendDown', does: 'sends nothing until XCLIENT is taken again',
    counters: ['identityRefused', 'lanesFailed'], notice: 'answered XCLIENT with 550', dialogue: [faults, 'an XCLIENT that is withdrawn while Sluice runs: mail stays with its sender, until it is taken again'] },
  { fault: 'takes the PROXY header for a command', hears: 'backendDown', does: 'sends nothing',
    counters: ['identityRefused', 'lanesFailed'], notice: 'took the PROXY header for a command', dialogue: ['proxy.md', 'a backend that takes the header of version 1 for a command hears of no mail'] },
  { fault: 'shows a certificate that nobody vouches for', hears: 'backendDown', does: 'sends nothing, not even the client\'s name',
    counters: ['lanesTlsFailed', 'lanesFailed'], notice: 'TLS: its certificate is not vouched for by backend.tls_ca', dialogue: [tls, 'a certificate that nobody vouches for'] },
  { fault: 'shows a certificate for another name', hears: 'backendDown', does: 'sends nothing',
    counters: ['lanesTlsFailed', 'lanesFailed'], notice: 'TLS: its certificate is for another name', dialogue: [tls, 'a certificate for another name'] },
  { fault: 'shows a certificate that is out of date', hears: 'backendDown', does: 'sends nothing',
    counters: ['lanesTlsFailed', 'lanesFailed'], notice: 'TLS: its certificate is out of date', dialogue: [tls, 'a certificate that is out of date'] },
  { fault: 'offers no STARTTLS where TLS is required', hears: 'backendDown', does: 'sends nothing',
    counters: ['lanesTlsFailed', 'lanesFailed'], notice: 'does not offer STARTTLS', dialogue: [tls, 'a backend that offers no STARTTLS hears nothing more'] },
  { fault: 'refuses the client\'s EHLO', hears: 'own', does: 'passes it on, at RCPT',
    counters: [], notice: '', dialogue: [faults, 'a client\'s EHLO that the backend refuses: the client hears it at its recipient'] },
  { fault: 'refuses with the message a recipient that it had accepted', hears: 'envelopeChanged', does: 'hands nothing over',
    counters: ['messagesDeferred'], notice: '', dialogue: [faults, 'a recipient that was promised and is refused with the message is 451'] },
];
