/**
 * TLS sessions: what stands around a handshake, asked of a shard in memory whose client has said EHLO.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { defaultConfig } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/config.ts';
import { limitNames } from '../../../src/policy/limits.ts';
import { peakNames } from '../../../src/session/peaks.ts';
import type { SessionReport } from '../../../src/session/journal.ts';
import { finish } from '../../../src/stages/end.ts';
import { tlsAllowed, tlsBegun } from '../../../src/stages/limit.ts';
import { flush } from '../../../src/stages/speak.ts';
import { World } from '../../dialogues/world.ts';
import type { Client } from '../../dialogues/world.ts';

interface Rig {
  readonly world: World;
  readonly reports: SessionReport[];
  /** STARTTLS and a handshake of a client of this address; what it heard. */
  readonly handshake: (address: string, isNew?: boolean) => string;
}

let leaks: () => readonly string[] = () => [];
afterEach(() => expect(leaks()).toEqual([]));

function rig(limits: Partial<Config['limits']>, more: Parameters<typeof defaultConfig>[0] = {}): Rig {
  const config = defaultConfig({
    ...more,
    hostname: 'mx.example.net',
    screen: { greetWaitMs: 0 },
    limits: { slowFrom: 100, ...limits },
  });
  const world = new World({ config });
  const reports: SessionReport[] = [];
  world.onEnded = (report) => reports.push({ ...report });
  world.start();
  const { works } = world.shard;
  const open = (address: string): Client => {
    const client = world.dial(address);
    world.settle();
    client.heard = '';
    return client;
  };
  const handshake = (address: string, isNew = true): string => {
    const client = open(address);
    const slot = works.sessions.clients.indexOf(address);
    const isIn = tlsAllowed(works, slot) && tlsBegun(works, slot, isNew);
    flush(works, slot);
    if (works.sessions.endings[slot] !== 255) finish(works, slot);
    world.settle();
    const heard = client.heard === '' && isIn ? 'tls' : client.heard;
    if (!client.gone) client.send('QUIT\r\n');
    world.settle();
    return heard;
  };
  leaks = () => {
    world.runUntil(world.nowMs + 3_600_000, () => world.leaks().length === 0);
    return world.leaks();
  };
  return { world, reports, handshake };
}

const after = (of: string, name: string): string =>
  `421 4.7.0 mx.example.net Error: too many new TLS sessions from ${of} (${name})\r\n`;
const before = (of: string, name: string): string =>
  `454 4.7.0 Error: too many new TLS sessions from ${of} (${name})\r\n`;

describe('new TLS sessions', () => {
  it('are refused with 421 behind the handshake that is one too many, and with 454 before the next, as by Postfix', () => {
    const { handshake, reports, world } = rig({ tlsRate: 2 });
    const heard = [1, 2, 3, 4, 5].map(() => handshake('192.0.2.7'));
    expect(heard).toEqual([
      'tls',
      'tls',
      after('192.0.2.7', 'tls_rate'),
      before('192.0.2.7', 'tls_rate'),
      before('192.0.2.7', 'tls_rate'),
    ]);
    expect(reports.map(({ ending, limit }) => [ending, limit])).toEqual([
      ['quit', ''],
      ['quit', ''],
      ['tlsRate', 'tls_rate'],
      ['quit', 'tls_rate'],
      ['quit', 'tls_rate'],
    ]);
    expect(reports[2]!.reasons.split(',')).toContain('tls_rate');
    expect(world.counters.valueOf('overTlsRate')).toBe(3);
    const peak = world.counters.peaks.read(peakNames.indexOf('newtls rate'));
    expect(peak?.value).toBe(3);
    expect(handshake('192.0.2.8')).toBe('tls');
  });

  it('are not those that resume an earlier session', () => {
    const { handshake } = rig({ tlsRate: 1 });
    expect([true, false, false].map((isNew) => handshake('192.0.2.7', isNew))).toEqual(['tls', 'tls', 'tls']);
    expect(handshake('192.0.2.7')).toBe(after('192.0.2.7', 'tls_rate'));
  });

  it('of a network are counted over all its clients', () => {
    const { handshake } = rig({ networkTlsRate: 2, tlsRate: 100 });
    expect(
      ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4', '198.51.100.1'].map((at) => handshake(at)),
    ).toEqual([
      'tls',
      'tls',
      after('192.0.2.0/24', 'network_tls_rate'),
      before('192.0.2.0/24', 'network_tls_rate'),
      'tls',
    ]);
  });

  it('are free again when the window is over', () => {
    const { handshake, world } = rig({ tlsRate: 1 });
    expect([1, 2].map(() => handshake('192.0.2.7'))[1]).toMatch(/^421 /);
    world.runUntil(world.nowMs + 90_000);
    expect(handshake('192.0.2.7')).toBe('tls');
  });

  it('are not looked at for exceptions, the allow list, and in observe mode', () => {
    const all = { tlsRate: 1, networkTlsRate: 1 };
    const rigs = [
      rig({ ...all, exceptions: ['192.0.2.0/24'] }),
      rig(all, { lists: { allow: ['192.0.2.7'] } }),
      rig(all, { mode: 'observe' }),
    ];
    for (const { handshake } of rigs)
      expect([1, 2, 3].map(() => handshake('192.0.2.7'))).toEqual(['tls', 'tls', 'tls']);
    expect(rigs.map(({ world }) => world.counters.valueOf('overTlsRate'))).toEqual([0, 0, 3]);
  });
});

it('the name of a limit in the log is that of the configuration', () => {
  const { world, reports } = rig({ connectionRate: 1 });
  for (let times = 0; times < 2; times += 1) {
    const client = world.dial('192.0.2.7');
    world.settle();
    client.send('QUIT\r\n');
    world.settle();
  }
  expect(reports.map(({ limit, ending, reasons }) => [limit, ending, reasons.split(',')[0]])).toEqual([
    ['', 'quit', ''],
    ['connection_rate', 'connectionRate', 'connection_rate'],
  ]);
  expect(limitNames).toContain(reports[1]!.limit);
});

it('a client that an operator allows has no limits', () => {
  const { world } = rig({ connections: 1, connectionRate: 1 });
  world.allow('192.0.2.7');
  const greetings = [1, 2, 3].map(() => world.dial('192.0.2.7'));
  world.settle();
  expect(greetings.map(({ heard }) => heard.slice(0, 3))).toEqual(['220', '220', '220']);
  for (const client of greetings) client.send('QUIT\r\n');
  world.settle();
});

it('what a client has open and how often it came is noted as a peak', () => {
  const { world } = rig({ connectionRate: 9 });
  const clients = [1, 2, 3].map(() => world.dial('192.0.2.7'));
  world.settle();
  for (const client of clients) client.send('QUIT\r\n');
  world.settle();
  world.dial('192.0.2.8').send('QUIT\r\n');
  world.settle();
  expect([0, 1].map((kind) => world.counters.peaks.read(kind)?.value)).toEqual([3, 3]);
  expect(world.counters.peaks.read(2)).toBeNull();
});
