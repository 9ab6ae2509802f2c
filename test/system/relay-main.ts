/**
 * relay-main — carries TCP between two places that cannot reach each other
 *
 * `node relay-main.ts FROM TO`: whoever connects to FROM is connected to TO. Each is `host:port` or the path of a Unix socket, which
 * is how a test speaks with what runs in a network namespace. An end or a loss on one side becomes one on the other.
 * Prints a line when it listens; ends when its input ends.
 */
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

/** What `listen` and `connect` of node:net take. */
function placeOf(text: string): { path: string } | { host: string; port: number } {
  if (text.startsWith('/')) return { path: text };
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}

const [from = '', to = ''] = process.argv.slice(2);
const server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
  const far = connect({ ...placeOf(to), noDelay: true, allowHalfOpen: true });
  for (const [one, other] of [
    [near, far],
    [far, near],
  ] as const satisfies readonly (readonly [Socket, Socket])[]) {
    one.pipe(other);
    one.on('error', () => other.destroy());
    one.on('close', () => other.destroySoon());
  }
});
server.listen(placeOf(from), () => process.stdout.write('relay listens\n'));
process.stdin.resume();
process.stdin.once('end', () => process.exit(0));
