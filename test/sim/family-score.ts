/**
 * family-score — how well families were found: the labels of log lines beside what the clients really were
 *
 * A label belongs to the kind of bot that most of its sessions are. Only sessions that ended in the later part of the run are
 * judged, since nobody can be told by a family that is not known yet; and of planted kinds only those that delivered nothing.
 */
import { PORT_BASE } from '../../loadgen/virtual/client.ts';
import type { World } from './world.ts';

/** One kind of bot. */
export interface KindScore {
  readonly kind: string;
  /** The labels that belong to it. */
  readonly labels: readonly string[];
  readonly sessions: number;
  readonly precision: number;
  readonly recall: number;
}

/** A session that delivered nothing, with what it was. */
export interface Judged {
  readonly kind: string;
  readonly label: string;
  readonly durationMs: number;
  readonly pace: string;
}

/** Sessions without mail that ended after `fromMs` of the run. */
export function judgedOf(world: World, fromMs: number): readonly Judged[] {
  const startMs = world.reports[0] === undefined ? 0 : fromMs + EPOCH_MS;
  return world.reports
    .filter(({ messages, epochMs }) => messages === 0 && epochMs >= startMs)
    .map(({ port, family, durationMs, pace }) => ({
      kind: world.crowd.clients[port - PORT_BASE]!.bot.name,
      label: family,
      durationMs,
      pace,
    }));
}

/** Scores of these kinds. */
export function scoresOf(judged: readonly Judged[], kinds: readonly string[]): readonly KindScore[] {
  const byLabel = new Map<string, Map<string, number>>();
  for (const { kind, label } of judged) {
    if (label === '') continue;
    const counts = byLabel.get(label) ?? new Map<string, number>();
    byLabel.set(label, counts.set(kind, (counts.get(kind) ?? 0) + 1));
  }
  const ownerOf = new Map<string, string>();
  for (const [label, counts] of byLabel)
    ownerOf.set(label, [...counts].reduce((best, one) => (one[1] > best[1] ? one : best))[0]);
  return kinds.map((kind) => {
    const labels = [...ownerOf].filter(([, owner]) => owner === kind).map(([label]) => label);
    const sessions = judged.filter((one) => one.kind === kind);
    const labelled = judged.filter(({ label }) => labels.includes(label));
    const right = labelled.filter((one) => one.kind === kind).length;
    return {
      kind,
      labels,
      sessions: sessions.length,
      precision: labelled.length === 0 ? 0 : right / labelled.length,
      recall: sessions.length === 0 ? 0 : right / sessions.length,
    };
  });
}

/** Wall clock of the simulation's zero (station). */
const EPOCH_MS = 1_800_000_000_000;
