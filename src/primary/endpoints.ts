/**
 * endpoints — addresses as the engine needs them: listeners with real ports, the backend as a literal address
 */
import { lookup } from 'node:dns/promises';
import { createServer } from 'node:net';
import type { ServerParts } from '../backend/server.ts';
import { endpointOf } from '../config/addresses.ts';
import type { Config } from '../config/config.ts';
import { serversOf } from '../config/servers.ts';

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

/** Every server with its address as a literal, or a sentence that says why one has none: a name is looked up once, at start. */
export async function resolved(config: Config): Promise<readonly ServerParts[] | string> {
  const servers: ServerParts[] = [];
  for (const [trust, { address, weight, path }] of serversOf(config).entries()) {
    const { host, port } = endpointOf(address);
    try {
      const found = await lookup(host);
      servers.push({ name: address, weight, endpoint: { host: found.address, port, trust } });
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? String(error);
      return `${String(path[0])}.address: no address was found for "${host}" (${code})`;
    }
  }
  return servers;
}
