/**
 * family-text — the families that were found, and when sessions leave, as two tables
 */
import type { FamilyReport } from '../primary/family-desk.ts';
import type { FamilyText } from '../primary/family-texts.ts';
import { aligned, printable } from './output.ts';

/** The report as text. */
export function familiesText({ sessions, families, leaving }: FamilyReport): string {
  const head = ['family', 'share', 'sessions', 'patience', 'enough after', 'networks', 'since', 'seen'];
  const rows = families.flatMap((family) => [
    [
      family.name,
      `${family.share.toFixed(1)} %`,
      String(family.sessions),
      family.patience,
      enoughOf(family),
      family.networks.map(({ name }) => name).join(' ') || '-',
      family.since,
      family.seen,
    ],
  ]);
  const speech = families.map((family) => [family.name, family.dialect]);
  const times = leaving.map((one) => [
    one.stage,
    one.pace,
    String(one.sessions),
    ...[one.p10_ms, one.p50_ms, one.p90_ms, one.p99_ms, one.max_ms].map((ms) => (ms / 1000).toFixed(1)),
  ]);
  const timesHead = ['ended in', 'pace', 'sessions', '10 %', '50 %', '90 %', '99 %', 'last'];
  const parts = [
    families.length === 0 ? `no families in ${sessions} sessions\n` : table([head, ...rows]),
    ...(families.length === 0 ? [] : [table([['family', 'dialect'], ...speech])]),
    ...(times.length === 0
      ? []
      : [`seconds from the connection to the end\n${table([timesHead, ...times])}`]),
  ];
  return parts.join('\n');
}

/** How long the plan of a stranger that speaks like the family is; a dash for one that is told at the end of its sessions alone. */
function enoughOf({ slowed_early: isSlowed, enough_ms: enoughMs }: FamilyText): string {
  if (!isSlowed) return '-';
  return enoughMs === null ? 'the full plan' : `${(enoughMs / 1000).toFixed(0)} s`;
}

function table(rows: readonly (readonly string[])[]): string {
  return aligned(rows.map((row) => row.map(printable)));
}
