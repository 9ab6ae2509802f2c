/**
 * always — recipients that are heard whoever asks, and those whose mail is not slowed
 *
 * `recipients.always` (postmaster and abuse as shipped): a client whose recipients are refused, for a failed test or for DNS
 * lists, may still write to these, and the backend decides. RFC 5321 §4.5.1 asks for the first, and whoever is taken for a zombie
 * wrongly needs an address that hears it. The client is slowed as ever, and earns nothing by it: a delivered message
 * to postmaster is no sign of an honest sender.
 *
 * `recipients.never_slow`: domains whose owners want no mail slowed. While every accepted recipient of a message is of one of
 * them, the plan of the session rests: from the reply to RCPT to the answer to the message nothing is delayed. The greeting and what was
 * said before are over by then; what rates ask for (limit) stays.
 *
 * Cost: a few string operations at RCPT, for clients that are refused or slow alone.
 */
import type { Envelope } from '../session/envelope.ts';
import { Flag } from '../session/sessions.ts';
import { isRefused } from './listed.ts';
import { mailboxOf } from './traps.ts';
import type { Works } from './works.ts';

/** Whether the recipient that an argument names (`TO:<…> …`) is one of `recipients.always`. */
export function isAlwaysHeard({ hearing }: Works, recipient: string): boolean {
  if (hearing.always.size === 0) return false;
  const mailbox = mailboxOf(recipient);
  const at = mailbox.lastIndexOf('@');
  const local = at < 0 ? mailbox : mailbox.slice(0, at);
  // Behind a source route (`@a,@b:postmaster`), and with a domain or without.
  return hearing.always.has(local.slice(local.lastIndexOf(':') + 1));
}

/** Whether the message in hand is refused for what DNS lists say: not if all its recipients are always heard. */
export function isMessageRefused(works: Works, slot: number): boolean {
  if (!isRefused(works, slot)) return false;
  const { recipients } = works.sessions.envelopes[slot]!;
  for (const recipient of recipients) if (!isAlwaysHeard(works, recipient)) return true;
  return recipients.length === 0;
}

/** Whether the client is heard only by those who hear everybody. */
export function isBarelyHeard(works: Works, slot: number): boolean {
  return works.sessions.has(slot, Flag.RefuseRecipients) || isRefused(works, slot);
}

/** Whether a delivered message says something for the client: not when it was taken as everybody's would be. */
export function isToItsCredit(works: Works, slot: number): boolean {
  if (!isBarelyHeard(works, slot)) return true;
  const { recipients } = works.sessions.envelopes[slot]!;
  for (const recipient of recipients) if (!isAlwaysHeard(works, recipient)) return true;
  return false;
}

/** A recipient was accepted: the message stays one that is not slowed, or becomes one that is. */
export function weighDomain({ hearing }: Works, envelope: Envelope, recipient: string): void {
  if (hearing.neverSlow.size === 0) return;
  const mailbox = mailboxOf(recipient);
  const isSpared = hearing.neverSlow.has(mailbox.slice(mailbox.lastIndexOf('@') + 1));
  envelope.isNeverSlow = isSpared && (envelope.recipients.length === 1 || envelope.isNeverSlow);
}
