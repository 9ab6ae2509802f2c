/**
 * checkers — what must be true of a shard between two of its turns
 *
 * Conservation (nothing comes from nowhere and nothing gets lost), and that nobody waits for nothing: each session has an
 * armed timer, or somebody at work for it. They read the shard's tables and change nothing.
 */
import type { Allowance } from '../../src/backend/allowance.ts';
import type { Config } from '../../src/config/config.ts';
import { allowedDelayMs, Timer } from '../../src/policy/patience.ts';
import { Phase } from '../../src/session/phase.ts';
import { Flag } from '../../src/session/sessions.ts';
import type { Shard } from '../../src/shard/shard.ts';
import type { Works } from '../../src/stages/works.ts';
import { PORT_BASE } from '../../loadgen/virtual/client.ts';
import { must } from './failure.ts';
import type { SimTransport } from '../../loadgen/virtual/sim-transport.ts';

const phaseNames = Object.keys(Phase);

/** The longest delay that any timer of a client allows. */
const delayMsMax = (config: Config, timer: Timer): number =>
  allowedDelayMs(config, timer, Number.MAX_SAFE_INTEGER, 0);

/** Looks at a shard that has just had its turn; throws SimFailure. `isMore`: it has more to do at once. */
export function checkShard(shard: Shard, front: SimTransport, nowMs: number, isMore: boolean): void {
  const { works } = shard;
  const { sessions, counters, spool, envelopes, config } = works;
  let open = 0;
  let withEnvelope = 0;
  let seated = 0;
  for (let slot = 0; slot < sessions.capacity; slot += 1) {
    if (sessions.phaseOf(slot) === Phase.Free) {
      must(!works.wheel.isArmed(slot), 'a free row has no timer', -1, () => `slot ${slot} has one`);
      must(!spool.has(slot), 'a free row has no message', -1, () => `slot ${slot} has one`);
      continue;
    }
    open += 1;
    if (sessions.envelopes[slot] !== null) withEnvelope += 1;
    if (sessions.phaseOf(slot) !== Phase.Closing) seated += 1;
    checkSession(works, front, slot, nowMs);
  }
  const opened = counters.valueOf('sessionsOpened');
  const closed = counters.valueOf('sessionsClosed');
  must(
    opened === closed + open,
    'opened is closed and open',
    -1,
    () => `opened ${opened}, closed ${closed}, open ${open}`,
  );
  must(
    sessions.open === open,
    'the table knows how many are open',
    -1,
    () => `says ${sessions.open}, has ${open}`,
  );
  must(
    works.seats.taken === seated,
    'a session has a seat until it is on its way out',
    -1,
    () => `${works.seats.taken} seats, ${seated} sessions`,
  );
  must(
    isMore || front.streamsOpen === open,
    'a stream has a session',
    -1,
    () => `${front.streamsOpen} streams, ${open} sessions`,
  );
  must(
    envelopes.taken === withEnvelope,
    'an envelope has a session',
    -1,
    () => `${envelopes.taken} taken, ${withEnvelope} held`,
  );
  must(
    spool.memoryBytes <= config.spool.memoryMaxBytes,
    'the spool keeps its bound',
    -1,
    () => `${spool.memoryBytes} bytes`,
  );
}

