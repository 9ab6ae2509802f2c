/**
 * greets — whether a mail server answers on a port of this machine
 *
 * Connects, reads the first bytes, quits. For whoever has started one and waits until it is up; no answer is no error.
 */
import { connect } from 'node:net';

/** True when 127.0.0.1 greets with 220 on `port`, after it was sent `opening`: a PROXY header, where one is wanted. */
export function greets(port: number, opening: Uint8Array = new Uint8Array()): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    if (opening.length > 0) socket.write(opening);
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.once('data', (bytes: Buffer) => {
      resolve(bytes.toString('latin1').startsWith('220 '));
      socket.end('QUIT\r\n');
    });
  });
}
