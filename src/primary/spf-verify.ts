/**
 * spf-verify — does the SPF record of a domain authorise this client?
 *
 * The library (mailauth) decides; here it is given the DNS of the check (spf-names) and nothing else. It is loaded when
 * the first sender is to be verified: that takes a while and some memory, and a Sluice that hears of no good sender
 * has no need of it.
 *
 * It is told the domain, not the mailbox: nobody's name leaves the session. A record that asks for the local part sees
 * "postmaster". A HELO that is no host name is replaced by the domain.
 *
 * PTR records are not looked up: a reverse zone says what its owner likes (RFC 7208 §5.5 advises against it).
 */
import { isHostName } from '../config/addresses.ts';
import type { AskSpf, SpfRecordType } from './spf-names.ts';

/** A client, and who it says it sends for. */
export interface SpfSender {
  readonly address: string;
  /** The domain of MAIL FROM, in small letters. */
  readonly domain: string;
  readonly helo: string;
}

/** pass: authorised. other: not, or its record is unfit. unanswered: the DNS could not tell. */
export type SpfVerdict = 'pass' | 'other' | 'unanswered';

/** An error as the library understands it. */
class Refusal extends Error {
  readonly code: string;
  readonly spfResult: { readonly error: string; readonly text: string } | undefined;

  constructor(code: string, error?: string) {
    super(code);
    this.code = code;
    if (error !== undefined) this.spfResult = { error, text: code };
  }
}

/** Verifies a sender. `mta` is the name that the macro %{r} stands for. Never rejects. */
export async function verifySpf(ask: AskSpf, sender: SpfSender, mta: string): Promise<SpfVerdict> {
  const { spf } = await import('mailauth/lib/spf/index.js');
  let hasFailed = false;
  const resolver = async (name: string, type: string): Promise<string[][] | string[]> => {
    if (type === 'PTR') throw new Refusal('ENOTFOUND');
    const answer = await ask(name, type as SpfRecordType);
    switch (answer.state) {
      case 'void':
        throw new Refusal('ENOTFOUND');
      case 'unfit':
        throw new Refusal('EUNFIT', 'permerror');
      case 'failed':
        hasFailed = true;
        throw new Refusal('ETIMEOUT', 'temperror');
      default:
        if (type === 'TXT') return answer.values.map((text) => [text]);
        // The declared type knows no MX records.
        if (type === 'MX')
          return answer.values.map((exchange, priority) => ({ exchange, priority })) as unknown as string[];
        return [...answer.values];
    }
  };
  const helo = isHostName(sender.helo) && sender.helo.includes('.') ? sender.helo : sender.domain;
  try {
    const { status } = await spf({
      ip: sender.address,
      sender: `postmaster@${sender.domain}`,
      helo,
      mta,
      resolver,
    });
    if (hasFailed) return 'unanswered';
    return status.result === 'pass' ? 'pass' : 'other';
  } catch {
    // A text that the library stumbles over authorises nobody.
    return hasFailed ? 'unanswered' : 'other';
  }
}
