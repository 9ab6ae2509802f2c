/**
 * meanwhile — what a client does while it is kept waiting
 *
 * In the greeting, while a reply is owed and while the backend has its say nothing is asked of the client. Two things it
 * can do all the same: send more, which says something about it, and finish sending, after which it waits for no reply
 * of ours. What it sends stays where it is until its turn.
 *
 * In: phases Greeting, Owing, Verifying, Holding, Delivering.   Out: the same, or Closing.
 */
import { Action } from '../policy/pace.ts';
import { Phase } from '../session/phase.ts';
import { Flag } from '../session/sessions.ts';

import { cut, dismiss, leavingOf } from './end.ts';
import { failTest } from './learn.ts';
import { refuseAhead } from './receive.ts';
import type { Works } from './works.ts';

/** Bytes while a reply is due: the client does not wait for replies. */
export function hearAhead(works: Works, slot: number): void {
  const { sessions, front, replies } = works;
  if (front.peek(sessions.handleOf(slot)).length === 0) return;
  const isMessage = sessions.phaseOf(slot) === Phase.Owing && sessions.phasesAfter[slot] === Phase.Receiving;
  if (isMessage) return refuseAhead(works, slot);
  if (sessions.has(slot, Flag.PipeliningOffered)) return;
  if (failTest(works, slot, 'pipelining') === Action.Drop)
    dismiss(works, slot, 'pipelining', replies.protocolDrop);
}

/**
 * A client that has finished sending waits for no reply of ours. In the greeting and while it is kept waiting that
 * holds whatever it has said before: a zombie that spoke early and left would keep its slot for the whole wait.
 * False: there is nothing more to do now.
 */
export function leaveIfEnded(works: Works, slot: number): false {
  const { sessions, front } = works;
  const phase = sessions.phaseOf(slot);
  if (!sessions.has(slot, Flag.PeerEnded) || phase === Phase.Closing) return false;
  const isKeptWaiting = phase === Phase.Greeting || phase === Phase.Owing || phase === Phase.Holding;
  if (!isKeptWaiting && front.peek(sessions.handleOf(slot)).length > 0) return false;
  if (works.lanes.isCommitted(slot)) return false;
  cut(works, slot, leavingOf(works, slot));
  return false;
}
