/**
 * key-pairs — reads a certificate and its key, and those that vouch for others, or says what is wrong with them
 *
 * Asked when the configuration is read, so that `check` finds what `run` would, and again at SIGHUP. All that OpenSSL
 * would complain of later is found here, in words for an operator; the key itself is in none of them.
 *
 * A certificate that has expired is no fault: senders mostly look at nobody's, and mail is better off with it than
 * in plaintext. Its last day is told.
 *
 * A file of certificates that vouch for the backend may hold several, one behind the other; words between them are passed
 * over, as OpenSSL does. The backend's own will do, if it is signed by itself. No file: what the system trusts.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { createSecureContext, getCACertificates } from 'node:tls';
import { getSystemErrorMap } from 'node:util';
import type { KeyPairPaths } from './tls-kinds.ts';
import { quote } from './wording.ts';

/** A chain of certificates with a long list of names is some kilobytes. */
const FILE_BYTES_MAX = 1_000_000;

/** A pair that fits together. */
export interface KeyPair {
  /** The chain, the server's own certificate first, and its key, both PEM. */
  readonly certificate: string;
  readonly key: string;
  /** Whom it names. */
  readonly names: string;
  /** The end of its validity, milliseconds since 1970. */
  readonly untilMs: number;
}

/** What is wrong, and with which of the two. */
export interface KeyPairFault {
  readonly part: 'certificate' | 'key';
  readonly says: string;
}

/** Reads both files and tries whether they fit. */
export function readKeyPair(paths: KeyPairPaths): KeyPair | KeyPairFault {
  const certificate = readBounded(paths.certificate);
  if (typeof certificate !== 'string') return { part: 'certificate', says: certificate.says };
  const key = readBounded(paths.key);
  if (typeof key !== 'string') return { part: 'key', says: key.says };
  let first: X509Certificate;
  try {
    first = new X509Certificate(certificate);
  } catch {
    return { part: 'certificate', says: `${quote(paths.certificate)} holds no certificate in PEM` };
  }
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(key);
  } catch (error) {
    // OpenSSL asks nobody for the passphrase, and takes that for a refusal.
    const isLocked = (error as NodeJS.ErrnoException).code === 'ERR_OSSL_CRYPTO_INTERRUPTED_OR_CANCELLED';
    const wrong = isLocked ? 'is locked with a passphrase; write it without one' : 'holds no key in PEM';
    return { part: 'key', says: `${quote(paths.key)} ${wrong}` };
  }
  if (!first.checkPrivateKey(privateKey)) {
    const says = `${quote(paths.key)} is not the key of the first certificate in ${quote(paths.certificate)}`;
    return { part: 'key', says };
  }
  try {
    createSecureContext({ cert: certificate, key });
  } catch (error) {
    const reason = error instanceof Error ? (/[^:]+$/.exec(error.message)?.[0] ?? '') : '';
    return { part: 'certificate', says: `${quote(paths.certificate)} cannot be used: ${reason}` };
  }
  return { certificate, key, names: namesOf(first), untilMs: Date.parse(first.validTo) };
}

/** The alternative names, or else the common one. */
export function namesOf(certificate: X509Certificate): string {
  const { subjectAltName, subject } = certificate;
  return subjectAltName?.replaceAll('DNS:', '') ?? subject.replaceAll('\n', ', ');
}

const block = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates of the file, each in PEM, or a sentence that says why there are none; none for '' (the system's). */
export function readAuthorities(path: string): readonly string[] | string {
  if (path === '') {
    if (getCACertificates('system').length > 0) return [];
    return 'the system trusts no certificate at all; name a file with those that vouch for the backend';
  }
  const text = readBounded(path);
  if (typeof text !== 'string') return text.says;
  const blocks = text.match(block) ?? [];
  if (blocks.length === 0) return `${quote(path)} holds no certificate in PEM`;
  for (const [at, one] of blocks.entries()) {
    try {
      void new X509Certificate(one);
    } catch {
      return `${quote(path)}: certificate ${at + 1} of ${blocks.length} cannot be read`;
    }
  }
  return blocks;
}

function readBounded(path: string): string | { readonly says: string } {
  const bytes = Buffer.alloc(FILE_BYTES_MAX + 1);
  let filled = 0;
  try {
    const file = openSync(path, 'r');
    try {
      while (filled < bytes.length) {
        const count = readSync(file, bytes, filled, bytes.length - filled, null);
        if (count === 0) break;
        filled += count;
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const reason = getSystemErrorMap().get((error as NodeJS.ErrnoException).errno ?? 0)?.[1] ?? String(error);
    return { says: `${quote(path)} cannot be read: ${reason}` };
  }
  if (filled > FILE_BYTES_MAX) return { says: `${quote(path)} is larger than 1MB` };
  return bytes.toString('latin1', 0, filled);
}
