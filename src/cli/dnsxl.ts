/**
 * dnsxl — `sluice dnsxl test`: are the configured DNS lists what they should be?
 *
 * Asks each list for the test entries of RFC 5782 through the configured name servers, as a running Sluice does at its
 * start and every hour, and says for each what is wrong and what to do. With an address also what each list says
 * about it. Lists go by the names that may be shown.
 *
 * Out: exit 0 when every list is good, 1 when one is not.
 */
import { parseAddress } from '../base/address.ts';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { DnsClient, nameServers } from '../io/dns-client.ts';
import { entryNames } from '../reputation/dns-zone-test.ts';
import { zonesOf } from '../reputation/dns-zones.ts';
import { exitCodes } from './exit.ts';
import { aligned, complain, print } from './output.ts';
import type { EntryReport, ZoneReport } from './zone-check.ts';
import { ZoneChecks } from './zone-check.ts';

const answerWords = {
  listed: 'listed',
  clean: 'not listed',
  error: 'error',
  failed: 'failed',
  timeout: 'no answer',
} as const;

/** Tests every list of a configuration file; the exit code. Throws ConfigError. */
export async function dnsxlTest(options: {
  readonly config: string;
  readonly address: string | null;
  readonly json: boolean;
}): Promise<number> {
  const { address } = options;
  if (address !== null && !parseAddress(address, new Uint32Array(4), 0)) {
    complain(`sluice: got "${address}", want an IPv4 or IPv6 address\n`);
    return exitCodes.usage;
  }
  const config = loadConfig(options.config);
  const reports = await checkZones(config, address);
  if (options.json) print(`${JSON.stringify(reports, null, 2)}\n`);
  else print(reports.length === 0 ? 'no DNS list is configured\n' : textOf(reports, config));
  return reports.every((report) => report.verdict === 'good') ? exitCodes.good : exitCodes.failed;
}

async function checkZones(config: Config, address: string | null): Promise<readonly ZoneReport[]> {
  const { deadlineMs } = config.dnsxlPolicy;
  const client = new DnsClient(nameServers(config), deadlineMs);
  await client.open();
  const checks = new ZoneChecks(client, deadlineMs);
  const reports = await Promise.all(zonesOf(config).map(async (zone) => checks.check(zone, address)));
  client.close();
  return reports;
}

function textOf(reports: readonly ZoneReport[], config: Config): string {
  const servers = nameServers(config).map(({ host, port }) => `${host} port ${port}`);
  let text = `asked through ${servers.join(', ')}\n\n${zoneTable(reports)}`;
  for (const report of reports)
    for (const [place, fault] of report.faults.entries())
      text += `\n${report.zone}: ${fault}.\n  ${report.advice[place]!}\n`;
  return reports.some((report) => report.address !== null) ? `${text}\n${addressTable(reports)}` : text;
}

function zoneTable(reports: readonly ZoneReport[]): string {
  const rows = reports.map((report) => [
    report.zone,
    ...entryNames.map((entry) => cellOf(report.entries.find((one) => one.entry === entry))),
    report.slowestMs === 0 ? '-' : `${report.slowestMs.toFixed(1)} ms`,
    report.families.length === 0 ? 'nobody' : report.families.join(', '),
    report.verdict,
  ]);
  return aligned([['list', ...entryNames, 'slowest', 'asked about', 'verdict'], ...rows]);
}

function cellOf(entry: EntryReport | undefined): string {
  return entry === undefined ? '-' : answerWords[entry.answer];
}

function addressTable(reports: readonly ZoneReport[]): string {
  const rows = reports.flatMap(({ zone, address }) =>
    address === null ? [] : [[zone, answerWords[address.answer], String(address.weight), address.reason]],
  );
  const [first] = reports;
  return aligned([['list', first?.address?.address ?? '', 'weight', 'reason'], ...rows]);
}
