import { Piscina } from 'piscina';
import { beforeAll, describe, expect, it } from 'vitest';
import { figuresOf } from '../../../loadgen/virtual/figures.ts';
import type { Figures } from '../../../loadgen/virtual/figures.ts';
import type { Register } from '../../../loadgen/virtual/register.ts';
import { Town } from '../../../loadgen/virtual/town.ts';
import type { TownOrder } from '../../../loadgen/virtual/town.ts';
import simulate from '../../../src/cli/simulate-task.ts';
import { parseConfig } from '../../../src/config/load.ts';

const LIST = '[[dnsxl]]\nzone = "list.example.org"\nweight = 3\n';
const ROOM = '[reputation]\nentries = 20000\n';
const configOf = (text: string): TownOrder['config'] =>
  parseConfig(`hostname = "mx.example.net"\n${ROOM}${text}`, 'sluice.toml');

const order: TownOrder = {
  config: configOf(LIST),
  population: 'families',
  sessions: 1_000,
  honest: 100,
  durationMs: 600_000,
  seed: 1,
};

describe('a town', () => {
  let town: Town;
  let register: Register;
  let figures: Figures;

  beforeAll(() => {
    town = new Town(order);
    register = town.run();
    figures = figuresOf(register, town.bots);
  });

  it('has told of everybody when it is empty', () => {
    expect(register.clients).toBe(1_100);
    expect([...register.leftMs].filter((ms) => ms < 0)).toEqual([]);
    expect(figures.zombies.sessions).toBe(1_000);
    expect(figures.kinds.reduce((sum, { sessions }) => sum + sessions, 0)).toBe(1_000);
  });

  it('tells each client of the messages that the mail server took, and of no others', () => {
    expect([...town.mailroom.taken]).toEqual([...register.messages]);
    expect(town.mailroom.taken.reduce((sum, taken) => sum + taken, 0)).toBeGreaterThan(100);
  });

  it('delivers all honest mail, and makes only strangers wait', () => {
    const { all, known, unknown } = figures.honest;
    expect(all.delivered).toBe(100);
    expect(known.sessions + unknown.sessions).toBe(100);
    expect(known.sessions).toBeGreaterThan(50);
    expect([known.delayMs.p50, known.delayMs.p99]).toEqual([0, 0]);
    // The greeting's wait and no more: no honest sender is on the list.
    expect([unknown.delayMs.p50, unknown.delayMs.p99]).toEqual([6_000, 6_000]);
  });

  it('shows families by the second in which they leave', () => {
    const at = figures.kinds.findIndex(({ kind }) => kind === 'rustock');
    const rustock = figures.leaving[at]!;
    expect(rustock[21]).toBeGreaterThan(0.8 * figures.kinds[at]!.sessions);
    expect(rustock[21]).toBe(Math.max(...rustock));
    expect(figures.families.map(({ name }) => name)).toContain('rustock');
  });

  it('has neither proxies in front nor a backend that takes their headers, whatever the configuration says', () => {
    const { config } = order;
    const proxied = {
      ...config,
      listener: config.listener.map((one) => ({
        ...one,
        proxyProtocol: 'required' as const,
        trustedProxies: ['192.0.2.10'],
      })),
      backend: { ...config.backend, identity: 'proxy-v2' as const },
    };
    expect(figuresOf(new Town({ ...order, config: proxied }).run(), town.bots)).toEqual(figures);
  });

  it('does the same again with the same seed, in threads too, and something else with another', async () => {
    const pool = new Piscina<TownOrder, Figures>({
      filename: new URL('../../../src/cli/simulate-task.ts', import.meta.url).href,
      minThreads: 2,
      maxThreads: 2,
    });
    const others = [order, order, { ...order, seed: 2 }];
    const inThreads = await Promise.all(others.map((one) => pool.run(one)));
    await pool.destroy();
    const again = figuresOf(new Town(order).run(), town.bots);
    expect(again).toEqual(figures);
    expect(inThreads[0]).toEqual(figures);
    expect(inThreads[1]).toEqual(figures);
    expect(inThreads[2]).not.toEqual(figures);
  });

  it('has the same clients under another plan', () => {
    const other = new Town({ ...order, config: configOf(`${LIST}[shape]\nreply_delay = "30s"\n`) });
    expect([...other.run().kinds]).toEqual([...register.kinds]);
    expect([...other.register.delayMs]).not.toEqual([...register.delayMs]);
  });

  it('goes without a DNS list where the configuration has none, and slows fewer', () => {
    const { zombies } = simulate({ ...order, config: configOf('') });
    expect(zombies.slotSecPerSession).toBeLessThan(figures.zombies.slotSecPerSession!);
    expect(zombies.goneShare).toBeLessThan(figures.zombies.goneShare!);
  });

  it('spreads over the shards that the configuration names', () => {
    const { zombies, honest } = simulate({ ...order, config: configOf(`${LIST}[engine]\nshards = 3\n`) });
    expect(zombies.sessions).toBe(1_000);
    expect(honest.all.delivered).toBe(100);
  });
});
