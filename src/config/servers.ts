/**
 * servers — the mail servers behind Sluice, as the file names them
 *
 * One place that knows both ways to say it: `backend.address` for the one server that most have, `[[server]]` for
 * several. All other settings of [backend] hold for every one of them.
 */
import { endpointOf } from './addresses.ts';
import type { Config } from './config.ts';
import type { Path } from './positions.ts';

/** One mail server of the file. */
export interface ServerSetting {
  /** As the file spells it: so it is called in notices. */
  readonly address: string;
  readonly weight: number;
  /** The name that its certificate has to bear, or its address. */
  readonly tlsName: string;
  /** Where its address and its name stand in the file. */
  readonly path: Path;
}

/** Every server of the configuration; at least one. */
export function serversOf({ server, backend }: Config): readonly ServerSetting[] {
  if (server.length === 0) return [named(backend.address, 1, backend.tlsName, ['backend'])];
  return server.map((row, index) => named(row.address, row.weight, row.tlsName, ['server', index]));
}

function named(address: string, weight: number, tlsName: string, path: Path): ServerSetting {
  return { address, weight, tlsName: tlsName === '' ? endpointOf(address).host : tlsName, path };
}
