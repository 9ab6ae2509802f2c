/**
 * report-line — what one line of the log says, in the form in which the report counts it
 *
 * A line has one kind: nothing was done to the client, or its greeting waited, or it was slowed, or refused. In observe mode (the
 * line has a `would`) the kind is what enforce mode would have done.
 *
 * Whatever is no line of Sluice's log gives null. Words that become keys of a table are short; the tables are bounded (report-sums).
 */
import { parseAddress } from '../base/address.ts';
import { limitTable } from '../policy/limits.ts';
import { wouldTable } from '../policy/would-reasons.ts';
import { Kind, nameOfKey, networkKey, newKey } from '../reputation/keys.ts';
import { signals } from '../reputation/signals.ts';

/** Kinds of sessions, by what was done to the client at worst. */
export const kinds = ['untouched', 'screened', 'slowed', 'refused'] as const;
export type SessionKind = (typeof kinds)[number];

export interface ReportLine {
  readonly epochMs: number;
  /** The hour of the day, UTC. */
  readonly hour: number;
  readonly client: string;
  /** Its /24 or /48; '' when the log does not tell. */
  readonly network: string;
  readonly verdict: string;
  readonly isObserved: boolean;
  readonly kind: SessionKind;
  /** Why it was slowed or refused. */
  readonly why: readonly string[];
  /** The client was told to come again. */
  readonly isForNow: boolean;
  readonly delayMs: number;
  readonly messages: number;
}

/** Why a client was slow when the log names nothing that it did in the session. */
export const EARLIER = 'earlier';

const CLIENT_MAX = 64;
const refusing: ReadonlySet<unknown> = new Set(['refused', 'limit', 'shut']);
const bad: ReadonlySet<string> = new Set([
  ...Object.entries(signals).flatMap(([name, { weight }]) => (weight > 0 ? [name] : [])),
  ...Object.keys(limitTable),
]);

type Fields = Readonly<Record<string, unknown>>;

/** Reads a line; null for what is none. */
export function readLine(text: string): ReportLine | null {
  const fields = fieldsOf(text);
  if (fields === null) return null;
  const { time, client, verdict, ending, pace, reasons } = fields;
  const epochMs = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  const delayMs = count(fields['delay_ms']);
  const messages = count(fields['messages']);
  if (!Number.isFinite(epochMs) || !isWord(verdict) || !isWord(ending) || !isWord(pace)) return null;
  if (typeof client !== 'string' || client === '' || client.length > CLIENT_MAX) return null;
  if (delayMs < 0 || messages < 0 || !isWords(reasons)) return null;
  const common = {
    epochMs,
    hour: new Date(epochMs).getUTCHours(),
    client,
    network: networkOf(client),
    verdict,
    messages,
  };
  const { would } = fields;
  if (would !== undefined) {
    const seen = foreseen(would);
    return seen === null ? null : { ...common, ...seen, isObserved: true };
  }
  return {
    ...common,
    ...done(verdict, ending, pace, reasons, delayMs),
    isObserved: false,
    isForNow: false,
    delayMs,
  };
}

function fieldsOf(text: string): Fields | null {
  try {
    const value = JSON.parse(text) as unknown;
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What was done to a client. Who has waited through its plan is let go on at full speed, and has lost its time all the same. */
function done(
  verdict: string,
  ending: string,
  pace: string,
  reasons: readonly string[],
  delayMs: number,
): { kind: SessionKind; why: readonly string[] } {
  if (refusing.has(verdict)) return { kind: 'refused', why: [ending] };
  if (pace === 'slow' || (pace === 'instant' && delayMs > 0)) {
    const why = reasons.filter((reason) => bad.has(reason));
    return { kind: 'slowed', why: why.length > 0 ? why : [EARLIER] };
  }
  return { kind: delayMs > 0 ? 'screened' : 'untouched', why: [] };
}

/** What would have been done. */
function foreseen(would: unknown): Pick<ReportLine, 'kind' | 'why' | 'isForNow' | 'delayMs'> | null {
  if (would === null) return { kind: 'untouched', why: [], isForNow: false, delayMs: 0 };
  if (!isObject(would)) return null;
  const { pace, reason = '', ending = '' } = would;
  const delayMs = count(would['delay_ms']);
  if (delayMs < 0 || !isWord(reason) || !isWord(ending)) return null;
  if (pace === 'screened') return { kind: 'screened', why: [], isForNow: false, delayMs };
  if (pace === 'slow') return { kind: 'slowed', why: [reason], isForNow: false, delayMs };
  if (pace !== 'refused') return null;
  return { kind: 'refused', why: [ending], isForNow: wouldTable[ending]?.isForNow === true, delayMs };
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && /^\w{0,40}$/.test(value);
}

function isWords(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isWord);
}

/** A whole number from 0; -1 for anything else. */
function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : -1;
}

const words = new Uint32Array(4);
const key = newKey();

function networkOf(client: string): string {
  if (client.includes('/')) return client;
  if (!parseAddress(client, words, 0)) return '';
  networkKey(words, 0, key);
  return nameOfKey(Kind.Network, key[0]!, key[1]!);
}
