/**
 * engine-program — the threads of one process under a hand that can kill them
 *
 * The product has no command to kill a shard, and needs none. This program starts the product's own Threads
 * and obeys lines on standard input: `kill N` ends shard N as a fault would, `counters` prints the counters,
 * `stop` ends everything. What the shards tell goes to standard error, the log to standard output.
 */
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { endpointOf } from '../../src/config/addresses.ts';
import { loadConfig } from '../../src/config/load.ts';
import { Threads } from '../../src/primary/threads.ts';
import { sumCounters } from '../../src/session/counters.ts';

const config = loadConfig(process.argv[2]!);
const { shards } = config.engine;
const say = (words: string): void => void process.stderr.write(`${words}\n`);

const threads = new Threads(
  {
    config,
    shards,
    sessionsMax: config.engine.maxSessions,
    lanesMax: 4,
    endpoint: endpointOf(config.backend.address),
    reputationEntries: config.reputation.entries,
    idPrefix: 'test',
    spoolDirectory: tmpdir(),
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

createInterface({ input: process.stdin }).on('line', (line) => {
  const [word, number] = line.split(' ');
  if (word === 'kill') void threads.kill(Number(number)).then(() => say(`killed ${number}`));
  else if (word === 'counters') say(`counters ${JSON.stringify(sumCounters(threads.counters, shards))}`);
  else if (word === 'stop') process.exit(0);
});