function checkSession(works: Works, front: SimTransport, slot: number, nowMs: number): void {
  const { sessions, wheel, lanes, config } = works;
  const phase = sessions.phaseOf(slot);
  const serial = front.remotePort(sessions.handleOf(slot)) - PORT_BASE;
  const isArmed = wheel.isArmed(slot);
  const where = (): string => `slot ${slot} in phase ${phaseNames[phase]}`;
  const isAtBackend = phase === Phase.Verifying || phase === Phase.Delivering;
  if (isAtBackend) {
    must(isArmed || !lanes.isWaiting(slot), 'who stands in line for a lane has a timer', serial, where);
    must(
      isArmed || !sessions.has(slot, Flag.StreamGone) || lanes.isCommitted(slot),
      'who is gone waits for an answer only',
      serial,
      where,
    );
  } else {
    const isLeaving = phase === Phase.Closing && front.isGoing(sessions.handleOf(slot));
    must(isArmed || isLeaving, 'nobody waits for nothing', serial, where);
  }
  must(
    !sessions.has(slot, Flag.StreamGone) || phase === Phase.Delivering,
    'a row outlives its stream for a message only',
    serial,
    where,
  );
  must(isAtBackend || !lanes.isWaiting(slot), 'only who wants a lane stands in line', serial, where);
  must(
    !isArmed || wheel.dueMsOf(slot) > nowMs - works.wheel.tickMs,
    'no timer is overdue after a turn',
    serial,
    where,
  );
  const delayMs = sessions.delaysMs[slot] as number;
  must(
    delayMs <= config.shape.totalMaxMs || delayMs <= delayMsMax(config, Timer.Greeting),
    'delays keep shape.total_max',
    serial,
    () => `${delayMs} ms`,
  );
  if (phase === Phase.Holding) {
    const heldMs = wheel.dueMsOf(slot) - nowMs;
    must(
      heldMs <= delayMsMax(config, Timer.Dot),
      'a message is held within its share of the timer',
      serial,
      () => `${heldMs} ms`,
    );
  }
  if (phase !== Phase.Owing) return;
  const isData = sessions.phasesAfter[slot] === Phase.Receiving;
  const owedMs = wheel.dueMsOf(slot) - nowMs;
  must(
    owedMs <= delayMsMax(config, isData ? Timer.Data : Timer.Mail),
    'a reply is owed within its share of the timer',
    serial,
    () => `${owedMs} ms`,
  );
}

/** Looks at a shard whose clients have all gone and whose lanes had their time. */
export function checkEmpty(shard: Shard, front: SimTransport, back: SimTransport, filesOpen: number): void {
  const { works } = shard;
  let counted = 0;
  for (let index = 0; index < works.reputation.entries; index += 1) counted += works.reputation.openOf(index);
  const left: readonly (readonly [string, number])[] = [
    ['sessions', works.sessions.open],
    ['streams of clients', front.streamsOpen],
    ['unread bytes of clients', front.inputBytesTotal],
    ['connections to the backend', back.streamsOpen],
    ['sessions in the reputation table', counted],
    ['timers', works.wheel.armed],
    ['envelopes', works.envelopes.taken],
    ['handshakes', works.handshakes],
    ['bytes in memory', works.spool.memoryBytes],
    ['bytes on disk', works.spool.diskBytes],
    ['spool files', filesOpen],
  ];
  for (const [what, count] of left)
    must(count === 0, 'an empty shard holds nothing', -1, () => `${count} ${what} were left`);
}

/** When everybody is gone, what the shards share is there for whoever comes. */
export function checkGivenBack(allowance: Allowance, lanesMax: number): void {
  const { permits, disk } = allowance;
  // Messages, and what was told of bytes that nobody has looked at: neither is there any more.
  const heldBytes = allowance.memoryBytes + disk.heldByAll;
  must(
    permits.withinReach === lanesMax && heldBytes === 0,
    'what the shards share is given back',
    -1,
    () => `${permits.withinReach} of ${lanesMax} permits, ${heldBytes} bytes held`,
  );
}

/** The counts of all shards must add up. `ended`: lines in the journal. */
export function checkCounts(counts: Readonly<Record<string, number>>, ended: number): void {
  let endings = 0;
  for (const [name, count] of Object.entries(counts)) if (name.startsWith('ending.')) endings += count;
  must(
    endings === counts['sessionsClosed'],
    'counters are the sum of endings',
    -1,
    () => `${endings} endings, ${counts['sessionsClosed']} closed`,
  );
  must(
    ended === endings,
    'every session has one line in the journal',
    -1,
    () => `${ended} lines, ${endings} endings`,
  );
}
