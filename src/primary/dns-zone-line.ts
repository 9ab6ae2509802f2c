/**
 * dns-zone-line — one DNS list in one line, for the operator who asks with SIGUSR2
 *
 * The zone goes by the name it is shown under: its own may hold a key.
 */
import type { ZoneDesk } from '../reputation/dns-zone-desk.ts';

/** `dnsxl zen.example.org: good for 12 s, IPv4 and IPv6; asked 7, listed 2, timed out 0; p50 1.2 ms, p99 3.0 ms`. */
export function zoneLine(desk: ZoneDesk, nowMs: number): string {
  const { supervisor, zone } = desk;
  const { latency } = supervisor;
  const forSec = Math.round((nowMs - supervisor.sinceMs) / 1000);
  const reason = supervisor.reason === '' ? '' : ` (${supervisor.reason})`;
  const slow = supervisor.isSlow ? ', slow' : '';
  const ms = (share: number): string => `${latency.quantileMs(share).toFixed(1)} ms`;
  return (
    `dnsxl ${zone.shown}: ${supervisor.state}${slow} for ${forSec} s${reason}, ${familiesOf(desk)}; ` +
    `asked ${desk.asked}, listed ${desk.listed}, timed out ${desk.timeouts}, suspended ${supervisor.suspensions} times; ` +
    `p50 ${ms(0.5)}, p99 ${ms(0.99)}`
  );
}

function familiesOf({ supervisor }: ZoneDesk): string {
  if (supervisor.state !== 'good') return 'asked about nobody';
  if (supervisor.asks4 && supervisor.asks6) return 'IPv4 and IPv6';
  return supervisor.asks6 ? 'IPv6 only' : 'IPv4 only';
}
