/**
 * report-json — the report for programs: every sum by its name, lists cut at `top`
 */
import type { Ranked, RankingSums } from './ranking.ts';
import { delaysOf } from './report-sums.ts';
import type { LogSums, ModeSums, Sum } from './report-sums.ts';

/** The report as a value for JSON. A mode of which the log has no line is null. */
export function reportJson(sums: LogSums, top: number): object {
  return {
    lines: sums.lines,
    bad_lines: sums.badLines,
    old_lines: sums.oldLines,
    from: timeText(sums.firstMs),
    to: timeText(sums.lastMs),
    enforce: modeJson(sums.enforce, top),
    observe: modeJson(sums.observe, top),
  };
}

function modeJson(sums: ModeSums, top: number): object | null {
  if (sums.all.sessions === 0) return null;
  const { untouched, screened, slowed, refused } = sums.kinds;
  return {
    ...sumJson(sums.all),
    verdicts: { ...sums.verdicts },
    untouched: sumJson(untouched),
    screened: sumJson(screened),
    slowed: { ...sumJson(slowed), reasons: reasonsJson(sums.slowed) },
    refused: { ...sumJson(refused), reasons: reasonsJson(sums.refused) },
    hours: sums.hours.map((row, hour) => ({ hour, ...row })),
    networks: rankingJson(sums.networks, 'network', top),
    false_positives: {
      ...sumJson(sums.falseSum),
      share_percent: sums.all.delivered === 0 ? 0 : (100 * sums.falseSum.sessions) / sums.all.delivered,
      refused_for_now: sums.falseForNow,
      ...delaysJson(sums),
      clients: rankingJson(sums.falseClients, 'client', top),
      networks: rankingJson(sums.falseNetworks, 'network', top),
    },
    true_positives: { sessions: slowed.sessions + refused.sessions - sums.falseSum.sessions },
  };
}

function sumJson({ sessions, delivered, messages, delayMs }: Sum): object {
  return { sessions, delivered, messages, delay_ms: delayMs };
}

function reasonsJson(table: Readonly<Record<string, Sum>>): readonly object[] {
  return Object.entries(table)
    .sort(([, one], [, other]) => other.sessions - one.sessions)
    .map(([reason, sum]) => ({ reason, ...sumJson(sum) }));
}

function delaysJson(sums: ModeSums): object {
  const delays = delaysOf(sums);
  return {
    delay_p50_ms: delays.getValueAtPercentile(50),
    delay_p90_ms: delays.getValueAtPercentile(90),
    delay_p99_ms: delays.getValueAtPercentile(99),
    delay_max_ms: delays.maxValue,
  };
}

function rankingJson({ rows }: RankingSums, as: 'client' | 'network', top: number): readonly object[] {
  return rows.slice(0, top).map((row: Ranked) => ({
    [as]: row.name,
    sessions: row.sessions,
    slowed: row.slowed,
    refused: row.refused,
    delivered: row.delivered,
    messages: row.messages,
    delay_ms: row.delayMs,
    delay_max_ms: row.delayMaxMs,
    reasons: row.reasons,
    missed_sessions_max: row.missed,
  }));
}

function timeText(epochMs: number): string | null {
  return Number.isFinite(epochMs) ? new Date(epochMs).toISOString() : null;
}
