/**
 * endpoints — addresses as the engine needs them: listeners with real ports, the backend as a literal address
 */
import { lookup } from 'node:dns/promises';
import { createServer } from 'node:net';
import { endpointOf } from '../config/addresses.ts';
import type { Config } from '../config/config.ts';
import type { Endpoint } from '../transport/transport.ts';

/** Replaces port 0 by one that is free, so that every shard listens on the same. */
export async function withPorts(config: Config): Promise<Config> {
  const listener = await Promise.all(
    config.listener.map(async (row) => {
      const { host, port } = endpointOf(row.address);
      if (port !== 0) return row;
      const free = await freePort(host);
      return { ...row, address: host.includes(':') ? `[${host}]:${free}` : `${host}:${free}` };
    }),
  );
  return { ...config, listener };
}

function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0));
    });
  });
}

/** The backend's address as a literal, or a sentence that says why there is none: a name is looked up once, at start. */
export async function resolved(address: string): Promise<Endpoint | string> {
  const { host, port } = endpointOf(address);
  try {
    const found = await lookup(host);
    return { host: found.address, port };
  } catch (error) {
    return `backend.address: no address was found for "${host}" (${(error as NodeJS.ErrnoException).code ?? String(error)})`;
  }
}
