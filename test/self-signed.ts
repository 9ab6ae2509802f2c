/**
 * self-signed — certificates for tests, made when they are needed
 *
 * X.509 (RFC 5280) as far as a mail server's own certificate goes: a name, ten years, a key on P-256, signed by
 * itself. Written by hand in DER, so that no test needs a program for it, and no key lies in the repository.
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const tag = { integer: 2, bits: 3, oid: 6, utf8: 12, utcTime: 23, sequence: 0x30, set: 0x31, version: 0xa0 };

/** One element: tag, length, content. */
function der(kind: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([kind, ...head]), content]);
}

const bytes = (...values: number[]): Buffer => Buffer.from(values);
const commonName = der(tag.oid, bytes(0x55, 4, 3));
const ecdsaWithSha256 = der(tag.sequence, der(tag.oid, bytes(0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2)));

function nameOf(host: string): Buffer {
  return der(tag.sequence, der(tag.set, der(tag.sequence, commonName, der(tag.utf8, Buffer.from(host)))));
}

function time(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/[-:T]/g, '').slice(2, 14);
  return der(tag.utcTime, Buffer.from(`${digits}Z`));
}

function pem(label: string, content: Uint8Array): string {
  const lines = Buffer.from(content).toString('base64').replaceAll(/.{64}/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines.trimEnd()}\n-----END ${label}-----\n`;
}

/** A certificate and its key in PEM. */
export interface SelfSigned {
  readonly certificate: string;
  readonly key: string;
}

/** Makes a certificate for a host, with a key of its own; `until` is when it expires. */
export function selfSigned(host: string, until = new Date('2040-01-01T00:00:00Z')): SelfSigned {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const serial = randomBytes(8);
  serial[0] = 1 + (serial[0]! & 0x3f);
  const body = der(
    tag.sequence,
    der(tag.version, der(tag.integer, bytes(2))),
    der(tag.integer, serial),
    ecdsaWithSha256,
    nameOf(host),
    der(tag.sequence, time(new Date('2020-01-01T00:00:00Z')), time(until)),
    nameOf(host),
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = sign('sha256', body, { key: privateKey, dsaEncoding: 'der' });
  const whole = der(tag.sequence, body, ecdsaWithSha256, der(tag.bits, bytes(0), signature));
  return {
    certificate: pem('CERTIFICATE', whole),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  };
}
