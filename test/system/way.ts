/**
 * way — the ways a message can take into Postfix in these tests
 *
 * Each rule about delivery is run over all of them. The direct way has no Sluice in it: it proves that the test and
 * the Postfix behind it see what they claim to see, so that a difference on the other ways is Sluice's.
 */
import { startPostfix } from './postfix.ts';
import type { Postfix, PostfixOptions } from './postfix.ts';
import { startSluice } from './sluice.ts';
import type { Sluice, SluiceOptions } from './sluice.ts';

export const ways = [
  'straight to Postfix',
  'through Sluice on fresh lanes',
  'through Sluice on reused lanes',
] as const;
export type WayName = (typeof ways)[number];
/** The ways with a Sluice on them. */
export const sluiceWays = ways.slice(1);

export interface Way {
  /** Where a client connects to. */
  readonly port: number;
  readonly postfix: Postfix;
  readonly sluice: Sluice | undefined;
  close(): Promise<void>;
}

export interface WayOptions {
  readonly config?: SluiceOptions['config'];
  readonly tls?: SluiceOptions['tls'];
  readonly postfix?: PostfixOptions;
}

/** The listener of Postfix and the lane setting that belong to a way. */
export function laneOf(name: WayName, postfix: Postfix): { backendPort: number; backend: { reuse: string } } {
  return name === 'through Sluice on reused lanes'
    ? { backendPort: postfix.reusedPort, backend: { reuse: 'always' } }
    : { backendPort: postfix.freshPort, backend: { reuse: 'never' } };
}

export async function openWay(name: WayName, options: WayOptions = {}): Promise<Way> {
  const postfix = await startPostfix(options.postfix);
  if (name === 'straight to Postfix') {
    return { port: postfix.freshPort, postfix, sluice: undefined, close: () => postfix.stop() };
  }
  try {
    const { backendPort, backend } = laneOf(name, postfix);
    const changed = options.config?.['backend'];
    const config = {
      ...options.config,
      backend: { ...backend, ...(changed as Readonly<Record<string, unknown>> | undefined) },
    };
    const tls = options.tls === undefined ? {} : { tls: options.tls };
    const sluice = await startSluice({ backendPort, config, ...tls });
    const close = async (): Promise<void> => {
      try {
        await sluice.stop();
      } finally {
        await postfix.stop();
      }
    };
    return { port: sluice.port, postfix, sluice, close };
  } catch (failure) {
    await postfix.stop();
    throw failure;
  }
}
