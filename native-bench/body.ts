/**
 * body — how far ahead a client can be, and how long a body takes at its pace
 *
 *   node native-bench/body.ts [rounds]      writes results/body.md; a minute a round
 *
 * The node transport of the product reads, a node socket with its default buffers sends, on loopback: as it comes (segments of
 * 65,483 bytes), and, where the program may make a network of its own (root, unshare), with the segments of Ethernet. Four
 * ways: a stream that is not narrowed, one that is narrowed without koffi, and with it, and the last inside TLS. What lies where is
 * read from /proc/net/tcp. Times are of the wall clock, for it is waiting that is measured.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { NO_HANDLE } from '../src/base/handle.ts';
import type { Handle } from '../src/base/handle.ts';
import { NodeTransport } from '../src/io/node-transport.ts';
import { noSocketOptions, socketOptions } from '../src/io/socket-options.ts';
import type { TlsIdentity } from '../src/io/tls-contexts.ts';
import { Noted } from '../src/transport/transport.ts';

const BODY_BYTES = 60_000;
const PIECE_BYTES = 100;
const PIECES_PER_SECOND = 10;
const FLOOD_BYTES = 16_000_000;
/** A client that got rid of nothing for so long is taken to be full. */
const FULL_MS = 2_500;
const WIDE_BYTES = 20_000_000;
const INPUT_BYTES_MAX = 16_384;
const LISTENERS = { plain: 0, tls: 1 };

interface Way {
  readonly name: string;
  readonly isNarrow: boolean;
  readonly hasOptions: boolean;
  readonly isTls: boolean;
}

const ways: readonly Way[] = [false, true].flatMap((isTls) => [
  { name: 'not narrowed', isNarrow: false, hasOptions: false, isTls },
  { name: 'narrowed, without koffi', isNarrow: true, hasOptions: false, isTls },
  { name: 'narrowed, with koffi', isNarrow: true, hasOptions: true, isTls },
]);

interface Result {
  readonly user: number;
  readonly kernel: number;
  readonly client: number;
  readonly bodyMs: number;
  readonly sentMs: number;
  readonly gapMs: number;
  readonly wideMs: number;
}

/** One client and the transport that reads it. */
interface Pair {
  readonly transport: NodeTransport;
  readonly handle: Handle;
  readonly client: Socket;
  readonly plain: Socket;
  readonly close: () => Promise<void>;
}

async function pairOf(way: Way, identity: TlsIdentity): Promise<Pair> {
  const transport = new NodeTransport({
    capacity: 1,
    inputBytesMax: INPUT_BYTES_MAX,
    outputBytesMax: 65_536,
    socketOptions: way.hasOptions ? socketOptions() : noSocketOptions('not wanted'),
  });
  transport.useIdentities([null, identity]);
  const listener = way.isTls ? LISTENERS.tls : LISTENERS.plain;
  const { port } = await transport.listen({
    host: '127.0.0.1',
    port: 0,
    listener,
    reusePort: false,
    backlog: 8,
  });
  const noted = async (event: number): Promise<Handle> => {
    for (;;) {
      const handle = transport.next();
      if (handle !== NO_HANDLE && (transport.take(handle) & event) !== 0) return handle;
      await pause(1);
    }
  };
  const plain = connect({ port, host: '127.0.0.1', noDelay: true });
  plain.on('error', () => undefined);
  const handle = await noted(Noted.Opened);
  let client = plain;
  if (way.isTls) {
    transport.startTls(handle);
    client = connectTls({ socket: plain, rejectUnauthorized: false });
    client.on('error', () => undefined);
    await noted(Noted.Secured);
  }
  client.on('data', () => undefined);
  // The words before a body: both kernels have seen some.
  client.write(Buffer.alloc(200));
  while (transport.peek(handle).length < 200) await pause(1);
  transport.consume(handle, 200);
  if (way.isNarrow) transport.narrow(handle, true);
  transport.write(handle, Buffer.from('354 go ahead\r\n'));
  const close = async (): Promise<void> => {
    plain.resetAndDestroy();
    await transport.stopListening();
    transport.abort(handle);
  };
  return { transport, handle, client, plain, close };
}

