/**
 * explain — what Sluice would do with a client that came now, and on which evidence
 *
 * The same functions that admit a client are asked (policy/listed, reputation/standing, policy/pace), with the entries that
 * are there now; nothing is made or dated by asking. The score is given as rows, whose points sum up to it: what was noted
 * of the client itself, and one row for the company of its network. What others know (sources) stands beside it; a
 * source has two seconds, then the answer goes out without it.
 *
 * Of a network it is told what a member without a past of its own would meet; lists are asked for its first address.
 */
import { decisiveMark, listedBy } from '../policy/listed.ts';
import type { Lists } from '../policy/lists.ts';
import { NetworkSet } from '../policy/networks.ts';
import { Pace, paceFor, paceNames, passesNeeded, testNames } from '../policy/pace.ts';
import type { Listed } from '../policy/pace.ts';
import { scaleForScore } from '../policy/plan.ts';
import type { ExplainRow, ExplainSource, Inside } from '../primary/inside.ts';
import { ONE } from '../reputation/decay.ts';
import { Kind, kindNames } from '../reputation/keys.ts';
import { Mark, markUntilSec, Pass } from '../reputation/layout.ts';
import { signals, signalStepsSec } from '../reputation/signals.ts';
import type { SignalName } from '../reputation/signals.ts';
import { isGoodPool, KnownBy, knownBy, neighbourPoints } from '../reputation/standing.ts';
import type { ReputationTable } from '../reputation/table.ts';
import type { Asked } from './asked.ts';
import { markNames } from './entry.ts';
import { textOfSec } from './moment.ts';

/** A source that has not answered by then is not waited for. */
export const SOURCE_MS_MAX = 2_000;

/** Rows of one source that are told. */
const SOURCE_ROWS_MAX = 50;

const none = NetworkSet.compile([]);
const nowhere: Lists = { allow: none, slow: none, deny: none, exceptions: none };

export interface ScoreRow {
  readonly signal: string;
  readonly says: string;
  /** What is left of all observations, to a hundredth. */
  readonly observations: number;
  /** Seconds since the last one, in steps of `age_step_s`. */
  readonly age_s: number;
  readonly age_step_s: number;
  readonly points: number;
}

export interface Explanation {
  readonly client: string;
  readonly kind: string;
  readonly known: boolean;
  readonly first_seen: string | null;
  readonly seen: string | null;
  readonly pace: string;
  readonly because: string;
  readonly score: number;
  readonly slow_from: number;
  readonly slow_at: number;
  /** Percent of the plan of delays that its score alone is worth. */
  readonly plan_percent: number;
  readonly rows: readonly ScoreRow[];
  /** Lists of the configuration and marks that hold it. */
  readonly held_by: readonly string[];
  readonly passes: readonly {
    readonly test: string;
    readonly needed: boolean;
    readonly own_until: string | null;
    readonly network_until: string | null;
  }[];
  readonly network: {
    readonly name: string;
    readonly known: boolean;
    readonly bad_members: number;
    readonly good_members: number;
    /** Its passes count for its members. */
    readonly is_good: boolean;
    readonly open: number;
  } | null;
  readonly open: number;
  readonly open_max: number;
  readonly sources: readonly SourceAnswer[];
}

export interface SourceAnswer {
  readonly name: string;
  /** '' when it answered. */
  readonly trouble: string;
  readonly rows: readonly ExplainRow[];
}

/** Explains the client or network that was asked for. `sourceMs`: how long sources are waited for. */
export async function explained(
  inside: Inside,
  asked: Asked,
  sourceMs = SOURCE_MS_MAX,
): Promise<Explanation> {
  const { config, memory, names } = inside;
  const { table } = memory;
  const sources = asked.kind === Kind.Host ? await answersOf(inside.sources, asked, sourceMs) : [];
  const nowSec = inside.nowSec();
  // From here on nothing waits: the entries are those of one moment, as far as other threads let them.
  const host = asked.kind === Kind.Host ? table.find(Kind.Host, asked.key) : -1;
  const network = asked.networkKey === null ? -1 : table.find(Kind.Network, asked.networkKey);
  const needed = passesNeeded(config);
  const poolKey = asked.address === null ? null : inside.poolKeyOf(asked.address);
  const pool = poolKey === null ? -1 : table.find(Kind.Pool, poolKey);
  const own = host < 0 ? 0 : table.scoreOf(host, nowSec);
  const score = own + neighbourPoints(table, network, nowSec);
  const by = knownBy(table, host, network, pool, needed, config.pools.network, nowSec);
  const mark = decisiveMark(
    host < 0 ? Mark.None : table.markOf(host, nowSec),
    network < 0 ? Mark.None : table.markOf(network, nowSec),
  );
  const lists = asked.address === null ? nowhere : inside.lists();
  const listed = listedBy(lists, mark, asked.address ?? new Uint32Array(4), 0);
  const pace = paceFor(config, listed, score, by !== KnownBy.Nobody);
  const main = asked.kind === Kind.Host ? host : network;
  return {
    client: asked.name,
    kind: kindNames[asked.kind],
    known: main >= 0,
    first_seen: main < 0 ? null : textOfSec(table.firstSecOf(main)),
    seen: main < 0 ? null : textOfSec(table.seenSecOf(main)),
    pace: paceNames[pace],
    because: reasonFor(inside, pace, listed, score, by),
    score,
    slow_from: config.shape.slowFrom,
    slow_at: config.shape.slowAt,
    plan_percent: scaleForScore(config, score),
    rows: scoreRows(table, host, network, own, nowSec),
    held_by: heldBy(inside, asked, host, network, nowSec),
    passes: testNames.map((test) => ({
      test,
      needed: (needed & Pass[test]) !== 0,
      own_until: passUntil(table, host, Pass[test], nowSec),
      network_until: passUntil(table, network, Pass[test], nowSec),
    })),
    network:
      asked.networkKey === null
        ? null
        : {
            name: names.nameOf(Kind.Network, asked.networkKey),
            known: network >= 0,
            bad_members: membersOf(table, network, signals.badMember.id, nowSec),
            good_members: membersOf(table, network, signals.goodMember.id, nowSec),
            is_good: config.pools.network && isGoodPool(table, network, needed, nowSec),
            open: network < 0 ? 0 : table.openOf(network),
          },
    open: main < 0 ? 0 : table.openOf(main),
    open_max: asked.kind === Kind.Host ? config.limits.connections : config.limits.networkConnections,
    sources,
  };
}

