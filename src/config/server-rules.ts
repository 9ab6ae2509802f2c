/**
 * server-rules — what must hold between the settings of the mail servers behind Sluice
 *
 * A part of the rules (rules), which say what one is: no mail in a circle, no server twice, one place for an address.
 */
import { endpointOf, meets } from './addresses.ts';
import type { Rule } from './rules.ts';
import { serversOf } from './servers.ts';

/** The rules of [backend] and [[server]]. */
export const serverRules: readonly Rule[] = [
  {
    reads: [['listener'], ['backend', 'address'], ['server']],
    check(config, host, complain) {
      for (const { address, path } of serversOf(config)) {
        const own = config.listener.find((listener) =>
          meets(endpointOf(listener.address), endpointOf(address), host.addresses),
        );
        if (own === undefined) continue;
        complain(
          [...path, 'address'],
          `"${address}" is our own listener ${own.address}: mail would go in a circle`,
        );
      }
    },
  },
  {
    reads: [['server']],
    check(config, _host, complain) {
      const seen = new Set<string>();
      config.server.forEach(({ address }, index) => {
        if (seen.has(address))
          complain(['server', index, 'address'], `"${address}" is listed twice; want a weight`);
        seen.add(address);
      });
    },
  },
  {
    reads: [['server'], ['backend']],
    check(config, _host, complain, isSet) {
      if (config.server.length === 0) return;
      for (const key of ['address', 'tls_name'])
        if (isSet(['backend', key]))
          complain(['backend', key], `the blocks [[server]] take its place; want it in one of them`);
      if (config.backend.tls !== 'required')
        config.server.forEach(({ tlsName }, index) => {
          if (tlsName !== '') complain(['server', index, 'tls_name'], unverifiedText(config.backend.tls));
        });
      const { maxConnections } = config.backend;
      if (maxConnections < config.server.length)
        complain(
          ['backend', 'max_connections'],
          `got ${maxConnections}, want at least one for each of ${config.server.length} servers`,
        );
    },
  },
  {
    reads: [
      ['backend', 'tls'],
      ['backend', 'tls_ca'],
      ['backend', 'tls_name'],
    ],
    check(config, host, complain) {
      const { tls, tlsCa, tlsName } = config.backend;
      if (tls === 'required') {
        const fault = host.authoritiesFault(tlsCa);
        if (fault !== undefined) complain(['backend', 'tls_ca'], fault);
        return;
      }
      const wrong = unverifiedText(tls);
      if (tlsCa !== '') complain(['backend', 'tls_ca'], wrong);
      if (tlsName !== '') complain(['backend', 'tls_name'], wrong);
    },
  },
];

const unverifiedText = (tls: string): string =>
  `nothing is verified with tls = "${tls}"; want tls = "required", or no such key`;