/** Bytes that wait in a queue of the socket with these two ports: in the column `tx` or `rx` of /proc/net/tcp. */
function queued(local: number, remote: number, column: 'tx' | 'rx'): number {
  const hex = (port: number): string => `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const line = readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((text) => text.trim().split(/\s+/))
    .find((words) => words[1]?.endsWith(hex(local)) === true && words[2]?.endsWith(hex(remote)) === true);
  const [tx = '0', rx = '0'] = (line?.[4] ?? '').split(':');
  return Number.parseInt(column === 'tx' ? tx : rx, 16);
}

/** What a client gets rid of while nobody consumes, and where it lies. */
async function ahead(way: Way, identity: TlsIdentity): Promise<Pick<Result, 'user' | 'kernel' | 'client'>> {
  const { transport, handle, client, plain, close } = await pairOf(way, identity);
  for (let sent = 0; sent < FLOOD_BYTES; sent += 4_096) client.write(Buffer.alloc(4_096));
  let left = -1;
  for (let since = performance.now(); performance.now() - since < FULL_MS; await pause(20)) {
    if (client.writableLength === left) continue;
    left = client.writableLength;
    since = performance.now();
  }
  const [ours, theirs] = [plain.remotePort!, plain.localPort!];
  const found = {
    user: transport.peek(handle).length,
    kernel: queued(ours, theirs, 'rx'),
    client: queued(theirs, ours, 'tx'),
  };
  await close();
  return found;
}

/** A body at its pace. */
async function paced(way: Way, identity: TlsIdentity): Promise<Pick<Result, 'bodyMs' | 'sentMs' | 'gapMs'>> {
  const { transport, handle, client, close } = await pairOf(way, identity);
  const sinceMs = performance.now();
  let sentMs = 0;
  client.write(Buffer.alloc(BODY_BYTES), () => (sentMs = performance.now() - sinceMs));
  let gapMs = 0;
  let readMs = sinceMs;
  let read = 0;
  for (let dueMs = sinceMs; read < BODY_BYTES; dueMs += 1000 / PIECES_PER_SECOND) {
    await pause(Math.max(0, dueMs - performance.now()));
    const count = Math.min(PIECE_BYTES, transport.peek(handle).length);
    if (count === 0) continue;
    transport.consume(handle, count);
    read += count;
    gapMs = Math.max(gapMs, performance.now() - readMs);
    readMs = performance.now();
  }
  const bodyMs = performance.now() - sinceMs;
  await close();
  return { bodyMs, sentMs, gapMs };
}

/** A body that goes on at full speed after a slow beginning. */
async function widened(way: Way, identity: TlsIdentity): Promise<Pick<Result, 'wideMs'>> {
  const { transport, handle, client, close } = await pairOf(way, identity);
  for (let sent = 0; sent < WIDE_BYTES; sent += 50_000) client.write(Buffer.alloc(50_000));
  let read = 0;
  for (let piece = 0; piece < 30; piece += 1) {
    await pause(1000 / PIECES_PER_SECOND);
    const count = Math.min(PIECE_BYTES, transport.peek(handle).length);
    transport.consume(handle, count);
    read += count;
  }
  const sinceMs = performance.now();
  transport.narrow(handle, false);
  while (read < WIDE_BYTES) {
    const { length } = transport.peek(handle);
    transport.consume(handle, length);
    read += length;
    await new Promise(setImmediate);
  }
  const wideMs = performance.now() - sinceMs;
  await close();
  return { wideMs };
}

function identityOf(): TlsIdentity {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-body-bench-'));
  const [key, certificate] = [join(directory, 'key'), join(directory, 'certificate')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const names = ['-subj', '/CN=mx.example.net', '-keyout', key, '-out', certificate];
  execFileSync('openssl', ['req', '-x509', ...curve, ...names], { stdio: 'ignore' });
  const identity = {
    certificate: readFileSync(certificate, 'latin1'),
    key: readFileSync(key, 'latin1'),
    ticketKeys: new Uint8Array(48).fill(7),
  };
  rmSync(directory, { recursive: true });
  return identity;
}

/** Least / median / most. */
function spread(values: readonly number[], digits: number, unit: number): string {
  const sorted = values.toSorted((a, b) => a - b).map((value) => (value / unit).toFixed(digits));
  return `${sorted[0]} / **${sorted[sorted.length >> 1]}** / ${sorted.at(-1)}`;
}

/** All ways at once, round by round; the rows of a table. */
async function table(rounds: number): Promise<string> {
  const identity = identityOf();
  const results: Result[][] = ways.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    const slow = Promise.all(ways.map(async (way) => paced(way, identity)));
    const full = await Promise.all(ways.map(async (way) => ahead(way, identity)));
    const wide: { wideMs: number }[] = [];
    for (const way of ways) wide.push(await widened(way, identity));
    for (const [at, body] of (await slow).entries())
      results[at]!.push({ ...full[at]!, ...body, ...wide[at]! });
  }
  return ways
    .map(({ name, isTls }, at) => {
      const of = (field: keyof Result, digits: number, unit: number): string =>
        spread(
          results[at]!.map((result) => result[field]),
          digits,
          unit,
        );
      const cells = [of('user', 1, 1e3), of('kernel', 1, 1e3), of('client', 0, 1e3)];
      const times = [of('bodyMs', 1, 1e3), of('gapMs', 1, 1e3), of('sentMs', 2, 1e3), of('wideMs', 2, 1e3)];
      return `| ${name}${isTls ? ', TLS' : ''} | ${[...cells, ...times].join(' | ')} |`;
    })
    .join('\n');
}

const head = `| stream | with us kB | in our kernel kB | in the client's kernel kB | 60 kB at 1 kB/s, s | longest gap s | client wrote all, s | 20 MB when wide again, s |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |`;

async function run(): Promise<void> {
  const rounds = Number(process.argv[2] ?? 5);
  if (process.argv[3] === 'rows') return void process.stdout.write(await table(rounds));
  const loopback = await table(rounds);
  process.stdout.write(`${head}\n${loopback}\n`);
  const own = 'ip link set lo mtu 1500 up && exec "$0" "$@"';
  const words = [
    '-n',
    'sh',
    '-c',
    own,
    process.execPath,
    fileURLToPath(import.meta.url),
    `${rounds}`,
    'rows',
  ];
  const child = spawnSync('unshare', words, { encoding: 'utf8' });
  const ethernet =
    child.status === 0 ? child.stdout : '| (no network of its own could be made) | | | | | | | |';
  process.stdout.write(`${ethernet}\n`);
  const { available, why } = socketOptions();
  writeFileSync(
    fileURLToPath(new URL('../results/body.md', import.meta.url)),
    `# Bodies of slow clients

${new Date().toISOString()} · \`node native-bench/body.ts ${rounds}\`

node ${process.version} · koffi ${available ? 'there' : why} · kernel ${release()} · cpu ${cpus()[0]?.model ?? '?'} · cores ${cpus().length} · load ${loadavg()[0]!.toFixed(1)} · rounds ${rounds}

Cells are least / **median** / most. *With us*, *in our kernel*, *in the client's kernel*: where the bytes lie that a client got rid of while nothing was
consumed (the engine's side reads up to ${INPUT_BYTES_MAX} bytes, of a narrowed stream 2,048, and one read more; what a TLS stream has read and not deciphered
is not seen). *60 kB at 1 kB/s*: ${PIECE_BYTES} bytes are consumed ${PIECES_PER_SECOND} times a second,
if they are there; *longest gap* is the longest time without any. *Client wrote all*: when its kernel had taken the body.
*Wide again*: after three seconds at that pace \`narrow(…, false)\`, and everything is consumed as it comes.

## Loopback, segments of 65,483 bytes

${head}
${loopback}

## Loopback with an MTU of 1,500

${head}
${ethernet}
`,
  );
}

await run();
