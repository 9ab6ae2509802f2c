/**
 * patience — the one place where a delay meets the client's own timers
 *
 * RFC 5321 §4.5.3.2 says how long a client must be ready to wait: 5 minutes for the greeting, for MAIL and for
 * RCPT, 2 for DATA, 3 for each block of a message, 10 for the answer to its end. A delay that Sluice adds uses at
 * most `shape.timer_share` percent of the timer it falls under, and all delays of a session together at most
 * `shape.total_max`. Every delay goes through `allowedDelayMs`; `sluice check` prints the worst case of a
 * configuration beside each timer and refuses one that breaks one.
 *
 * Replies to RSET, NOOP, QUIT and errors carry no delay: RFC 5321 names no timer for them and Postfix gives
 * RSET 20 seconds; and an answer to a final dot is never held back, since that is how mail gets doubled (RFC 1047).
 */
import type { Config } from '../config/config.ts';

/** The client's timers that a delay can fall under. */
export const Timer = {
  Greeting: 0,
  Helo: 1,
  Mail: 2,
  Rcpt: 3,
  Data: 4,
  /** No timer: no delay is allowed. */
  None: 5,
} as const;
export type Timer = (typeof Timer)[keyof typeof Timer];

const MINUTE_MS = 60_000;

/** Half of what a client waits for the answer to its message (RFC 5321 §4.5.3.2.6): by then a lane has all of it. */
export const HANDOVER_MS_MAX = 5 * MINUTE_MS;

interface TimerRow {
  readonly name: string;
  readonly limitMs: number;
  readonly source: string;
}

/** Limits by number of the timer. RFC 5321 has none for EHLO; senders use that of the greeting. */
export const timerTable: readonly TimerRow[] = [
  { name: 'greeting (220)', limitMs: 5 * MINUTE_MS, source: 'RFC 5321 §4.5.3.2.1' },
  { name: 'EHLO, HELO', limitMs: 5 * MINUTE_MS, source: 'as the greeting; Postfix smtp_helo_timeout' },
  { name: 'MAIL', limitMs: 5 * MINUTE_MS, source: 'RFC 5321 §4.5.3.2.2' },
  { name: 'RCPT', limitMs: 5 * MINUTE_MS, source: 'RFC 5321 §4.5.3.2.3' },
  { name: 'DATA (354)', limitMs: 2 * MINUTE_MS, source: 'RFC 5321 §4.5.3.2.4' },
];

/**
 * The part of a planned delay that may be spent: within the share of its timer, and within what is left of the
 * session's total. All in milliseconds.
 */
export function allowedDelayMs(config: Config, timer: Timer, plannedMs: number, spentMs: number): number {
  const row = timerTable[timer];
  if (row === undefined) return 0;
  const shareMs = Math.floor((row.limitMs * config.shape.timerShare) / 100);
  const leftMs = config.shape.totalMaxMs - spentMs;
  return Math.max(0, Math.min(plannedMs, shareMs, leftMs));
}

/** The delay planned for a timer when a session is slow, before the budget is applied. */
export function plannedDelayMs(config: Config, timer: Timer): number {
  if (timer === Timer.None) return 0;
  return timer === Timer.Greeting
    ? Math.max(config.screen.greetWaitMs, config.shape.replyDelayMs)
    : config.shape.replyDelayMs;
}

/** Worst case of a configuration beside each timer, for `sluice check`. */
export function patienceTable(
  config: Config,
): readonly { timer: string; limitMs: number; worstMs: number; source: string }[] {
  const slowed = [Timer.Greeting, Timer.Mail, Timer.Rcpt].filter((timer) => slowsByRate(config, timer));
  const rows = timerTable.map((row, timer) => {
    const excessMs = slowed.some((one) => one === timer)
      ? allowedDelayMs(config, timer as Timer, Infinity, 0)
      : 0;
    const slowMs = allowedDelayMs(config, timer as Timer, plannedDelayMs(config, timer as Timer), 0);
    const screenedMs = timer === Timer.Greeting ? config.screen.greetWaitMs : 0;
    // A recipient is judged by the backend: the wait for a lane and for its reply falls under the same timer.
    const backendMs = timer === Timer.Rcpt ? backendWorstMs(config) : 0;
    return {
      timer: row.name,
      limitMs: row.limitMs,
      // The wait for the backend is a part of what a rate asks for (stages/speak).
      worstMs: Math.max(Math.max(slowMs, screenedMs) + backendMs, excessMs),
      source: row.source,
    };
  });
  // Behind the dot Sluice adds the way to a lane; how long the backend then takes for its answer is its own affair.
  const handoverMs = Math.max(config.backend.waitMaxMs, HANDOVER_MS_MAX);
  const source = 'RFC 5321 §4.5.3.2.6; until the backend has it all';
  return [...rows, { timer: 'end of data', limitMs: 10 * MINUTE_MS, worstMs: handoverMs, source }];
}

/** Whether a rate near its limit can delay what falls under a timer; what a session owes is paid at MAIL and RCPT alike. */
function slowsByRate(config: Config, timer: Timer): boolean {
  const { limits } = config;
  if (limits.slowFrom >= 100) return false;
  if (limits.connectionRate > 0 || limits.networkConnectionRate > 0) return true;
  const { messageRate, networkMessageRate, recipientRate, networkRecipientRate } = limits;
  return (
    timer !== Timer.Greeting && messageRate + networkMessageRate + recipientRate + networkRecipientRate > 0
  );
}

function backendWorstMs(config: Config): number {
  return config.backend.waitMaxMs + config.backend.connectTimeoutMs + config.backend.replyTimeoutMs;
}

/** What is wrong with the waiting times of a configuration; empty when it keeps every timer. */
export function patienceProblems(config: Config): readonly string[] {
  const problems: string[] = [];
  for (const row of patienceTable(config)) {
    if (row.worstMs > row.limitMs) {
      problems.push(
        `${row.timer}: a client may wait ${row.worstMs / 1000} s, but gives up after ${row.limitMs / 1000} s (${row.source})`,
      );
    }
  }
  const greetingShareMs = (timerTable[Timer.Greeting]!.limitMs * config.shape.timerShare) / 100;
  if (config.screen.greetWaitMs > greetingShareMs) {
    problems.push(`screen.greet_wait is longer than shape.timer_share allows (${greetingShareMs / 1000} s)`);
  }
  return problems;
}
