/**
 * conversation — the steps that most contract tests begin and end with
 */
import type { Handle } from '../../src/base/handle.ts';
import { NO_HANDLE } from '../../src/base/handle.ts';
import { Noted } from '../../src/transport/transport.ts';
import type { BackRig, FrontRig, Harness, Peer, Rig, RigOptions } from './harness.ts';

/** Runs a test with a rig that accepts, and closes it whatever happens. */
export async function withFront(
  harness: Harness,
  options: RigOptions,
  test: (rig: FrontRig) => Promise<void>,
): Promise<void> {
  const rig = await harness.front(options);
  try {
    await test(rig);
  } finally {
    await rig.close();
  }
}

/** Runs a test with a rig that connects, and closes it whatever happens. */
export async function withBack(
  harness: Harness,
  options: RigOptions,
  test: (rig: BackRig) => Promise<void>,
): Promise<void> {
  const rig = await harness.back(options);
  try {
    await test(rig);
  } finally {
    await rig.close();
  }
}

/** A stream of a front, with its far end. */
export interface Stream {
  readonly peer: Peer;
  readonly handle: Handle;
}

/** Dials and waits until the engine has taken Opened; puts the stream into TLS where the rig says so. */
export async function openOne(rig: FrontRig): Promise<Stream> {
  const stream = await openPlain(rig);
  if (rig.secures) await secure(rig, stream);
  return stream;
}

/** The same, in plaintext on every rig. */
export async function openPlain(rig: FrontRig): Promise<Stream> {
  const before = rig.engine.opened.length;
  const peer = rig.dial();
  await rig.until(() => rig.engine.opened.length > before);
  return { peer, handle: rig.engine.opened[before] ?? NO_HANDLE };
}

/** Puts a stream into TLS. */
export async function secure(rig: Rig, { peer, handle }: Stream): Promise<void> {
  rig.transport.startTls(handle);
  peer.handshake();
  await rig.until(() => (rig.engine.seen(handle) & Noted.Secured) !== 0);
}

/** Connects and waits until both ends are there. */
export async function connectOne(rig: BackRig): Promise<Stream> {
  const before = rig.accepted.length;
  const handle = rig.transport.connect(rig.answering);
  await rig.until(() => (rig.engine.seen(handle) & Noted.Opened) !== 0 && rig.accepted.length > before);
  const peer = rig.accepted[before];
  if (peer === undefined) throw new Error('nobody accepted');
  return { peer, handle };
}

/** Waits for Closed. */
export async function untilClosed(rig: Rig, handle: Handle): Promise<void> {
  await rig.until(() => (rig.engine.seen(handle) & Noted.Closed) !== 0);
}

/** Writes until the transport refuses; returns how many bytes it took. The bytes are drawn from `make`. */
export function writeUntilRefused(rig: Rig, handle: Handle, make: (at: number) => Uint8Array): number {
  let total = 0;
  for (;;) {
    const bytes = make(total);
    if (!rig.transport.write(handle, bytes)) return total;
    total += bytes.length;
    if (total > 256 * 1024 * 1024) throw new Error('a write is never refused');
  }
}

/** The same, until a write is refused because the peer does not read: what was given to TLS counts as waiting for a turn. */
export async function writeUntilStuck(
  rig: Rig,
  handle: Handle,
  make: (at: number) => Uint8Array,
): Promise<number> {
  let total = 0;
  for (;;) {
    const more = writeUntilRefused(rig, handle, (at) => make(total + at));
    total += more;
    await rig.quiet();
    // A part may have gone on its way meanwhile without all of it being gone: then there is room again.
    if (more === 0 && (rig.engine.seen(handle) & Noted.Drained) === 0) return total;
    rig.engine.forget(handle);
  }
}
