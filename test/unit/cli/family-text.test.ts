import { expect, test } from 'vitest';
import { familiesText } from '../../../src/cli/family-text.ts';
import type { FamilyText } from '../../../src/primary/family-texts.ts';

const family: FamilyText = {
  name: 'family-c5e1',
  id: 'family-c5e1',
  share: 6.4,
  sessions: 1415,
  patience: 'leaves 47 s after it connected',
  leaves_ms: 47_000,
  slowed_early: true,
  enough_ms: 56_710,
  dialect: 'HELO with a domain, verbs in small letters',
  networks: [{ name: '127.119.247.0/24', sessions: 3 }],
  since: '2026-11-25T10:26:31.000Z',
  seen: '2026-11-25T10:36:40.000Z',
  source: '',
};

test.each([
  ['57 s', family],
  ['the full plan', { ...family, enough_ms: null }],
  ['-', { ...family, slowed_early: false }],
])('a wait is enough after: %s', (enough, one) => {
  const [head = '', row = ''] = familiesText({ sessions: 20_000, families: [one], leaving: [] }).split('\n');
  const at = head.indexOf('enough after');
  expect(row.slice(at, head.indexOf('networks')).trim()).toBe(enough);
});
