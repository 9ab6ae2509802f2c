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
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { socketOptions } from '../src/io/socket-options.ts';
import type { TlsIdentity } from '../src/io/tls-contexts.ts';
import { identityOf, INPUT_BYTES_MAX, pairOf, queued } from './body-pair.ts';
import type { Way } from './body-pair.ts';

const BODY_BYTES = 60_000;
const PIECE_BYTES = 100;
const PIECES_PER_SECOND = 10;
const FLOOD_BYTES = 16_000_000;
/** A client that got rid of nothing for so long is taken to be full. */
const FULL_MS = 2_500;
const WIDE_BYTES = 20_000_000;
const COST_TIMES = 20_000;

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

/** CPU of one narrowing and one widening of a socket, in µs; median of seven times 20,000. */
async function costUs(identity: TlsIdentity): Promise<number> {
  const { transport, handle, close } = await pairOf(ways[0]!, identity, socketOptions());
  const cpuUs = (): number => process.threadCpuUsage().user + process.threadCpuUsage().system;
  const rounds = Array.from({ length: 7 }, () => {
    const since = cpuUs();
    for (let times = 0; times < COST_TIMES; times += 1) {
      transport.narrow(handle, true);
      transport.narrow(handle, false);
    }
    return (cpuUs() - since) / COST_TIMES;
  });
  await close();
  return rounds.toSorted((a, b) => a - b)[3]!;
}

/** Least / median / most. */
function spread(values: readonly number[], digits: number, unit: number): string {
  const sorted = values.toSorted((a, b) => a - b).map((value) => (value / unit).toFixed(digits));
  return `${sorted[0]} / **${sorted[sorted.length >> 1]}** / ${sorted.at(-1)}`;
}

/** All ways at once, round by round; the rows of a table. */
async function table(rounds: number, identity: TlsIdentity): Promise<string> {
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
  const identity = identityOf();
  if (process.argv[3] === 'rows') return void process.stdout.write(await table(rounds, identity));
  const cost = (await costUs(identity)).toFixed(1);
  const loopback = await table(rounds, identity);
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

The program of the client notices nothing of all this: its kernel takes 60 kB at once, in every line. What is spared is our memory.
To make a stream narrow and wide again costs ${cost} µs of CPU (two and three system calls).

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
