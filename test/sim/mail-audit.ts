/**
 * mail-audit — was any mail lost, doubled, changed, or sent in another's name?
 *
 * Compares what the bots were told with what the backend stored. The only gap allowed is the one that SMTP leaves
 * (RFC 1047): a message whose answer never came over the backend's connection may be stored although its sender
 * was told 4xx, and one whose sender has gone may be either.
 */
import { messageText, stuffed } from '../../loadgen/bots/message.ts';
import { xtext } from '../../src/smtp/xclient.ts';
import type { Backend } from './backend.ts';
import type { Offer } from './client.ts';
import type { Stored } from './house.ts';
import { PORT_BASE } from '../../loadgen/virtual/client.ts';
import type { TriedCrowd } from './crowd.ts';
import { must } from './failure.ts';

/** What the audit counted. */
export interface MailCount {
  readonly told250: number;
  readonly stored: number;
  /** Stored, and its sender told 4xx. */
  readonly uncertain: number;
  readonly unanswered: number;
}

/** Compares both sides; throws SimFailure. `messagesUncertain`: what the shards counted. */
export function auditMail(crowd: TriedCrowd, backend: Backend, messagesUncertain: number): MailCount {
  const storedById = new Map<string, Stored>();
  for (const stored of backend.stored) {
    const serial = stored.port - PORT_BASE;
    must(!storedById.has(stored.id), 'no message is stored twice', serial, () => `${stored.id} was`);
    storedById.set(stored.id, stored);
    const offer = crowd.offers.get(stored.id);
    must(offer !== undefined, 'nothing is stored that nobody sent whole', serial, () => `${stored.id} was`);
    auditStored(offer, stored);
  }
  const count = { told250: 0, stored: storedById.size, uncertain: 0, unanswered: 0 };
  for (const offer of crowd.offers.values()) {
    const stored = storedById.get(offer.id);
    auditAnswer(offer, stored, backend);
    if (offer.answer === 0) count.unanswered += 1;
    else if (offer.answer < 300) count.told250 += 1;
    else if (stored !== undefined) count.uncertain += 1;
  }
  must(
    count.uncertain <= messagesUncertain,
    'what is uncertain is counted',
    -1,
    () => `${count.uncertain} stored and told 4xx, ${messagesUncertain} counted`,
  );
  return count;
}

function auditStored(offer: Offer, stored: Stored): void {
  const { client } = offer;
  const own = (what: string, got: string, want: string): void =>
    must(
      got === want,
      'a message carries its own client, envelope and text',
      client.serial,
      () => `${offer.id}: ${what}: got ${got}, want ${want}`,
    );
  own('address', stored.address, client.address);
  own('port', String(stored.port), String(PORT_BASE + client.serial));
  own('EHLO', stored.helo, offer.helo);
  own('HELO of XCLIENT', stored.xclientHelo, xtext(offer.helo));
  own('sender', stored.sender, offer.sender);
  if (client.bot.honest) own('recipients', stored.recipients.join(' '), offer.recipients.join(' '));
  const strangers = stored.recipients.filter((recipient) => !offer.recipients.includes(recipient));
  own('recipients that it never named', strangers.join(' '), '');
  const sent = Buffer.from(stuffed(messageText(offer.id, offer.bytes))).toString('latin1');
  own('text', stored.text === sent ? 'same' : JSON.stringify(stored.text.slice(-80)), 'same');
}

function auditAnswer(offer: Offer, stored: Stored | undefined, backend: Backend): void {
  const { client, id, answer } = offer;
  const { serial } = client;
  const isCalm = client.bot.honest && client.trouble.kind === 'none';
  if (answer === 0) {
    must(
      !isCalm || client.endedAs === 'gaveUp',
      'an honest sender is told what became of its message',
      serial,
      () => `${id} was not answered; the client ended as ${client.endedAs}`,
    );
    return;
  }
  if (answer < 300) {
    must(
      stored !== undefined,
      'no 250 without a stored message',
      serial,
      () => `${id} was told ${answer} and is not there`,
    );
  } else if (stored !== undefined) {
    must(
      answer < 500,
      'nothing is stored that was refused for good',
      serial,
      () => `${id} was told ${answer}`,
    );
    must(
      !stored.isAnswered,
      'a 250 of the backend is passed on',
      serial,
      () => `${id} was stored and answered 250, its sender told ${answer}`,
    );
  }
  if (answer >= 500 && isCalm) {
    must(
      backend.refusedIds.has(id),
      'only the backend refuses honest mail for good',
      serial,
      () => `${id} was told ${answer}`,
    );
  }
}

/** An honest client that nothing befell hears 5xx only to a message that the backend refused. */
export function auditHonest(crowd: TriedCrowd, backend: Backend): void {
  for (const client of crowd.clients) {
    if (!client.bot.honest || client.trouble.kind !== 'none' || client.heard5xx === 0) continue;
    const wasRefused = [...crowd.offers.values()].some(
      (offer) => offer.client === client && backend.refusedIds.has(offer.id),
    );
    must(
      wasRefused,
      'no 5xx to an honest sender for a fault that passes',
      client.serial,
      () => `it heard ${client.heard5xx}`,
    );
  }
}
