/**
 * The small sister of results/dns-lists.md: some hundred clients at once against three real lists.
 */
import { expect, it } from 'vitest';
import { runLoad } from './dns-load.ts';

it('a crowd costs one question a client and list, and no honest client waits for an answer', async () => {
  const plan = { clients: 600, doubles: 150, perSecond: 2_000, greetWaitMs: 1_500, seed: 1, hasLists: true };
  const { sessions, log, asked, counters, zoneLines } = await runLoad(plan);
  for (const line of zoneLines) expect(line).toContain(`; asked ${plan.clients}, `);
  expect(asked.size).toBe(plan.clients * 3);
  // A datagram that was lost on a busy machine is sent again: by the list's own log some may have come twice.
  expect([...asked.values()].filter((times) => times !== 1).length).toBeLessThan(asked.size / 100);
  expect((counters['dnsTimeouts'] ?? 0) / counters['dnsQueries']!).toBeLessThan(0.01);
  expect(counters['dnsCoalesced']! + counters['dnsCached']!).toBeGreaterThan(0);
  for (const { listed, recipient, data, message } of sessions) {
    // As a rule at the recipient; on a machine with no time an answer may come as late as the message.
    const codes = [recipient, data, message].filter((code) => code !== 0);
    expect(codes).toEqual(listed ? [...[250, 354].slice(0, codes.length - 1), 550] : [250, 354, 250]);
  }
  const honest = log.filter((line) => (line['dnsxl'] as readonly string[]).length === 0);
  expect(honest).toHaveLength(sessions.filter(({ listed }) => !listed).length);
  for (const line of honest) expect(line['delay_ms']).toBeLessThanOrEqual(plan.greetWaitMs);
});
