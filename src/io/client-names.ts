/**
 * client-names — the key of the hash that clients are called by, and the hash
 *
 * `privacy.log_ip = "hmac"`: HMAC-SHA256 (RFC 2104) over the kind and the plain key of a host or network, 9 bytes; the first
 * 8 bytes of it are the key in the reputation table. Who has the key file can try all addresses and read the names; it is
 * read once, at start, handed to the threads that need it, and never shown.
 *
 * Cost: about 4 µs a hash (results/clients-2026-11-25.md). Not taken: two SHA-256 over prepared pads, which save a fifth of
 * that and are one more thing to get wrong.
 */
import { createHmac, createSecretKey } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { ConfigError } from '../config/config-error.ts';
import type { Config } from '../config/config.ts';
import type { Key } from '../reputation/keys.ts';
import type { Names } from '../reputation/names.ts';
import { fullNames, hashedNames, truncatedNames } from '../reputation/names.ts';

const KEY_BYTES_MIN = 16;
const KEY_BYTES_MAX = 4096;
const OTHERS_MASK = 0o077;
const ID_BYTES = 4;

/** The key of the hash, and what the operator should know about its file. */
export interface NameKey {
  /** Null when no hash is wanted. */
  readonly bytes: Uint8Array | null;
  /** A sentence, or null. */
  readonly warning: string | null;
}

/** Reads privacy.key_file if clients are called by a hash. `fileName`, of the configuration, stands in the ConfigError. */
export function readNameKey(config: Config, fileName: string): NameKey {
  if (config.privacy.logIp !== 'hmac') return { bytes: null, warning: null };
  const path = config.privacy.keyFile;
  const fault = (says: string): ConfigError =>
    new ConfigError([`${fileName}: privacy.key_file: "${path}" ${says}`]);
  const bytes = new Uint8Array(KEY_BYTES_MAX + 1);
  let count: number;
  let mode: number;
  try {
    const file = openSync(path, 'r');
    try {
      const stat = fstatSync(file);
      if (!stat.isFile()) throw fault('is not a file');
      ({ mode } = stat);
      count = readSync(file, bytes);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw fault(`cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  }
  if (count < KEY_BYTES_MIN) throw fault(`holds ${count} bytes, want at least ${KEY_BYTES_MIN}`);
  if (count > KEY_BYTES_MAX) throw fault(`holds more than ${KEY_BYTES_MAX} bytes`);
  const warning =
    (mode & OTHERS_MASK) === 0
      ? null
      : `privacy.key_file: others than its owner may use "${path}"; who reads it can undo the hash (chmod 600)`;
  return { bytes: bytes.slice(0, count), warning };
}

/** What clients are called under a configuration; `key` from readNameKey. */
export function openNames(config: Config, key: Uint8Array | null): Names {
  if (config.privacy.logIp === 'truncate') return truncatedNames;
  if (config.privacy.logIp === 'full') return fullNames;
  if (key === null) throw new ConfigError(['privacy.key_file: the key was not read']);
  const secret = createSecretKey(key);
  const input = Buffer.alloc(1 + 8);
  const hash = (kind: number, words: Key): void => {
    input.writeUInt8(kind, 0);
    input.writeInt32BE(words[0]!, 1);
    input.writeInt32BE(words[1]!, 5);
    const digest = createHmac('sha256', secret).update(input).digest();
    words[0] = digest.readInt32BE(0);
    words[1] = digest.readInt32BE(4);
  };
  const id = createHmac('sha256', secret)
    .update('sluice names')
    .digest('hex')
    .slice(0, ID_BYTES * 2);
  return hashedNames(hash, `hmac:${id}`);
}