/** The score as rows; their points sum up to it. */
function scoreRows(
  table: ReputationTable,
  host: number,
  network: number,
  own: number,
  nowSec: number,
): readonly ScoreRow[] {
  const rows: ScoreRow[] = [];
  let sum = 0;
  for (const { signal, observations, ageSec, points } of host < 0 ? [] : table.rowsOf(host, nowSec)) {
    sum += points;
    const { says } = signals[signal];
    rows.push({
      signal,
      says,
      observations: hundredths(observations),
      age_s: Math.floor(ageSec),
      age_step_s: stepOf(signal),
      points,
    });
  }
  if (sum !== own)
    rows.push({
      signal: 'bounds',
      says: 'a score has bounds',
      observations: 0,
      age_s: 0,
      age_step_s: 0,
      points: own - sum,
    });
  const company = neighbourPoints(table, network, nowSec);
  if (company === 0) return rows;
  const noted = table.rowsOf(network, nowSec).find(({ signal }) => signal === 'badMember');
  rows.push({
    signal: 'neighbours',
    says: 'comes from a network of which members became bad',
    observations: membersOf(table, network, signals.badMember.id, nowSec),
    age_s: Math.floor(noted?.ageSec ?? 0),
    age_step_s: stepOf('badMember'),
    points: company,
  });
  return rows;
}

/** Dates of a signal are kept in steps of so many seconds. */
export function stepOf(signal: SignalName): number {
  return signalStepsSec[signals[signal].id]!;
}

function membersOf(table: ReputationTable, network: number, id: number, nowSec: number): number {
  return network < 0 ? 0 : hundredths(table.amountOf(network, id, nowSec) / ONE);
}

function hundredths(number: number): number {
  return Math.round(number * 100) / 100;
}

function passUntil(table: ReputationTable, index: number, bit: number, nowSec: number): string | null {
  const untilSec = index < 0 ? 0 : table.passUntilSecOf(index, Math.log2(bit));
  return untilSec > nowSec ? textOfSec(untilSec) : null;
}

/** Each list and mark that holds the client, as words. */
function heldBy(inside: Inside, asked: Asked, host: number, network: number, nowSec: number): string[] {
  const held: string[] = [];
  const { table } = inside.memory;
  for (const [index, of] of [
    [host, 'the client'],
    [network, 'its network'],
  ] as const) {
    if (index < 0) continue;
    const mark = table.markOf(index, nowSec);
    if (mark === Mark.None) continue;
    const untilSec = markUntilSec(table.markWordOf(index));
    const whose = asked.kind === Kind.Network ? 'the network' : of;
    held.push(
      `mark "${markNames[mark]}" on ${whose}, ${untilSec === 0 ? 'for ever' : `until ${textOfSec(untilSec)}`}`,
    );
  }
  if (asked.address === null) return [...held, 'lists of the configuration: not known for a hash'];
  const lists = inside.lists();
  for (const name of ['allow', 'slow', 'deny'] as const)
    if (lists[name].has(asked.address, 0)) held.push(`lists.${name}`);
  return held;
}

function reasonFor(inside: Inside, pace: Pace, listed: Listed, score: number, by: KnownBy): string {
  const { config } = inside;
  if (listed === 'allow') return 'a list or a mark allows it';
  if (config.mode === 'observe') return 'mode = "observe": nobody is delayed or refused';
  if (pace === Pace.Refused) return 'a list or a mark denies it';
  if (listed === 'slow') return 'a list or a trap says so';
  if (pace === Pace.Slow)
    return `its score is ${score}: ${scaleForScore(config, score)} % of the delays in [shape]`;
  if (by === KnownBy.Itself) return 'it has passed every test';
  if (by === KnownBy.Network) return 'its network is of good standing';
  if (by === KnownBy.Pool) return 'the domain whose SPF record names it is of good standing';
  return pace === Pace.Instant
    ? 'screen.greet_wait is 0: nobody is screened'
    : 'it has not passed every test; it waits for the greeting';
}

/** What each source answers, or that it does not. Never rejects, never takes longer than the deadline. */
async function answersOf(
  sources: readonly ExplainSource[],
  { address, name: clientName }: Asked,
  limitMs: number,
): Promise<readonly SourceAnswer[]> {
  return Promise.all(
    sources.map(async (source): Promise<SourceAnswer> => {
      const { name } = source;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<null>((resolve) => (timer = setTimeout(resolve, limitMs, null)));
      try {
        const rows = await Promise.race([source.rows({ address, name: clientName }), late]);
        if (rows === null) return { name, trouble: 'no answer yet', rows: [] };
        return { name, trouble: '', rows: rows.slice(0, SOURCE_ROWS_MAX) };
      } catch (error) {
        return {
          name,
          trouble: `failed: ${error instanceof Error ? error.message : String(error)}`,
          rows: [],
        };
      } finally {
        clearTimeout(timer);
      }
    }),
  );
}
