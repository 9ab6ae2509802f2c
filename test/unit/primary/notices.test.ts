import { expect, it } from 'vitest';
import { Notices } from '../../../src/primary/notices.ts';

function rig() {
  const lines: string[] = [];
  const clock = { nowMs: 1_000 };
  return {
    lines,
    clock,
    notices: new Notices(
      (line) => lines.push(line),
      () => clock.nowMs,
    ),
  };
}

it('says a sentence at once, and the same one again only after ten seconds', () => {
  const { lines, clock, notices } = rig();
  notices.add('the backend is gone');
  for (let time = 0; time < 7; time++) {
    clock.nowMs += 1_000;
    notices.add('the backend is gone');
  }
  expect(lines).toEqual(['the backend is gone']);
  clock.nowMs = 11_000;
  notices.add('the backend is gone');
  expect(lines.slice(1)).toEqual(['the backend is gone (7 times more in between)']);
});

it('begins to count anew after a line that told the count', () => {
  const { lines, clock, notices } = rig();
  notices.add('a');
  notices.add('a');
  clock.nowMs += 10_000;
  notices.add('a');
  clock.nowMs += 10_000;
  notices.add('a');
  expect(lines).toEqual(['a', 'a (1 times more in between)', 'a']);
});

it('keeps sentences apart', () => {
  const { lines, notices } = rig();
  for (const text of ['a', 'b', 'a', 'b', 'c']) notices.add(text);
  expect(lines).toEqual(['a', 'b', 'c']);
});

it('forgets rather than grows: a thousand other sentences, and the first is said again', () => {
  const { lines, notices } = rig();
  notices.add('the first');
  for (let other = 0; other < 1_000; other++) notices.add(`other ${other}`);
  notices.add('the first');
  expect(lines.filter((line) => line === 'the first')).toHaveLength(2);
  expect(lines).toHaveLength(1_002);
});
