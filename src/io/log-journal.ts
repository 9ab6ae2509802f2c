/**
 * log-journal — one JSON line for each session that ended
 *
 * Fields as operators and their tools know them: `id, time, client, port, listener, helo, tls, verdict, ending,
 * reasons, score, stage, pace, bytes_in, bytes_out, delay_ms, duration_ms, rcpt_ok, rcpt_bad, messages,
 * backend_ms, family, limit, dnsxl, dnsxl_reason`. `tls` is protocol and cipher, or null. `family` is the family whose habits
 * the session had, or null. Observe mode adds `would`, what enforce mode would have done, or null: `{pace, reason, ending, delay_ms}`,
 * of which `reason` (to be slowed) and `ending` (to be refused) are left out when there was none (policy/would-reasons).
 *
 * The line is put together by hand: all values but HELO and the reason of a DNS list are ours and need no escaping,
 * and this is the one string that every session costs. Whatever a client or a list has put into them stays inside
 * the quotes: what is not printable ASCII is written as \u00HH.
 */
import { endingTable } from '../session/endings.ts';
import type { EndingName } from '../session/endings.ts';
import type { Journal, SessionReport } from '../session/journal.ts';
import type { LineWriter } from './line-writer.ts';

export class LogJournal implements Journal {
  readonly #lines: LineWriter;
  readonly #notices: (text: string) => void;
  #second = -1;
  #secondText = '';

  /** Session lines go to `lines`, notices to `notices`. */
  constructor(lines: LineWriter, notices: (text: string) => void) {
    this.#lines = lines;
    this.#notices = notices;
  }

  ended(report: SessionReport): void {
    this.#lines.add(
      `{"id":"${report.id}","time":"${this.#timeOf(report.epochMs)}","client":"${report.client}","port":${report.port}` +
        `,"listener":"${report.listener}","helo":${quoted(report.helo)},"tls":${report.tls === '' ? 'null' : `"${report.tls}"`},"verdict":"${verdictOf(report.ending, report.messages)}"` +
        `,"ending":"${report.ending}","reasons":${listOf(report.reasons)},"score":${report.score},"stage":"${report.stage}"` +
        `,"pace":"${report.pace}","bytes_in":${report.bytesIn},"bytes_out":${report.bytesOut},"delay_ms":${report.delayMs}` +
        `,"duration_ms":${report.durationMs},"rcpt_ok":${report.recipientsOk},"rcpt_bad":${report.recipientsBad}` +
        `,"messages":${report.messages},"backend_ms":${report.backendMs},"family":${report.family === '' ? 'null' : `"${report.family}"`}` +
        `,"limit":${report.limit === '' ? 'null' : `"${report.limit}"`}` +
        `,"dnsxl":${listOf(report.dnsxl.join(','))},"dnsxl_reason":${quoted(report.dnsxlReason)}` +
        `${report.isObserved ? wouldText(report) : ''}}`,
    );
  }

  notice(text: string): void {
    this.#notices(text);
  }

  /** The date of a second is written once and kept. */
  #timeOf(epochMs: number): string {
    const second = Math.floor(epochMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#secondText = new Date(second * 1000).toISOString().slice(0, 20);
    }
    return `${this.#secondText}${String(Math.floor(epochMs) % 1000).padStart(3, '0')}Z`;
  }
}

/** The short answer of a line: a client that hung up without having delivered anything has abandoned. */
export function verdictOf(ending: EndingName, messages: number): string {
  if (ending === 'hangup' && messages === 0) return 'abandoned';
  return endingTable[ending].verdict;
}

function wouldText(report: SessionReport): string {
  if (report.wouldPace === 'instant') return ',"would":null';
  const reason = report.wouldReason === '' ? '' : `,"reason":"${report.wouldReason}"`;
  const ending = report.wouldEnding === '' ? '' : `,"ending":"${report.wouldEnding}"`;
  return `,"would":{"pace":"${report.wouldPace}"${reason}${ending},"delay_ms":${report.wouldDelayMs}}`;
}

function listOf(reasons: string): string {
  return reasons === '' ? '[]' : `["${reasons.replaceAll(',', '","')}"]`;
}

/** A JSON string of latin-1 text with nothing in it but printable ASCII. */
export function quoted(text: string): string {
  let out = '"';
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22 || code === 0x5c) out += `\\${text[at]}`;
    else if (code < 0x20 || code > 0x7e) out += `\\u${code.toString(16).padStart(4, '0')}`;
    else out += text[at];
  }
  return `${out}"`;
}
