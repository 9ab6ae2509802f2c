/**
 * limit — is this one connection, message or recipient too many?
 *
 * Called where the client asks for something that a limit counts: by admit for the connection, by converse for MAIL and
 * RCPT, around the handshake for a TLS session. Sessions open at once are counted by the leases that every session
 * holds on its client and its network (reputation/opens): they belong to a shard and end with it. Rates are counted in
 * meters (reputation/meters). When the table has no room for a meter the rate is not limited, as Postfix goes on
 * without its anvil.
 *
 * The client's limit is asked before its network's; what one of them refuses counts for neither. Whoever is on the allow
 * list, allowed by an operator or in `limits.exceptions` is not looked at. In observe mode limits are counted and logged,
 * and nothing is refused or delayed.
 *
 * Cost: nothing without a limit; one look-up in the table for each rate that is limited. A refusal makes two strings.
 */
import { excessDelayMs, Limit, limitNames, limitRow, NO_LIMIT } from '../policy/limits.ts';
import { Timer } from '../policy/patience.ts';
import { whyLimit } from '../policy/would-reasons.ts';
import { Kind, nameOfKey, networkKey, newKey } from '../reputation/keys.ts';
import { countEvent, rateNow, uncountEvent } from '../reputation/meters.ts';
import { Rate } from '../reputation/rates.ts';
import { Count } from '../session/counters.ts';
import { PeakKind } from '../session/peaks.ts';
import { Phase } from '../session/phase.ts';
import { Flag } from '../session/sessions.ts';
import type { ReplyName } from '../smtp/replies.ts';
import { encodeLine, replyTable } from '../smtp/replies.ts';
import { dismiss } from './end.ts';
import { isObserving } from './observe.ts';
import { say } from './speak.ts';
import type { Works } from './works.ts';
import { epochSec } from './works.ts';

const key = newKey();

/**
 * Counts a connection of which the client has `open` sessions, this one included. Returns the limit for which it is to be
 * sent away, NO_LIMIT if for none.
 */
export function overAtConnect(works: Works, slot: number, open: number): number {
  const { sessions, limits, reputation } = works;
  if (sessions.has(slot, Flag.Unlimited)) return NO_LIMIT;
  notePeak(works, slot, PeakKind.Count, open);
  const network = sessions.networks[slot]!;
  const openAround = network < 0 ? 1 : reputation.openOf(network);
  let limit: number = NO_LIMIT;
  if (isOver(open, limits.values[Limit.connections]!)) limit = Limit.connections;
  else if (isOver(openAround, limits.values[Limit.network_connections]!)) limit = Limit.network_connections;
  else limit = overRate(works, slot, Rate.Connections);
  if (isRefused(works, slot, limit)) return limit;
  // The session would have ended here.
  if (limit !== NO_LIMIT) works.would.end(slot, whyLimit(limit));
  return NO_LIMIT;
}

/** Counts a MAIL command; false when it was answered 450. */
export function mayMail(works: Works, slot: number): boolean {
  return mayAsk(works, slot, Rate.Messages);
}

/** Counts a RCPT command; false when it was answered 450. */
export function mayRcpt(works: Works, slot: number): boolean {
  if (mayAsk(works, slot, Rate.Recipients)) return true;
  works.sessions.bump(works.sessions.recipientsBad, slot);
  return false;
}

/**
 * Whether a client that says STARTTLS may have a handshake; false when it was answered 454. Nothing is counted yet: only
 * a handshake shows whether the session is new.
 */
export function tlsAllowed(works: Works, slot: number): boolean {
  const limit = overTls(works, slot, false);
  if (!isRefused(works, slot, limit)) return true;
  sayOver(works, slot, limit);
  return false;
}

/**
 * Counts a handshake that came to an end. `isNew`: no earlier session was resumed. False when it was one too many: the
 * client was told 421. It counts all the same, since it was paid for.
 */
export function tlsBegun(works: Works, slot: number, isNew: boolean): boolean {
  if (!isNew) return true;
  const limit = overTls(works, slot, true);
  if (!isRefused(works, slot, limit)) {
    if (limit !== NO_LIMIT) works.would.end(slot, whyLimit(limit));
    return true;
  }
  dismiss(works, slot, 'tlsRate', limitReply(works, slot, limit, 'oneTlsSessionTooMany'));
  return false;
}

/** The line that says that a limit is exceeded, whose it is, and by which name the operator knows it. */
export function limitReply(works: Works, slot: number, limit: number, reply: ReplyName): Uint8Array {
  const { sessions, config } = works;
  networkKey(sessions.addresses, slot * 4, key);
  const whose =
    limitRow(limit).of === 'client' ? sessions.clients[slot]! : nameOfKey(Kind.Network, key[0]!, key[1]!);
  const text = replyTable[reply].text.replace('%h', config.hostname).replace('%a', whose);
  return encodeLine(`${text} (${limitNames[limit]})`);
}

