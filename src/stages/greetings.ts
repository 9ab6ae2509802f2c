/**
 * greetings — the first lines and the EHLO replies, prepared
 *
 * The greeting exists whole (`220 host text`) for those who are known, and in two parts for the trap: the
 * first line is `220-host text`, which tells a client that follows RFC 5321 §4.2.1 to keep silent, the last
 * line `220 host text` lets it speak. The EHLO reply offers what Sluice can read and the backend offers,
 * with and without PIPELINING, with and without STARTTLS; it is written anew when the backend's abilities change.
 * HELP names the verbs that are understood, those of extensions only where they are offered.
 * A message that may have fewer recipients than senders count on is told of by LIMITS (RFC 9422), which spares those that
 * know it the 452.
 */
import type { Prepare } from '../base/prepare.ts';
import { unprepared } from '../base/prepare.ts';
import type { Capabilities } from '../backend/capabilities.ts';
import type { Config } from '../config/config.ts';
import { understoodWords } from '../smtp/dialogue.ts';
import { Extension } from '../smtp/mailbox.ts';
import { encodeLine } from '../smtp/replies.ts';
import { TRACE_BYTES_MAX } from '../smtp/tls-trace.ts';

/** So many recipients of a message senders count on without being told: the limit of most servers, and of ours as shipped. */
const RECIPIENTS_USUAL = 1_000;

export class Greetings {
  /** `220-host text` */
  readonly teaser: Uint8Array;
  /** `220 host text` */
  readonly last: Uint8Array;
  /** The EHLO reply without and with PIPELINING. */
  ehlo: Uint8Array;
  ehloPipelining: Uint8Array;
  /** The same with STARTTLS, for a client that may begin TLS. */
  ehloTls: Uint8Array;
  ehloTlsPipelining: Uint8Array;
  /** The answer to HELP, and with STARTTLS. */
  readonly help: Uint8Array;
  readonly helpTls: Uint8Array;
  /** Largest message that is taken; 0 for no limit. */
  sizeMaxBytes = 0;

  readonly #config: Config;
  readonly #prepare: Prepare;

  /** `prepare` gives each text the form that the transport likes best. */
  constructor(config: Config, capabilities: Capabilities, prepare: Prepare = unprepared) {
    this.#config = config;
    this.#prepare = prepare;
    const text = `${config.hostname} ${config.screen.banner}`.trimEnd();
    this.teaser = prepare(encodeLine(`220-${text}`));
    this.last = prepare(encodeLine(`220 ${text}`));
    const words = understoodWords.filter((word) => word !== 'BDAT' || config.smtp.chunking);
    const plain = words.filter((word) => word !== 'STARTTLS');
    this.help = prepare(encodeLine(`214 2.0.0 ${plain.join(' ')}`));
    this.helpTls = prepare(encodeLine(`214 2.0.0 ${words.join(' ')}`));
    this.ehlo = this.teaser;
    this.ehloPipelining = this.teaser;
    this.ehloTls = this.teaser;
    this.ehloTlsPipelining = this.teaser;
    this.learn(capabilities);
  }

  /** Writes the EHLO replies for what the backend can do. */
  learn(capabilities: Capabilities): void {
    const own = this.#config.smtp.messageSizeMaxBytes;
    const ahead = this.#config.tls.traceHeader ? TRACE_BYTES_MAX : 0;
    const theirs = capabilities.sizeMaxBytes > 0 ? Math.max(1, capabilities.sizeMaxBytes - ahead) : 0;
    this.sizeMaxBytes = own === 0 || theirs === 0 ? Math.max(own, theirs) : Math.min(own, theirs);
    const has = (extension: number): boolean => (capabilities.extensions & extension) !== 0;
    const lines = [this.#config.hostname];
    if (has(Extension.Size)) lines.push(this.sizeMaxBytes > 0 ? `SIZE ${this.sizeMaxBytes}` : 'SIZE');
    if (has(Extension.EightBitMime)) lines.push('8BITMIME');
    if (has(Extension.SmtpUtf8)) lines.push('SMTPUTF8');
    if (has(Extension.Dsn)) lines.push('DSN');
    // What Sluice takes apart itself does not depend on the backend.
    if (this.#config.smtp.chunking) lines.push('CHUNKING');
    const recipientsMax = recipientsMaxOf(this.#config);
    if (recipientsMax < RECIPIENTS_USUAL) lines.push(`LIMITS RCPTMAX=${recipientsMax}`);
    this.ehlo = this.#prepare(encode([...lines, 'ENHANCEDSTATUSCODES']));
    this.ehloPipelining = this.#prepare(encode([...lines, 'PIPELINING', 'ENHANCEDSTATUSCODES']));
    lines.push('STARTTLS');
    this.ehloTls = this.#prepare(encode([...lines, 'ENHANCEDSTATUSCODES']));
    this.ehloTlsPipelining = this.#prepare(encode([...lines, 'PIPELINING', 'ENHANCEDSTATUSCODES']));
  }

  /** The EHLO reply that offers what is said. */
  ehloFor(pipelining: boolean, tls: boolean): Uint8Array {
    if (tls) return pipelining ? this.ehloTlsPipelining : this.ehloTls;
    return pipelining ? this.ehloPipelining : this.ehlo;
  }
}

/** With late verification the answer to a message is one for all its recipients, so it has one. */
function recipientsMaxOf({ smtp, backend }: Config): number {
  return backend.verifyRecipients === 'late' ? 1 : smtp.recipientsMax;
}

function encode(lines: readonly string[]): Uint8Array {
  const texts = lines.map((line, row) => `250${row === lines.length - 1 ? ' ' : '-'}${line}`);
  return encodeLine(texts.join('\r\n'));
}
