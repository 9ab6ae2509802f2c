/**
 * journal — where the story of a session goes when it has ended (port)
 *
 * One call a session, with one report that the shard fills in anew each time: whoever takes it writes it down
 * at once and keeps nothing. The adapter (io/log-journal) makes the JSON line of it; the simulation counts it.
 */
import type { EndingName } from './endings.ts';

/** What is told of a session that has ended. Mutable: the shard owns one and reuses it. */
export interface SessionReport {
  /** Unique among all sessions of this host since it was started. */
  id: string;
  /** Wall clock at the end, milliseconds since 1970. */
  epochMs: number;
  client: string;
  port: number;
  listener: string;
  helo: string;
  /** Protocol and cipher ("TLSv1.3 TLS_AES_256_GCM_SHA384"); '' without TLS. */
  tls: string;
  ending: EndingName;
  /** Names of the signals that were noted, in the order of the table, separated by commas; may be empty. */
  reasons: string;
  score: number;
  /** The phase in which the session ended. */
  stage: string;
  pace: string;
  bytesIn: number;
  bytesOut: number;
  delayMs: number;
  durationMs: number;
  recipientsOk: number;
  recipientsBad: number;
  messages: number;
  /** Time spent waiting for the backend. */
  backendMs: number;
  /** The family that the client seems to belong to; '' for none. */
  family: string;
  /** The first limit that was exceeded, by its name in the configuration; '' for none. */
  limit: string;
  /** DNS lists that have the client, as they may be shown, the heaviest first. */
  dnsxl: readonly string[];
  /** What that one says about it; text of the list, not ours. */
  dnsxlReason: string;
  /** In observe mode, what enforce mode would have done (policy/would); '' and 'instant' for nothing. */
  isObserved: boolean;
  wouldPace: string;
  wouldReason: string;
  wouldEnding: string;
  wouldDelayMs: number;
}

export interface Journal {
  /** Writes down a session that has ended. Never waits, never fails: what it cannot take it drops and counts. */
  ended(report: SessionReport): void;
  /** Something the operator should read that belongs to no session ("backend 127.0.0.1:10025: connection refused"). */
  notice(text: string): void;
}

/** A report with nothing in it. */
export function emptyReport(): SessionReport {
  return {
    id: '',
    epochMs: 0,
    client: '',
    port: 0,
    listener: '',
    helo: '',
    tls: '',
    ending: 'quit',
    reasons: '',
    score: 0,
    stage: '',
    pace: '',
    bytesIn: 0,
    bytesOut: 0,
    delayMs: 0,
    durationMs: 0,
    recipientsOk: 0,
    recipientsBad: 0,
    messages: 0,
    backendMs: 0,
    family: '',
    limit: '',
    dnsxl: [],
    dnsxlReason: '',
    isObserved: false,
    wouldPace: 'instant',
    wouldReason: '',
    wouldEnding: '',
    wouldDelayMs: 0,
  };
}
