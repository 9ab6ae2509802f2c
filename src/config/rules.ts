/**
 * rules — what must hold between settings
 *
 * Each setting was right by itself; these are the combinations that cannot work. A rule names the settings it
 * reads, so that it is passed over when one of them is wrong anyway: one mistake, one line.
 *
 * Not here: bounds of one setting (settings), the patience budget (policy), what only the running system can
 * tell (check).
 */
import type { Config } from './config.ts';
import type { KeyPairFault } from './key-pairs.ts';
import type { Path } from './positions.ts';
import { serverRules } from './server-rules.ts';
import type { KeyPairPaths } from './tls-kinds.ts';
import { writeDuration, writeSize } from './units.ts';

/** What is wrong, at which setting, and which others have a part in it. */
export type Complain = (path: Path, wrong: string, others: readonly Path[]) => void;

/** What the rules need to know of the host. */
export interface Host {
  /** Addresses of its interfaces. */
  readonly addresses: () => readonly string[];
  /** What is wrong with the files of a certificate and its key, if anything. */
  readonly keyPairFault: (paths: KeyPairPaths) => KeyPairFault | undefined;
  /** What is wrong with a file of certificates that vouch for the backend ('': those of the system), if anything. */
  readonly authoritiesFault: (path: string) => string | undefined;
}

/** A combination of settings that cannot work. */
export interface Rule {
  readonly reads: readonly Path[];
  check(
    config: Config,
    host: Host,
    complain: (path: Path, wrong: string) => void,
    isSet: (path: Path) => boolean,
  ): void;
}

