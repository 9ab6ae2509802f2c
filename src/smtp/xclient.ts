/**
 * xclient — who a backend connection speaks for, as Postfix's XCLIENT command
 *
 * Every attribute that the backend lists is sent every time, [UNAVAILABLE] where Sluice knows nothing: what
 * is left out keeps the value of the client before (seen with Postfix 3.7), and one client must never speak
 * with the name of another. Values are xtext, at most 255 octets; the command stays below 512 (XCLIENT_README).
 * HELO longer than its share is sent as [UNAVAILABLE]: the client's own EHLO follows anyway.
 *
 * The order is the document's: NAME and ADDR stand last, since they may cost the right to say more.
 */

/** What is known of a client. Address as text without brackets; IPv6 unprefixed. */
export interface ClientIdentity {
  readonly address: string;
  readonly port: number;
  readonly destinationAddress: string;
  readonly destinationPort: number;
  readonly esmtp: boolean;
  readonly helo: string;
}

/** An address that nobody has (RFC 5737), to try out XCLIENT with. */
export const nobody: ClientIdentity = {
  address: '192.0.2.1',
  port: 25,
  destinationAddress: '192.0.2.2',
  destinationPort: 25,
  esmtp: true,
  helo: '',
};

const COMMAND_BYTES_MAX = 512;
const UNAVAILABLE = '[UNAVAILABLE]';

/** Encodes a value of latin-1 text as xtext (RFC 3461 §4): 33–126 but + and = stay, the rest is +HH. */
export function xtext(value: string): string {
  let out = '';
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    const plain = code > 32 && code < 127 && code !== 0x2b && code !== 0x3d;
    out += plain ? value[at] : `+${code.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

const addressOf = (address: string): string => (address.includes(':') ? `IPV6:${address}` : address);

function valueOf(attribute: string, client: ClientIdentity): string {
  switch (attribute) {
    case 'PROTO':
      return client.esmtp ? 'ESMTP' : 'SMTP';
    case 'HELO': {
      const helo = xtext(client.helo);
      // A client that says "[UNAVAILABLE]" must not become one; and an over-long name has its EHLO behind.
      return helo === '' || helo.length > 200 || helo.startsWith('[') ? UNAVAILABLE : helo;
    }
    case 'PORT':
      return String(client.port);
    case 'DESTADDR':
      return addressOf(client.destinationAddress);
    case 'DESTPORT':
      return String(client.destinationPort);
    case 'ADDR':
      return addressOf(client.address);
    default:
      return UNAVAILABLE;
  }
}

const order = ['PROTO', 'HELO', 'PORT', 'DESTADDR', 'DESTPORT', 'LOGIN', 'REVERSE_NAME', 'NAME', 'ADDR'];

/** The command without its line end for the attributes that a backend lists (upper case). */
export function xclientCommand(listed: readonly string[], client: ClientIdentity): string {
  let command = 'XCLIENT';
  for (const attribute of order) {
    if (listed.includes(attribute)) command += ` ${attribute}=${valueOf(attribute, client)}`;
  }
  if (command.length + 2 <= COMMAND_BYTES_MAX) return command;
  return xclientCommand(listed, { ...client, helo: '' });
}
