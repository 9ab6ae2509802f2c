/**
 * Whose word of marks stands when two tables meet.
 */
import { expect, it } from 'vitest';
import { Mark, markWord } from '../../../src/reputation/layout.ts';
import { Source, wordToTake } from '../../../src/reputation/words.ts';

const nowSec = 1_790_000_000;
const later = (sec: number): number => nowSec + sec;
const words = {
  nothing: 0,
  allow: markWord(Mark.Allow, 0),
  denyForAWhile: markWord(Mark.Deny, later(1_000)),
  takenAway: markWord(Mark.None, later(600)),
  trap: markWord(Mark.Trap, later(100)),
  longerTrap: markWord(Mark.Trap, later(500)),
  oldDeny: markWord(Mark.Deny, later(-100)),
};
type Word = keyof typeof words;

it.each<[Source, Word, Word, boolean]>([
  [Source.Primary, 'allow', 'nothing', true],
  [Source.Primary, 'takenAway', 'allow', true],
  [Source.Primary, 'takenAway', 'trap', true],
  [Source.Primary, 'trap', 'nothing', true],
  [Source.Primary, 'trap', 'longerTrap', false],
  [Source.Primary, 'nothing', 'allow', false],
  [Source.Engine, 'allow', 'nothing', false],
  [Source.Engine, 'allow', 'denyForAWhile', false],
  [Source.Engine, 'takenAway', 'allow', false],
  [Source.Engine, 'trap', 'nothing', true],
  [Source.Engine, 'trap', 'allow', false],
  [Source.Engine, 'trap', 'takenAway', false],
  [Source.Engine, 'trap', 'oldDeny', true],
  [Source.Engine, 'longerTrap', 'trap', true],
  [Source.Engine, 'trap', 'longerTrap', false],
  [Source.File, 'allow', 'nothing', true],
  [Source.File, 'allow', 'trap', true],
  [Source.File, 'allow', 'takenAway', false],
  [Source.File, 'allow', 'denyForAWhile', false],
  [Source.File, 'oldDeny', 'nothing', false],
  [Source.File, 'trap', 'allow', false],
])('from %i, %s in place of %s: %s', (source, offered, present, isTaken) => {
  const taken = wordToTake(words[offered], words[present], source, nowSec);
  expect(taken).toBe(isTaken ? words[offered] : 0);
});