const rules: readonly Rule[] = [
  {
    reads: [['listener']],
    check(config, _host, complain) {
      const seen = new Map<string, number>();
      config.listener.forEach((listener, index) => {
        const first = seen.get(listener.address);
        if (first === undefined) seen.set(listener.address, index);
        else complain(['listener', index, 'address'], `"${listener.address}" is listed twice`);
      });
    },
  },
  {
    reads: [['listener']],
    check(config, host, complain) {
      config.listener.forEach(({ tls }, index) => {
        const fault = tls.certificate === '' ? undefined : host.keyPairFault(tls);
        if (fault !== undefined) complain(['listener', index, 'tls', fault.part], fault.says);
      });
    },
  },
  {
    reads: [['listener']],
    check(config, _host, complain) {
      config.listener.forEach(({ proxyProtocol, trustedProxies }, index) => {
        const wrong = proxiesFault(proxyProtocol, trustedProxies);
        if (wrong !== undefined) complain(['listener', index, 'trusted_proxies'], wrong);
      });
    },
  },
  {
    reads: [
      ['backend', 'reuse'],
      ['backend', 'identity'],
    ],
    check(config, _host, complain) {
      const { reuse, identity } = config.backend;
      if (reuse !== 'always' || !identity.startsWith('proxy-')) return;
      complain(
        ['backend', 'reuse'],
        `got "always", but a PROXY header (identity = "${identity}") names one client for a whole connection; want "auto" or "never"`,
      );
    },
  },
  ...serverRules,
  {
    reads: [
      ['limits', 'connections'],
      ['engine', 'max_sessions'],
    ],
    check(config, _host, complain) {
      const { connections } = config.limits;
      const { maxSessions } = config.engine;
      if (connections <= maxSessions) return;
      complain(
        ['limits', 'connections'],
        `got ${connections}, want at most engine.max_sessions (${maxSessions})`,
      );
    },
  },
  {
    reads: [
      ['engine', 'max_sessions'],
      ['engine', 'shards'],
      ['engine', 'processes'],
    ],
    check(config, _host, complain) {
      const shards = config.engine.shards * Math.max(1, config.engine.processes);
      if (config.engine.maxSessions >= shards) return;
      complain(
        ['engine', 'max_sessions'],
        `got ${config.engine.maxSessions}, want at least one for each of ${shards} shards`,
      );
    },
  },
  {
    reads: [
      ['spool', 'message_memory'],
      ['spool', 'memory_max'],
    ],
    check(config, _host, complain) {
      const { messageMemoryBytes, memoryMaxBytes } = config.spool;
      if (messageMemoryBytes <= memoryMaxBytes) return;
      complain(
        ['spool', 'message_memory'],
        `got "${writeSize(messageMemoryBytes)}", want at most spool.memory_max ("${writeSize(memoryMaxBytes)}")`,
      );
    },
  },
  {
    reads: [
      ['smtp', 'message_size_max'],
      ['spool', 'message_memory'],
      ['spool', 'disk_max'],
    ],
    check(config, _host, complain) {
      const { messageMemoryBytes, diskMaxBytes } = config.spool;
      const { messageSizeMaxBytes } = config.smtp;
      if (messageSizeMaxBytes <= Math.max(messageMemoryBytes, diskMaxBytes)) return;
      complain(
        ['smtp', 'message_size_max'],
        `got "${writeSize(messageSizeMaxBytes)}", but no message larger than spool.disk_max ("${writeSize(diskMaxBytes)}") fits the spool`,
      );
    },
  },
  {
    reads: [
      ['shape', 'slow_from'],
      ['shape', 'slow_at'],
    ],
    check(config, _host, complain) {
      const { slowFrom, slowAt } = config.shape;
      if (slowFrom < slowAt) return;
      complain(['shape', 'slow_from'], `got ${slowFrom}, want less than slow_at (${slowAt})`);
    },
  },
  {
    reads: [['stress']],
    check(config, _host, complain) {
      const { leave, enter, shed } = config.stress;
      if (leave >= enter) complain(['stress', 'leave'], `got ${leave}, want less than enter (${enter})`);
      if (enter >= shed) complain(['stress', 'shed'], `got ${shed}, want more than enter (${enter})`);
    },
  },
  {
    reads: [['dnsxl_policy']],
    check(config, _host, complain) {
      const { slowAt, refuseAt, ttlMinMs, ttlMaxMs } = config.dnsxlPolicy;
      if (slowAt > refuseAt)
        complain(['dnsxl_policy', 'slow_at'], `got ${slowAt}, want at most refuse_at (${refuseAt})`);
      if (ttlMinMs > ttlMaxMs) {
        complain(
          ['dnsxl_policy', 'ttl_min'],
          `got "${writeDuration(ttlMinMs)}", want at most ttl_max ("${writeDuration(ttlMaxMs)}")`,
        );
      }
    },
  },
  {
    reads: [['dnsxl']],
    check(config, _host, complain) {
      const shown = new Map<string, string>();
      config.dnsxl.forEach((block, index) => {
        if (block.zone === '') return complain(['dnsxl', index, 'zone'], 'every block needs a zone');
        const first = shown.get(block.zone) ?? block.shownAs;
        if (first !== block.shownAs)
          complain(['dnsxl', index, 'shown_as'], 'another block of the same zone has another name');
        shown.set(block.zone, first);
        return undefined;
      });
    },
  },
  {
    reads: [
      ['privacy', 'key_file'],
      ['privacy', 'log_ip'],
    ],
    check(config, _host, complain) {
      if (config.privacy.logIp !== 'hmac' || config.privacy.keyFile !== '') return;
      complain(['privacy', 'key_file'], 'log_ip = "hmac" wants a file with the key');
    },
  },
  {
    reads: [['lists']],
    check(config, _host, complain) {
      const owner = new Map<string, string>();
      for (const list of ['allow', 'slow', 'deny'] as const) {
        config.lists[list].forEach((network, index) => {
          const other = owner.get(network) ?? list;
          if (other !== list) complain(['lists', list, index], `"${network}" is in lists.${other} too`);
          owner.set(network, other);
        });
      }
    },
  },
];

function proxiesFault(proxyProtocol: string, trustedProxies: readonly string[]): string | undefined {
  if (proxyProtocol === 'off' && trustedProxies.length > 0)
    return 'proxy_protocol is "off": no header is believed; want proxy_protocol = "required" or no trusted_proxies';
  if (proxyProtocol === 'required' && trustedProxies.length === 0)
    return 'proxy_protocol = "required" wants the addresses that your proxies connect from, such as ["192.0.2.10"]; a header from elsewhere is never believed';
  const all = trustedProxies.find((network) => /\/0+$/.test(network));
  return all === undefined ? undefined : `"${all}" is everybody: each client could name itself as it likes`;
}

/** What the rules need to know of the file: where it had a problem, and what it says at all. */
export interface InFile {
  isBad(path: Path): boolean;
  isSet(path: Path): boolean;
}

/** Runs every rule whose settings are all good. */
export function checkRules(config: Config, host: Host, file: InFile, complain: Complain): void {
  for (const rule of rules) {
    if (rule.reads.some((path) => file.isBad(path))) continue;
    rule.check(
      config,
      host,
      (path, wrong) => complain(path, wrong, rule.reads),
      (path) => file.isSet(path),
    );
  }
}
