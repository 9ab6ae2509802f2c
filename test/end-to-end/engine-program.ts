/**
 * engine-program — the threads of one process under a hand that can kill them
 *
 * The product has no command to kill a shard, and needs none. This program starts the product's own Threads
 * and obeys lines on standard input: `kill N` ends shard N as a fault would, `deny NETWORK` gives other lists to
 * all shards, `pool NETWORK` makes a pool of good standing known, `open ADDRESS` tells the sessions that a client and
 * its network have open, `counters` prints the counters, `renew` reads certificates anew, `stop` ends everything. What
 * the shards tell goes to standard error, the log to standard output.
 */
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { parseAddress } from '../../src/base/address.ts';
import { endpointOf } from '../../src/config/addresses.ts';
import { loadConfig } from '../../src/config/load.ts';
import { compileLists } from '../../src/primary/list-files.ts';
import { Certificates } from '../../src/primary/certificates.ts';
import { merged, rangeOfNetwork } from '../../src/policy/address-ranges.ts';
import { passesNeeded } from '../../src/policy/pace.ts';
import { compilePools } from '../../src/policy/pool-map.ts';
import { Threads } from '../../src/primary/threads.ts';
import { hostKey, Kind, networkOf, newKey, textKey } from '../../src/reputation/keys.ts';
import { signals } from '../../src/reputation/signals.ts';
import { sumCounters } from '../../src/session/counters.ts';

const config = loadConfig(process.argv[2]!);
const { shards } = config.engine;
const say = (words: string): void => void process.stderr.write(`${words}\n`);

const certificates = new Certificates(config, say);
const threads = new Threads(
  {
    config,
    shards,
    sessionsMax: config.engine.maxSessions,
    allowance: {
      lanesMax: config.backend.maxConnections,
      memoryMaxBytes: config.spool.memoryMaxBytes,
      diskMaxBytes: config.spool.diskMaxBytes,
    },
    servers: [{ name: config.backend.address, weight: 1, endpoint: endpointOf(config.backend.address) }],
    lists: compileLists(config),
    reputationEntries: config.reputation.entries,
    idPrefix: 'test',
    spoolDirectory: tmpdir(),
    identities: certificates.identities,
    trusts: [],
    nameKey: null,
  },
  {
    told: (shard, message) => say(`shard ${shard}: ${JSON.stringify(message)}`),
    drained: () => say('drained'),
  },
);
// Touched as the command line does it: a pipe must not block the threads.
process.stdout.on('error', () => undefined);
threads.start();

function makePool(network: string): void {
  const key = newKey();
  textKey('sender.test', key);
  const nowSec = Math.floor(Date.now() / 1000);
  const index = threads.table.claim(Kind.Pool, key, nowSec);
  threads.table.observe(index, signals.goodMember.id, nowSec);
  threads.table.pass(index, passesNeeded(config), nowSec + 3_600);
  threads.tellAll({
    kind: 'pools',
    pools: compilePools([{ key, ranges: merged([rangeOfNetwork(network)!]) }]),
  });
  say('pool made');
}

function sayOpen(address: string): void {
  const words = new Uint32Array(4);
  parseAddress(address, words, 0);
  const key = newKey();
  hostKey(words, 0, key);
  const { table } = threads;
  const openOf = (kind: Kind): number => {
    const index = table.find(kind, key);
    return index < 0 ? 0 : table.openOf(index);
  };
  const host = openOf(Kind.Host);
  networkOf(key);
  say(`open ${address} ${host} ${openOf(Kind.Network)}`);
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const [word, number] = line.split(' ');
  if (word === 'kill') void threads.killShard(Number(number)).then(() => say(`killed ${number}`));
  else if (word === 'deny') {
    threads.tellAll({
      kind: 'lists',
      lists: compileLists({ ...config, lists: { ...config.lists, deny: [number!] } }),
    });
    say(`denied ${number}`);
  } else if (word === 'pool') makePool(number!);
  else if (word === 'counters') say(`counters ${JSON.stringify(sumCounters(threads.counters, shards))}`);
  else if (word === 'renew')
    certificates.renew((identities) => threads.tellAll({ kind: 'identities', identities }));
  else if (word === 'open') sayOpen(number!);
  else if (word === 'stop') process.exit(0);
});
