/**
 * tls-fault — why TLS to the backend did not come about
 *
 * A handshake can fail in few ways that an operator has to tell apart: somebody else answers (the certificate), the
 * right one answers with the wrong papers (its name, its time), or the two do not agree on a language. Each has a
 * sentence that says where to look.
 *
 * `detail` is what the other side or OpenSSL had to say. It may be a stranger's text, so it is cut and printable.
 */

/** What went wrong, by the part of the handshake. */
export type TlsFaultKind = 'handshake' | 'untrusted' | 'wrongName' | 'outOfDate';

/** A handshake that failed. */
export interface TlsFault {
  readonly kind: TlsFaultKind;
  readonly detail: string;
}

const DETAIL_CHARACTERS_MAX = 160;

const sentences: Readonly<Record<TlsFaultKind, string>> = {
  handshake: 'the TLS handshake failed',
  untrusted: 'its certificate is not vouched for by backend.tls_ca',
  wrongName: 'its certificate is for another name than tls_name, or the host of its address',
  outOfDate: 'its certificate is out of date',
};

/** A fault with a detail that may be shown. */
export function tlsFault(kind: TlsFaultKind, detail: string): TlsFault {
  return { kind, detail: detail.replaceAll(/[^ -~]+/g, '?').slice(0, DETAIL_CHARACTERS_MAX) };
}

/** The fault as a part of a sentence about the backend. */
export function tlsFaultText({ kind, detail }: TlsFault): string {
  return detail === '' ? sentences[kind] : `${sentences[kind]} (${detail})`;
}
