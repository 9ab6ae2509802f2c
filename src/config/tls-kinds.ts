/**
 * tls-kinds — a certificate and its key, which are one setting
 *
 * Two paths that make sense together only. Whether the files can be used is asked by a rule (rules), which knows
 * the host; here it is their form.
 */
import type { Setting } from './kinds.ts';
import { quote } from './wording.ts';

/** Paths of PEM files; both are '' when there is no TLS. */
export interface KeyPairPaths {
  readonly certificate: string;
  readonly key: string;
}

const want = '{ certificate = "/path/chain.pem", key = "/path/key.pem" }';

function isPath(value: unknown): value is string {
  return typeof value === 'string' && (value === '' || /^\/[^\0]*$/.test(value));
}

/** The paths of a certificate and its key, or two empty ones. */
export function keyPair(doc: string): Setting<'keyPair', KeyPairPaths> {
  return {
    kind: 'keyPair',
    fallback: { certificate: '', key: '' },
    doc,
    accepts: 'absolute paths of two PEM files',
    schema: {
      type: 'object',
      additionalProperties: false,
      properties: { certificate: { type: 'string' }, key: { type: 'string' } },
    },
    read(value, report) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        return void report(`want ${want}`);
      }
      const parts = new Map(Object.entries(value));
      const certificate: unknown = parts.get('certificate') ?? '';
      const key: unknown = parts.get('key') ?? '';
      // What was pasted instead of a path may be the key itself: it is not shown.
      const other = [...parts.keys()].find((name) => name !== 'certificate' && name !== 'key');
      if (other !== undefined) return void report(`unknown key ${quote(other)}, want ${want}`);
      if (!isPath(certificate) || !isPath(key)) return void report(`want absolute paths: ${want}`);
      if ((certificate === '') !== (key === '')) {
        const missing = certificate === '' ? 'certificate' : 'key';
        return void report(`the ${missing} is missing; want both, or neither for no STARTTLS`);
      }
      return { certificate, key };
    },
    write: ({ certificate, key }) => ({ certificate, key }),
  };
}
