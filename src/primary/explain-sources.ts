/**
 * explain-sources — what limits and DNS lists know of a client that an operator asks about
 *
 * Rows beside the score (inside): how far the client is into each limit, and which lists have it now, for what reason
 * and with what weight. Asking counts for nothing: no meter is made, and a look-up is one as any session makes it.
 */
import type { Config } from '../config/config.ts';
import { limitPlan, limitRow, limitNames, NO_LIMIT } from '../policy/limits.ts';
import { Kind, newKey } from '../reputation/keys.ts';
import { rateNow } from '../reputation/meters.ts';
import type { Names } from '../reputation/names.ts';
import { Rate } from '../reputation/rates.ts';
import type { ReputationTable } from '../reputation/table.ts';
import type { DnsDesk } from './dns-desk.ts';
import type { ExplainRow, ExplainSource } from './inside.ts';

/** The rates of a client and its network that have a limit. */
export function limitSource(config: Config, table: ReputationTable, names: Names): ExplainSource {
  const plan = limitPlan(config);
  const key = newKey();
  return {
    name: 'limits',
    rows({ address }) {
      const rows: ExplainRow[] = [];
      for (const rate of address === null ? [] : Object.values(Rate)) {
        for (const kind of [Kind.HostMeter, Kind.NetworkMeter] as const) {
          const isClient = kind === Kind.HostMeter;
          const limit = (isClient ? plan.clientRates : plan.networkRates)[rate]!;
          if (limit === NO_LIMIT) continue;
          if (isClient) names.hostKey(address!, 0, key);
          else names.networkKey(address!, 0, key);
          const isMetered = table.find(kind, key) >= 0;
          const now = isMetered ? Math.floor(rateNow(table, kind, key, rate, Date.now(), plan.halfMs)) : 0;
          rows.push({
            says: `is counted for limits.${limitNames[limit]!}`,
            evidence: `per ${limitRow(limit).of}, in ${config.limits.windowMs / 1000} s`,
            worth: `${now} of ${plan.values[limit]!}`,
          });
        }
      }
      return Promise.resolve(rows);
    },
  };
}

/** What the DNS lists say now. */
export function dnsSource(config: Config, desk: DnsDesk): ExplainSource {
  const { slowAt, refuseAt } = config.dnsxlPolicy;
  return {
    name: 'DNS lists',
    async rows({ address }) {
      if (address === null) return [];
      const { weight, zones, reason } = await desk.explain(address);
      const verdict = weight >= refuseAt ? 'refused' : weight >= slowAt ? 'slowed' : 'let through';
      const listed = zones.map((zone, place) => ({
        says: `is on ${zone}`,
        evidence: place === 0 ? reason : '',
        worth: '',
      }));
      const sum = {
        says: `would be ${verdict} for that`,
        evidence: `slow ${slowAt}, refuse ${refuseAt}`,
        worth: `weight ${weight}`,
      };
      return [...listed, sum];
    },
  };
}
