/**
 * gauge-table — counts what visits to the reputation table leave to the garbage collector, in a process of its own
 *
 * Known clients, strangers who take the places of others, and all that a session does with its entry. Started by
 * gauge.test; prints one line of JSON.
 */
import { hostKey, Kind, networkKey, newKey } from '../../src/reputation/keys.ts';
import { Pass } from '../../src/reputation/layout.ts';
import { signals } from '../../src/reputation/signals.ts';
import { isGoodHost, neighbourPoints } from '../../src/reputation/standing.ts';
import { ReputationTable } from '../../src/reputation/table.ts';
import { allocate, minorsOf } from './minors.ts';

const VISITS = 300_000;
const ENTRIES = 4096;
const START_SEC = 1_800_000_000;
const rows = Object.values(signals);

const table = new ReputationTable(new SharedArrayBuffer(ReputationTable.bytesFor(ENTRIES, 2)), ENTRIES, 2, 0);
const key = newKey();
const words = Uint32Array.of(0, 0, 0xffff, 0);

/** Visits of so many clients, each in turn. */
function visit(clients: number): number {
  let seen = 0;
  for (let at = 0; at < VISITS; at += 1) {
    const nowSec = START_SEC + at;
    words[3] = (0x0a00_0000 + (at % clients)) >>> 0;
    networkKey(words, 0, key);
    const network = table.claim(Kind.Network, key, nowSec);
    seen += neighbourPoints(table, network, nowSec);
    hostKey(words, 0, key);
    const index = table.claim(Kind.Host, key, nowSec);
    if (index < 0) continue;
    seen += table.opened(index) + table.passesOf(index, nowSec) + table.markOf(index, nowSec);
    // More kinds of signals than an entry has slots.
    seen += table.observe(index, rows[at % rows.length]!.id, nowSec);
    table.pass(index, Pass.pregreet, nowSec + 1000);
    seen += isGoodHost(table, index, nowSec) ? 1 : 0;
    table.closed(index);
  }
  return seen;
}

allocate(VISITS / 3);
visit(1000);
visit(100_000);
const result = {
  control: await minorsOf(() => allocate(VISITS)),
  known: await minorsOf(() => void visit(1000)),
  strangers: await minorsOf(() => void visit(100_000)),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
