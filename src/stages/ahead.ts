/**
 * ahead — bytes that come while a reply is due
 *
 * A client that follows the protocol waits for each reply until it was offered PIPELINING. What comes earlier is kept and
 * obeyed in its time; that it came is a failed test. The body of a message before 354 is worse: it cannot be told from
 * commands, and the session ends.
 *
 * In: phases Owing and Verifying.   Out: the same, or Closing.
 */
import { Action } from '../policy/pace.ts';
import { Phase } from '../session/phase.ts';
import { Flag } from '../session/sessions.ts';
import { refuseAhead } from './deliver.ts';
import { dismiss } from './end.ts';
import { failTest } from './learn.ts';
import type { Works } from './works.ts';

/** Looks at what has arrived of a client that should be waiting. */
export function hearAhead(works: Works, slot: number): void {
  const { sessions, front, replies } = works;
  if (front.peek(sessions.handleOf(slot)).length === 0) return;
  const isMessage = sessions.phaseOf(slot) === Phase.Owing && sessions.phasesAfter[slot] === Phase.Receiving;
  if (isMessage) return refuseAhead(works, slot);
  if (sessions.has(slot, Flag.PipeliningOffered)) return;
  if (failTest(works, slot, 'pipelining') === Action.Drop)
    dismiss(works, slot, 'pipelining', replies.protocolDrop);
}