function mayAsk(works: Works, slot: number, rate: Rate): boolean {
  works.sessions.askedMs[slot] = works.nowMs;
  const limit = overRate(works, slot, rate);
  if (!isRefused(works, slot, limit)) return true;
  sayOver(works, slot, limit);
  return false;
}

/** Counts an event; the limit that it exceeds, which is not counted then. */
function overRate(works: Works, slot: number, rate: Rate): number {
  const { sessions, limits, reputation } = works;
  const own = limits.clientRates[rate]!;
  const around = limits.networkRates[rate]!;
  if ((own | around) === NO_LIMIT || sessions.has(slot, Flag.Unlimited)) return NO_LIMIT;
  const nowMs = works.epochMs + works.nowMs;
  const { halfMs } = limits;
  if (own !== NO_LIMIT) {
    works.names.hostKey(sessions.addresses, slot * 4, key);
    const limit = limits.values[own]!;
    const count = countEvent(reputation, Kind.HostMeter, key, rate, nowMs, halfMs, limit);
    notePeak(works, slot, PeakKind.Rate + rate, Math.floor(count));
    if (count > limit) return own;
    owe(works, slot, count, limit);
  }
  if (around === NO_LIMIT) return NO_LIMIT;
  works.names.networkKey(sessions.addresses, slot * 4, key);
  const limit = limits.values[around]!;
  const count = countEvent(reputation, Kind.NetworkMeter, key, rate, nowMs, halfMs, limit);
  if (count <= limit) {
    owe(works, slot, count, limit);
    return NO_LIMIT;
  }
  works.names.hostKey(sessions.addresses, slot * 4, key);
  if (own !== NO_LIMIT) uncountEvent(reputation, Kind.HostMeter, key, rate, nowMs, halfMs);
  return around;
}

/** The limit of new TLS sessions that is exceeded, before a handshake or, counting it, behind one. */
function overTls(works: Works, slot: number, counts: boolean): number {
  const { sessions, limits } = works;
  if (sessions.has(slot, Flag.Unlimited)) return NO_LIMIT;
  const own = limits.clientRates[Rate.TlsSessions]!;
  const around = limits.networkRates[Rate.TlsSessions]!;
  let over: number = NO_LIMIT;
  if (around !== NO_LIMIT) {
    works.names.networkKey(sessions.addresses, slot * 4, key);
    if (tlsRate(works, Kind.NetworkMeter, counts) > limits.values[around]!) over = around;
  }
  if (own === NO_LIMIT) return over;
  works.names.hostKey(sessions.addresses, slot * 4, key);
  const rate = tlsRate(works, Kind.HostMeter, counts);
  if (counts) notePeak(works, slot, PeakKind.Rate + Rate.TlsSessions, Math.floor(rate));
  return rate > limits.values[own]! ? own : over;
}

function tlsRate(
  works: Works,
  kind: typeof Kind.HostMeter | typeof Kind.NetworkMeter,
  counts: boolean,
): number {
  const { reputation, limits } = works;
  const nowMs = works.epochMs + works.nowMs;
  if (!counts) return rateNow(reputation, kind, key, Rate.TlsSessions, nowMs, limits.halfMs);
  return countEvent(reputation, kind, key, Rate.TlsSessions, nowMs, limits.halfMs, Infinity);
}

function isOver(count: number, limit: number): boolean {
  return limit > 0 && count > limit;
}

/** Notes that a limit is exceeded; whether anything is to be done about it. */
function isRefused(works: Works, slot: number, limit: number): boolean {
  if (limit === NO_LIMIT) return false;
  const { sessions, counters, config } = works;
  if (sessions.limits[slot] === NO_LIMIT) sessions.limits[slot] = limit;
  counters.add(Count[limitRow(limit).counter]);
  if (config.mode === 'enforce') return true;
  works.would.refuse(slot, whyLimit(limit));
  return false;
}

/** A rate near its limit: the session owes waiting time, which its next replies pay (speak). */
function owe(works: Works, slot: number, rate: number, limit: number): void {
  const { sessions, config } = works;
  const owedMs = excessDelayMs(config, rate, limit);
  if (isObserving(works)) works.would.owe(slot, owedMs);
  else if (owedMs > sessions.excessDelaysMs[slot]!) sessions.excessDelaysMs[slot] = owedMs;
}

/** Refuses a command. As with Postfix that counts as an error: who goes on regardless is sent away. */
function sayOver(works: Works, slot: number, limit: number): void {
  const { sessions, config, replies } = works;
  if (sessions.bump(sessions.errors, slot) >= config.smtp.errorsMax) {
    return dismiss(works, slot, 'errorLimit', replies.errorLimit);
  }
  const reply = limitReply(works, slot, limit, limitRow(limit).reply);
  return say(works, slot, reply, Timer.None, Phase.Listening);
}

function notePeak(works: Works, slot: number, kind: number, value: number): void {
  const { sessions, counters } = works;
  works.names.hostKey(sessions.addresses, slot * 4, key);
  counters.peaks.note(kind, value, key[0]!, key[1]!, epochSec(works));
}
