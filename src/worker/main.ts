/**
 * main — one shard in one worker thread
 *
 * Wires the outside world (io) into a shard: sockets that listen for themselves with SO_REUSEPORT, the log, spool
 * files, the clock. A fault in here is the shard's own: the thread ends, its sessions end with it, and the
 * primary starts another.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Allowance } from '../backend/allowance.ts';
import { bytesOf } from '../base/ascii.ts';
import { assert } from '../base/assert.ts';
import { endpointOf } from '../config/addresses.ts';
import { Labels } from '../families/labels.ts';
import { Leavings } from '../families/leavings.ts';
import { openNames } from '../io/client-names.ts';
import { LineWriter } from '../io/line-writer.ts';
import { LogJournal } from '../io/log-journal.ts';
import { NodeSpoolFiles } from '../io/node-spool-files.ts';
import { NodeTransport } from '../io/node-transport.ts';
import { SystemClock } from '../io/system-clock.ts';
import { viewLists } from '../policy/lists.ts';
import { PoolMap } from '../policy/pool-map.ts';
import { lobbySlots } from '../policy/stress.ts';
import { ReputationTable } from '../reputation/table.ts';
import { Count, Counters } from '../session/counters.ts';
import { Shard } from '../shard/shard.ts';
import { replyTable } from '../smtp/replies.ts';
import { DnsPort } from './dns-port.ts';
import { Driver } from './driver.ts';
import type { FromShard, ShardOrder, ToShard } from './messages.ts';
import { SenderOffers } from './sender-offers.ts';

/** Bytes of one client that wait to be looked at; two command lines of the longest kind have to fit. */
const INPUT_BYTES_MIN = 16_384;
const OUTPUT_BYTES_MAX = 65_536;
const LANE_INPUT_BYTES_MAX = 65_536;
const LANE_OUTPUT_BYTES_MAX = 262_144;
const LOG_BYTES_MAX = 8_000_000;
const BACKLOG = 4096;
/** So often it is told how sessions ended. */
const TELL_LEAVINGS_MS = 1_000;
const LANE_KEEP_ALIVE_MS = 60_000;
const STDOUT = 1;
/** At the end a slow reader of the log is waited for so long. */
const LOG_LAST_MS = 1_000;

const order = workerData as ShardOrder;
assert(parentPort !== null, 'a shard runs in a worker thread');
const port = parentPort;
const tell = (message: FromShard): void => port.postMessage(message);

const { config } = order;
const clock = new SystemClock();
const counters = new Counters(order.counters, order.shard);
const log = new LineWriter(STDOUT, LOG_BYTES_MAX, () => {
  counters.add(Count.logDropped);
  // Told at the first line, the second, the fourth and so on: often enough to be read, too seldom to be a burden.
  const isPowerOfTwo = (log.dropped & (log.dropped - 1)) === 0;
  if (isPowerOfTwo)
    tell({
      kind: 'notice',
      text: `${log.dropped} log lines of shard ${order.shard} are lost: their reader is too slow or gone`,
    });
});
const journal = new LogJournal(log, (text) => tell({ kind: 'notice', text }));
const front = new NodeTransport({
  capacity: order.sessionsMax + lobbySlots(order.sessionsMax),
  inputBytesMax: Math.max(INPUT_BYTES_MIN, config.smtp.commandLineBytes * 2 + 1024),
  narrowBytesMax: config.smtp.commandLineBytes + 1024,
  outputBytesMax: OUTPUT_BYTES_MAX,
  fullReply: bytesOf(`${replyTable.sessionsFull.text.replace('%h', config.hostname)}\r\n`),
  tlsMinVersion: config.tls.minVersion,
});
front.useIdentities(order.identities);
const back = new NodeTransport({
  capacity: order.allowance.lanesMax,
  inputBytesMax: LANE_INPUT_BYTES_MAX,
  outputBytesMax: LANE_OUTPUT_BYTES_MAX,
  keepAliveMs: LANE_KEEP_ALIVE_MS,
  trusts: order.trusts,
});
const files = new NodeSpoolFiles(order.spoolDirectory, `sluice-${order.idPrefix}`);
const senders = new SenderOffers(config.pools.spf, clock);
const dns = new DnsPort(config.dnsxl.length > 0, order.idPrefix, front.capacity);
const leavings = new Leavings();
const nowMs = clock.nowMs();
const shard = new Shard({
  config,
  front,
  back,
  servers: order.servers,
  journal,
  reputation: new ReputationTable(order.reputation, order.reputationEntries, order.shards, order.shard),
  names: openNames(config, order.nameKey),
  shard: order.shard,
  shards: order.shards,
  sessionsMax: order.sessionsMax,
  counters,
  files,
  dns,
  lanesMax: order.allowance.lanesMax,
  allowance: new Allowance(order.allowed, order.allowance, order.shards, order.shard),
  lists: viewLists(order.lists),
  senders,
  leavings,
  idPrefix: order.idPrefix,
  epochMs: clock.epochMs(),
  startMs: nowMs,
});

