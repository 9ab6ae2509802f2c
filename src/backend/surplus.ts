/**
 * surplus — what is wrong with a reply beside the step that it answers
 *
 * A reply that promises more (3xx) where nothing follows, or bytes behind it when nothing else was asked: the next command
 * would take them for its answer, and one client would hear what another's words have brought about. So the lane closes, and
 * says why. Behind STARTTLS they would pass for words said inside TLS, and behind a PROXY header they show that it was taken
 * for a command. Behind the answer to a message they hurt nobody but the lane: that answer is the client's, and is passed on.
 */
import type { Step } from './lane-host.ts';
import { Fault } from './lane-host.ts';
import { UNASKED_HEADER } from './opening.ts';

/** Why a lane closes, and who is to blame. */
export interface Complaint {
  readonly why: string;
  readonly fault: Fault;
}

/** What is wrong with a reply of `code` to `step`; null when nothing is. `isMore`: bytes follow that were not asked for. */
export function complaintOf(
  step: Step,
  code: number,
  isMore: boolean,
  isForOneClient: boolean,
): Complaint | null {
  if (step !== 'data' && code >= 300 && code < 400)
    return { why: `answered ${code} to a command that nothing follows`, fault: Fault.Backend };
  if (!isMore || step === 'final') return null;
  if (step === 'startTls')
    return {
      why: 'sent more behind its answer to STARTTLS: it would pass for words in TLS',
      fault: Fault.Tls,
    };
  if (isForOneClient && (step === 'greeting' || step === 'ehlo'))
    return { why: UNASKED_HEADER, fault: Fault.Identity };
  return { why: 'sent a reply that nobody asked for', fault: Fault.Backend };
}
