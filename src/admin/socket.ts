/**
 * socket — the Unix socket by which the command line reaches a Sluice that runs
 *
 * For its owner alone: mode 0600, in a directory that is made for its owner alone if there is none. What is left of a process
 * that died is replaced; the socket of one that lives is left to it, and this one goes without. Whatever goes wrong here
 * is a notice: mail does not wait for a window.
 */
import { chmodSync, existsSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { Inside } from '../primary/inside.ts';
import { Api } from './api.ts';
import { serverFor } from './server.ts';

/** sun_path of Linux, less its NUL. */
const PATH_BYTES_MAX = 107;

const PROBE_MS = 1_000;

const nothing = { close: () => undefined };

/** Opens admin.socket and serves the API on it. Never rejects. */
export async function openAdmin(inside: Inside): Promise<{ close(): void }> {
  const path = inside.config.admin.socket;
  if (path === '') return nothing;
  try {
    await makeRoom(path);
    const server = serverFor(new Api(inside), inside.say);
    await listen(server, path);
    server.on('error', (error) => inside.say(`admin.socket: ${error.message}`));
    return {
      close() {
        server.close();
        server.closeAllConnections();
      },
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    inside.say(`admin.socket: ${why}; mail is served without it, "sluice explain" and "sluice ip" are not`);
    return nothing;
  }
}

/** Makes the directory, and takes away the socket of a process that is gone. Rejects when the path is not ours to take. */
async function makeRoom(path: string): Promise<void> {
  if (Buffer.byteLength(path) > PATH_BYTES_MAX)
    throw new Error(`"${path}" is longer than ${PATH_BYTES_MAX} bytes`);
  makeDirectory(dirname(path));
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error(`"${path}" is there and is no socket`);
  if (await isLive(path)) throw new Error(`another process listens on "${path}"`);
  unlinkSync(path);
}

/**
 * Makes a directory and those above it. Not by mkdir's own `recursive`: node 26 never comes back from it where a directory is
 * there and takes no other (below /proc).
 */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  if (dirname(path) !== path) makeDirectory(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

/** Whether somebody listens there. One who does not answer in time is taken to be alive. */
function isLive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const tell = (live: boolean): void => {
      socket.destroy();
      resolve(live);
    };
    socket.setTimeout(PROBE_MS, () => tell(true));
    socket.once('connect', () => tell(true));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      tell(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // The socket is made in the call; at no moment may others connect.
    const before = process.umask(0o177);
    try {
      server.listen({ path, backlog: 64 }, () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(before);
    }
    chmodSync(path, 0o600);
  });
}
