/**
 * backend-trust — whom Sluice believes to be its backend, from the configuration
 *
 * The primary reads the file and hands its text to the shards, as with the certificates of listeners: a shard that is
 * started again needs no file. It is read once, at start.
 */
import { endpointOf } from '../config/addresses.ts';
import { readAuthorities } from '../config/key-pairs.ts';
import type { Config } from '../config/config.ts';
import type { ClientTrust } from '../io/tls-client.ts';

/** Null when the backend is spoken to in plaintext; a sentence when the file cannot be used any more. */
export function backendTrust({ backend }: Config): ClientTrust | string | null {
  if (backend.tls === 'off') return null;
  const isVerified = backend.tls === 'required';
  const authorities = isVerified ? readAuthorities(backend.tlsCa) : [];
  if (typeof authorities === 'string') return `backend.tls_ca: ${authorities}`;
  const name = backend.tlsName === '' ? endpointOf(backend.address).host : backend.tlsName;
  return { isVerified, authorities, name };
}
