/**
 * leave — what the end of a session says of the program behind it
 *
 * Sorts the end (families/leavings), notes it for the one who looks for families, and names the family that is known for it;
 * that of a client which was recognised before (recognise) whatever the end.
 * A wait for the backend is ours: who leaves in it is not impatient. A client of good standing belongs to nobody.
 */
import { Trait } from '../families/dialect.ts';
import { leavingFor } from '../families/families.ts';
import { ANSWER_MS, Leaving, wayOf } from '../families/leavings.ts';
import { newKey } from '../reputation/keys.ts';
import { isGoodHost } from '../reputation/standing.ts';
import type { EndingName } from '../session/endings.ts';
import { Via } from '../session/ends.ts';
import { endingTable } from '../session/endings.ts';
import { Phase } from '../session/phase.ts';
import type { Works } from './works.ts';
import { epochSec } from './works.ts';

const network = newKey();

/** Endings that say nothing of patience: ours, QUIT, those who were not let in, and those whose message is on its way. */
const neutral: ReadonlySet<EndingName> = new Set<EndingName>([
  'quit',
  'leftDelivery',
  'denied',
  'tlsFailed',
  'tooManyConnections',
  'connectionRate',
  'tlsRate',
  'shuttingDown',
]);

/** Notes how a session has ended; the report gets the name of its family, '' for none. */
export function noteLeaving(works: Works, slot: number, ending: EndingName): void {
  const { sessions, reputation, leavings, families, report } = works;
  report.family = '';
  const phase = sessions.endPhases[slot]!;
  // Never let in, or nobody's client.
  if (phase === Phase.Free || phase === Phase.Announcing || works.ends.viaOf(slot) === Via.ProxyItself)
    return;
  const ageMs = Math.round(works.nowMs - sessions.openedMs[slot]!);
  const since = sessions.repliedMs[slot]! > 0 ? sessions.repliedMs[slot]! : sessions.openedMs[slot]!;
  const silentMs = Math.round(works.nowMs - since);
  const dialect = sessions.dialects[slot]!;
  const leaving = leavingOf(works, slot, ending, phase, dialect, silentMs);
  const index = sessions.networks[slot]!;
  if (index < 0 || reputation.keyOf(index, network) === 0)
    works.names.networkKey(sessions.addresses, slot * 4, network);
  leavings.note(
    dialect,
    wayOf(leaving, phase, sessions.paces[slot]!),
    ageMs,
    silentMs,
    network[0]!,
    network[1]!,
  );
  const recognised = families.nameOf(sessions.families[slot]!);
  report.family =
    recognised === '' ? families.nameOf(families.numberOf(dialect, leaving, ageMs)) : recognised;
}

function leavingOf(
  works: Works,
  slot: number,
  ending: EndingName,
  phase: number,
  dialect: number,
  silentMs: number,
): Leaving {
  const { sessions, reputation } = works;
  if (sessions.messages[slot]! > 0) return Leaving.Good;
  if (isGoodHost(reputation, sessions.reputations[slot]!, epochSec(works))) return Leaving.Good;
  if (neutral.has(ending) || phase === Phase.Verifying || phase === Phase.Delivering) return Leaving.Neutral;
  const { verdict } = endingTable[ending];
  const isByItself = verdict === 'abandoned' || ending === 'hangup';
  const isAnswering = phase !== Phase.Greeting && silentMs < ANSWER_MS;
  const isRefused = (dialect & Trait.Last5) !== 0;
  return leavingFor(isByItself, ending === 'commandTimeLimit', isRefused, isAnswering, silentMs);
}
