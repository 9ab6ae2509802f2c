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
 * RSET 20 seconds. A message is held only before the backend has anything of it; its answer is never held back, since that is how
 * mail gets doubled (RFC 1047).
 */
import type { Config } from '../config/config.ts';

/** The client's timers that a delay can fall under. */
export const Timer = {
  Greeting: 0,
  Helo: 1,
  Mail: 2,
  Rcpt: 3,
  Data: 4,
  /** From the final dot until the backend sees the message. */
  Dot: 5,
  /** Between two pieces of a message. */
  Block: 6,
  /** No timer: no delay is allowed. */
  None: 7,
} as const;
export type Timer = (typeof Timer)[keyof typeof Timer];

const MINUTE_MS = 60_000;

/** Half of what a client waits for the answer to its message (RFC 5321 §4.5.3.2.6): by then a lane has all of it. */
export const HANDOVER_MS_MAX = 5 * MINUTE_MS;

/** So many bytes a client may hand to its network at once; all of them together have the timer of one block. */
const BLOCK_BYTES = 65_536;

interface TimerRow {
  readonly name: string;
  readonly limitMs: number;
  /** Of that, what is ours to spend a share of; the rest is kept for the backend. */
  readonly oursMs: number;
  readonly source: string;
}

/** Limits by number of the timer. RFC 5321 has none for EHLO; senders use that of the greeting. */
// prettier-ignore
export const timerTable: readonly TimerRow[] = [
  { name: 'greeting (220)', limitMs: 5 * MINUTE_MS, oursMs: 5 * MINUTE_MS, source: 'RFC 5321 §4.5.3.2.1' },
  { name: 'EHLO, HELO', limitMs: 5 * MINUTE_MS, oursMs: 5 * MINUTE_MS, source: 'as the greeting; Postfix smtp_helo_timeout' },
  { name: 'MAIL', limitMs: 5 * MINUTE_MS, oursMs: 5 * MINUTE_MS, source: 'RFC 5321 §4.5.3.2.2' },
  { name: 'RCPT', limitMs: 5 * MINUTE_MS, oursMs: 5 * MINUTE_MS, source: 'RFC 5321 §4.5.3.2.3' },
  { name: 'DATA (354)', limitMs: 2 * MINUTE_MS, oursMs: 2 * MINUTE_MS, source: 'RFC 5321 §4.5.3.2.4' },
  { name: 'end of data', limitMs: 10 * MINUTE_MS, oursMs: 10 * MINUTE_MS - HANDOVER_MS_MAX, source: 'RFC 5321 §4.5.3.2.6; until the backend has it all' },
  { name: 'data block', limitMs: 3 * MINUTE_MS, oursMs: 3 * MINUTE_MS, source: 'RFC 5321 §4.5.3.2.5; 64 kB at the lowest rate' },
];

/**
 * The part of a planned delay that may be spent: within the share of its timer, and within what is left of the
 * session's total. All in milliseconds.
 */
export function allowedDelayMs(config: Config, timer: Timer, plannedMs: number, spentMs: number): number {
  const row = timerTable[timer];
  if (row === undefined) return 0;
  const shareMs = Math.floor((row.oursMs * config.shape.timerShare) / 100);
  const leftMs = config.shape.totalMaxMs - spentMs;
  return Math.max(0, Math.min(plannedMs, shareMs, leftMs));
}

/** The delay planned for a timer at `scale` percent of the plan (policy/plan), before the budget is applied. */
export function plannedDelayMs(config: Config, timer: Timer, scale: number): number {
  const { replyDelayMs, holdMs } = config.shape;
  switch (timer) {
    case Timer.Greeting:
      return Math.max(config.screen.greetWaitMs, Math.round((replyDelayMs * scale) / 100));
    case Timer.Dot:
      return Math.round((holdMs * scale) / 100);
    case Timer.Block:
    case Timer.None:
      return 0;
    default:
      return Math.round((replyDelayMs * scale) / 100);
  }
}

/**
 * Bytes of a body that are read in a second at `scale` percent of the plan. Never so few that one large write of the client
 * would outlast the share of its timer.
 */
export function bodyRateFor(config: Config, scale: number): number {
  const { bodyRateBytes, timerShare } = config.shape;
  const blockSec = (timerTable[Timer.Block]!.oursMs * timerShare) / 100 / 1000;
  return Math.ceil(Math.max((bodyRateBytes * 100) / Math.max(1, scale), BLOCK_BYTES / blockSec));
}

/** Worst case of a configuration beside each timer, for `sluice check`. */
export function patienceTable(
  config: Config,
): readonly { timer: string; limitMs: number; worstMs: number; source: string }[] {
  const { scaleMax, totalMaxMs } = config.shape;
  const slowed = [Timer.Greeting, Timer.Mail, Timer.Rcpt].filter((timer) => slowsByRate(config, timer));
  const rows = timerTable.map((row, at) => {
    const timer = at as Timer;
    const excessMs = slowed.some((one) => one === timer) ? allowedDelayMs(config, timer, Infinity, 0) : 0;
    const slowMs =
      timer === Timer.Block
        ? allowedDelayMs(config, timer, Math.ceil(BLOCK_BYTES / bodyRateFor(config, scaleMax)) * 1000, 0)
        : allowedDelayMs(config, timer, plannedDelayMs(config, timer, scaleMax), 0);
    const screenedMs = timer === Timer.Greeting ? config.screen.greetWaitMs : 0;
    return {
      timer: row.name,
      limitMs: row.limitMs,
      // The wait for the backend is a part of what a rate asks for (stages/speak).
      worstMs: Math.max(Math.max(slowMs, screenedMs) + backendWorstMs(config, timer), excessMs),
      source: row.source,
    };
  });
  const worstMs = planTotalMs(config, scaleMax);
  return [
    ...rows,
    { timer: 'a short message, in all', limitMs: totalMaxMs, worstMs, source: 'shape.total_max' },
  ];
}

/** The timers that one message with one recipient passes, in order. */
const way: readonly Timer[] = [Timer.Greeting, Timer.Helo, Timer.Mail, Timer.Rcpt, Timer.Data, Timer.Dot];

/**
 * What `scale` percent of the plan add to one message with one recipient, the time of its body not counted, in milliseconds;
 * of a plan that begins in mid-session, from the reply on that falls under `first`.
 */
export function planTotalMs(config: Config, scale: number, first: Timer = Timer.Greeting): number {
  let spentMs = 0;
  for (const timer of way)
    if (timer >= first)
      spentMs += allowedDelayMs(config, timer, plannedDelayMs(config, timer, scale), spentMs);
  return spentMs;
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

/** What the backend may take of a timer. A recipient is judged by it; behind the dot it is the way to a lane that counts. */
function backendWorstMs(config: Config, timer: Timer): number {
  const { waitMaxMs, connectTimeoutMs, replyTimeoutMs } = config.backend;
  if (timer === Timer.Rcpt) return waitMaxMs + connectTimeoutMs + replyTimeoutMs;
  // How long the backend then takes for its answer is its own affair.
  return timer === Timer.Dot ? Math.max(waitMaxMs, HANDOVER_MS_MAX) : 0;
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
