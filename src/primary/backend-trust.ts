/**
 * backend-trust — whom Sluice believes to be its backend, from the configuration
 *
 * The primary reads the file and hands its text to the shards, as with the certificates of listeners: a shard that is
 * started again needs no file. It is read once, at start.
 */
import { readAuthorities } from '../config/key-pairs.ts';
import type { Config } from '../config/config.ts';
import { serversOf } from '../config/servers.ts';
import type { ClientTrust } from '../io/tls-client.ts';

/** One for each server, in their order; none when they are spoken to in plaintext; a sentence when the file cannot be used any more. */
export function backendTrusts(config: Config): readonly ClientTrust[] | string {
  const { backend } = config;
  if (backend.tls === 'off') return [];
  const isVerified = backend.tls === 'required';
  const authorities = isVerified ? readAuthorities(backend.tlsCa) : [];
  if (typeof authorities === 'string') return `backend.tls_ca: ${authorities}`;
  return serversOf(config).map(({ tlsName }) => ({ isVerified, authorities, name: tlsName }));
}