if (order.pools !== undefined) shard.setPools(new PoolMap(order.pools));
if (order.families !== undefined) shard.works.families = new Labels(order.families);

let draining = false;
let refusedFullSeen = 0;
const driver = new Driver(shard, clock, () => {
  if (front.refusedFull > refusedFullSeen) {
    counters.addMany(Count.sessionsFull, front.refusedFull - refusedFullSeen);
    refusedFullSeen = front.refusedFull;
  }
  const offers = senders.takeAll();
  if (offers !== null) tell({ kind: 'senders', senders: offers });
  const asks = dns.takeAsks();
  if (asks !== null) tell({ kind: 'dnsAsks', asks });
  if (draining && shard.sessionsOpen === 0) void finish();
});
front.onNoted = () => driver.wake();
back.onNoted = () => driver.wake();
files.onNoted = () => driver.wake();
dns.onNoted = () => driver.wake();

let leavingsDroppedSeen = 0;
const tellLeavings = (): void => {
  const rows = leavings.takeAll();
  if (rows === null) return;
  tell({ kind: 'leavings', rows });
  counters.addMany(Count.leavingsDropped, leavings.dropped - leavingsDroppedSeen);
  leavingsDroppedSeen = leavings.dropped;
};
setInterval(tellLeavings, TELL_LEAVINGS_MS).unref();

async function finish(): Promise<void> {
  driver.stop();
  await log.end(LOG_LAST_MS);
  tell({ kind: 'drained' });
  port.close();
  process.exit(0);
}

port.on('message', (message: ToShard): void => {
  switch (message.kind) {
    case 'drain':
      return drain();
    case 'lists':
      return shard.setLists(viewLists(message.lists));
    case 'identities':
      return front.useIdentities(message.identities);
    case 'pools':
      return shard.setPools(new PoolMap(message.pools));
    case 'families':
      shard.works.families = new Labels(message.table);
      return;
    case 'flushRecipients':
      return shard.works.recipients.flush();
    case 'dnsFound':
      return dns.take(message.start, message.found);
    default:
      return message satisfies never;
  }
});

function drain(): void {
  if (draining) return;
  draining = true;
  void front.stopListening();
  shard.drain(clock.nowMs());
  driver.wake();
}

async function listen(): Promise<void> {
  const addresses: string[] = [];
  for (const [listener, { address }] of config.listener.entries()) {
    const { host, port: wanted } = endpointOf(address);
    const bound = await front.listen({ host, port: wanted, listener, reusePort: true, backlog: BACKLOG });
    addresses.push(
      host.includes(':') ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`,
    );
  }
  tell({ kind: 'listening', addresses });
}

shard.start(nowMs);
driver.turn();
try {
  await listen();
} catch (error) {
  tell({ kind: 'failed', text: error instanceof Error ? error.message : String(error) });
  process.exit(1);
}
