/**
 * authorities — reads the certificates that vouch for the backend, or says what is wrong with them
 *
 * Asked when the configuration is read, so that `check` finds what `run` would. A file may hold several, one behind the
 * other; words between them are passed over, as OpenSSL does. The certificate of the backend itself will do, if it is
 * signed by itself. No file: what the system trusts, which has to be something.
 */
import { X509Certificate } from 'node:crypto';
import { getCACertificates } from 'node:tls';
import { readBounded } from './key-pairs.ts';
import { quote } from './wording.ts';

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
