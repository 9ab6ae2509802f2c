/**
 * refuse — an error of the client
 *
 * Counted, noted, answered at once; enough of them since the last message end the session.
 */
import { Timer } from '../policy/patience.ts';
import { Count } from '../session/counters.ts';
import { Phase } from '../session/phase.ts';
import type { ReplyName } from '../smtp/replies.ts';
import { dismiss } from './end.ts';
import { note } from './learn.ts';
import { say } from './speak.ts';
import type { Works } from './works.ts';

/** Says `reply` to a command that was an error. */
export function refuse(works: Works, slot: number, reply: ReplyName): void {
  const { sessions, config, replies, counters } = works;
  counters.add(Count.errors);
  note(works, slot, 'badCommand');
  if (sessions.bump(sessions.errors, slot) >= config.smtp.errorsMax) {
    return dismiss(works, slot, 'errorLimit', replies.errorLimit);
  }
  return say(works, slot, replies[reply], Timer.None, Phase.Listening);
}
