/**
 * The small sister of results/dns-lists.md: some hundred clients at once against three real lists.
 */
import { expect, it } from 'vitest';
import { runLoad } from './dns-load.ts';

it('a crowd costs one question a client and list, and no honest client waits for an answer', async () => {
  const plan = { clients: 600, doubles: 150, perSecond: 2_000, greetWaitMs: 1_500, seed: 1, hasLists: true };
  const { sessions, log, asked, counters } = await runLoad(plan);
  expect(asked.size).toBe(plan.clients * 3);
  expect([...asked.values()].filter((times) => times !== 1)).toEqual([]);
  expect((counters['dnsTimeouts'] ?? 0) / counters['dnsQueries']!).toBeLessThan(0.01);
  expect(counters['dnsCoalesced']! + counters['dnsCached']!).toBeGreaterThan(0);
  for (const { listed, recipient, message } of sessions) {
    expect([recipient, message]).toEqual(listed ? [550, 0] : [250, 250]);
  }
  const honest = log.filter((line) => (line['dnsxl'] as readonly string[]).length === 0);
  expect(honest).toHaveLength(sessions.filter(({ listed }) => !listed).length);
  for (const line of honest) expect(line['delay_ms']).toBeLessThanOrEqual(plan.greetWaitMs);
});
