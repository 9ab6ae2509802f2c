/**
 * Which networks an SPF record stands for, and which senders make a pool: the real library and a real DNS server.
 */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { formatAddress, parseAddress } from '../../src/base/address.ts';
import { defaultConfig } from '../../src/config/load.ts';
import { passesNeeded } from '../../src/policy/pace.ts';
import { PoolMap } from '../../src/policy/pool-map.ts';
import { PoolDesk } from '../../src/primary/pool-desk.ts';
import { expandSpf } from '../../src/primary/spf-expand.ts';
import { SpfNames } from '../../src/primary/spf-names.ts';
import { verifySpf } from '../../src/primary/spf-verify.ts';
import { Kind, newKey, textKey } from '../../src/reputation/keys.ts';
import { isGoodPool } from '../../src/reputation/standing.ts';
import { ReputationTable } from '../../src/reputation/table.ts';
import { NameServer, txt } from './name-server.ts';
import { freePort, until } from './process.ts';

const ENTRIES = 4_096;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

const spf = (domain: string, terms: string): string => txt(domain, `v=spf1 ${terms}`);
const many = (count: number, word: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => word(at)).join(' ');

const zone = [
  spf('plain.test', 'ip4:127.1.0.0/24 ip4:127.2.0.0/24 -all'),
  spf('all-mechanisms.test', 'a:hosts.test/24 mx ip6:2001:db8::/48 include:part.test redirect=rest.test'),
  'hosts.test. 900 IN A 127.11.0.1',
  'hosts.test. 1200 IN AAAA 2001:db8:11::1',
  'all-mechanisms.test. IN MX 10 mail.test.',
  'mail.test. 3600 IN A 127.12.0.1',
  spf('part.test', 'ip4:127.13.0.0/24 -all'),
  spf('rest.test', 'ip4:127.14.0.0/24 -all'),
  spf('order.test', '-ip4:127.15.0.128/25 ip4:127.15.0.0/24 -all ip4:127.16.0.0/24'),
  spf('included-order.test', '~include:part.test include:order.test ip4:127.13.0.0/16 -all'),
  spf('all-and-redirect.test', 'ip4:127.18.0.0/24 -all redirect=rest.test'),
  spf('forbids.test', '?ip4:127.1.0.0/24 ~ip4:127.2.0.0/24 -all'),
  spf('open.test', '+all'),
  spf('includes-open.test', 'include:open.test -all'),
  spf('open-behind.test', 'ip4:127.1.0.0/24 +all'),
  spf('huge.test', 'ip4:127.0.0.0/8 ip4:0.0.0.0/1 ip6:2000::/3 -all'),
  spf('huge-beside.test', 'ip4:127.0.0.0/8 ip4:127.1.0.0/24 -all'),
  spf('large-provider.test', 'ip4:127.1.0.0/15 ip4:52.100.0.0/15 ip4:40.92.0.0/15 -all'),
  spf('sum.test', `${many(17, (at) => `ip4:127.${at * 2}.0.0/16`)} -all`),
  spf('six.test', `${many(6, (at) => `ip4:127.${at}.0.0/24`)} -all`),
  spf('loop.test', 'ip4:127.1.0.0/24 include:loop.test -all'),
  spf('redirect-loop.test', 'ip4:127.1.0.0/24 redirect=redirect-loop.test'),
  spf('eleven.test', `ip4:127.1.0.0/24 ${many(11, (at) => `a:host-${at}.test`)} -all`),
  spf('ten.test', `ip4:127.1.0.0/24 ${many(10, () => 'a:hosts.test')} -all`),
  spf('oversized.test', `ip4:127.1.0.0/24 ${many(300, () => 'ip4:127.9.9.0/24')} -all`),
  spf('long.test', `ip4:127.1.0.0/24 ${many(200, (at) => `ip4:127.3.${at}.0/24`)} -all`),
  spf('slow-pattern.test', `ip4:127.1.0.0/24 include:${'%{d1r}'.repeat(600)}! -all`),
  spf('two.test', 'ip4:127.1.0.0/24 -all'),
  spf('two.test', 'ip4:127.2.0.0/24 -all'),
  spf('macro.test', 'exists:%{i}.listed.test -all'),
  '127.1.0.1.listed.test. IN A 127.0.0.2',
  spf('pointer.test', 'ptr:pointer.test -all'),
  spf('malformed.test', 'ip4:127.1.0.0/24 nonsense:x -all'),
  spf('includes-nobody.test', 'ip4:127.1.0.0/24 include:nobody.test -all'),
  spf('includes-macro.test', 'include:%{d}.test ip4:127.1.0.0/24 -all'),
  txt('no-spf.test', 'hello'),
  spf('servers.test', 'ip4:127.1.0.0/24 mx -all'),
  ...Array.from({ length: 11 }, (_, at) => `servers.test. IN MX 10 server-${at}.test.`),
];

let server: NameServer;
beforeAll(async () => {
  server = await NameServer.start(zone);
});
afterAll(() => server?.stop());

/** What the record of a domain stands for, as text. */
async function networksOf(domain: string, networksMax = 1_000): Promise<string> {
  const expansion = await expandSpf(new SpfNames([server.address]).ask, domain, networksMax);
  if (expansion.kind !== 'networks')
    return expansion.kind === 'unfit' ? `unfit: ${expansion.why}` : 'unanswered';
  const words = new Uint32Array(4);
  const text = (number: bigint): string => {
    for (let word = 0; word < 4; word += 1)
      words[word] = Number((number >> BigInt(96 - 32 * word)) & 0xffff_ffffn);
    return formatAddress(words, 0);
  };
  return expansion.ranges
    .map(({ first, last }) => (first === last ? text(first) : `${text(first)}-${text(last)}`))
    .join(' ');
}

describe('the networks of a record', () => {
  test.each([
    ['plain.test', '127.1.0.0-127.1.0.255 127.2.0.0-127.2.0.255'],
    [
      'all-mechanisms.test',
      '127.11.0.0-127.11.0.255 127.12.0.1 127.13.0.0-127.13.0.255 127.14.0.0-127.14.0.255 ' +
        '2001:db8::-2001:db8:0:ffff:ffff:ffff:ffff:ffff 2001:db8:11::1',
    ],
    ['order.test', '127.15.0.0-127.15.0.127'],
    ['included-order.test', '127.13.1.0-127.13.255.255 127.15.0.0-127.15.0.127'],
    ['all-and-redirect.test', '127.18.0.0-127.18.0.255'],
    ['open-behind.test', '127.1.0.0-127.1.0.255'],
    ['huge-beside.test', '127.1.0.0-127.1.0.255'],
    ['large-provider.test', '40.92.0.0-40.93.255.255 52.100.0.0-52.101.255.255 127.0.0.0-127.1.255.255'],
    ['ten.test', '127.1.0.0-127.1.0.255 127.11.0.1 2001:db8:11::1'],
    ['includes-macro.test', '127.1.0.0-127.1.0.255'],
    ['long.test', '127.1.0.0-127.1.0.255 127.3.0.0-127.3.199.255'],
  ])('%s: %s', async (domain, networks) => {
    expect(await networksOf(domain)).toBe(networks);
  });

  test.each([
    ['forbids.test', 'names no network that can be told'],
    ['open.test', 'names no network that can be told'],
    ['includes-open.test', 'names no network that can be told'],
    ['huge.test', 'names no network that can be told'],
    ['macro.test', 'names no network that can be told'],
    ['pointer.test', 'names no network that can be told'],
    ['sum.test', 'authorises too many addresses'],
    ['loop.test', 'asks for too many look-ups'],
    ['redirect-loop.test', 'asks for too many look-ups'],
    ['eleven.test', 'asks for too many look-ups'],
    ['servers.test', 'has too many mail servers'],
    ['oversized.test', 'oversized.test has no SPF record to work with'],
    ['slow-pattern.test', 'slow-pattern.test has no SPF record to work with'],
    ['two.test', 'two.test has no SPF record to work with'],
    ['malformed.test', 'malformed.test has no SPF record that is well formed'],
    ['includes-nobody.test', 'nobody.test has no SPF record that is well formed'],
    ['no-spf.test', 'no-spf.test has no SPF record that is well formed'],
  ])('%s %s: no pool', async (domain, why) => {
    expect(await networksOf(domain)).toBe(`unfit: ${why}`);
  });

  test('one with more networks than are allowed makes no pool', async () => {
    expect(await networksOf('six.test', 6)).toContain('127.5.0.0-127.5.0.255');
    expect(await networksOf('six.test', 5)).toBe('unfit: names too many networks');
  });

  test('hold as long as the shortest of its addresses', async () => {
    const expansion = await expandSpf(new SpfNames([server.address]).ask, 'all-mechanisms.test', 1_000);
    expect(expansion).toMatchObject({ kind: 'networks', ttlSec: 900 });
  });
});

describe('the library', () => {
  const verdict = (domain: string, address: string, helo = 'client.test'): Promise<string> =>
    verifySpf(new SpfNames([server.address]).ask, { address, domain, helo }, 'mx.test');

  test.each([
    ['plain.test', '127.2.0.9', 'pass'],
    ['plain.test', '127.3.0.9', 'other'],
    ['all-mechanisms.test', '127.12.0.1', 'pass'],
    ['all-mechanisms.test', '2001:db8::5', 'pass'],
    ['macro.test', '127.1.0.1', 'pass'],
    ['open.test', '127.200.0.1', 'pass'],
    ['two.test', '127.1.0.1', 'other'],
    ['oversized.test', '127.1.0.1', 'other'],
    ['slow-pattern.test', '127.9.0.1', 'other'],
    ['no-spf.test', '127.1.0.1', 'other'],
    ['loop.test', '127.9.0.1', 'other'],
    ['does-not-exist.test', '127.1.0.1', 'other'],
  ])('%s from %s: %s', async (domain, address, wanted) => {
    expect(await verdict(domain, address)).toBe(wanted);
  });

  test('a HELO that is no host name changes nothing', async () => {
    for (const helo of ['', '[127.2.0.9]', 'x'.repeat(2_000), 'a\u0000b', '%{d}'])
      expect(await verdict('plain.test', '127.2.0.9', helo)).toBe('pass');
  });
});

/** A desk with a table of its own and the last map that it made. */
class Office {
  readonly table: ReputationTable;
  readonly desk: PoolDesk;
  readonly notices: string[] = [];
  map = PoolMap.empty;
  maps = 0;
  nowMs = 0;
  readonly #needed: number;

  constructor(resolver: string, checkMsMax = 20_000) {
    const config = defaultConfig({ hostname: 'mx.test', dnsxlPolicy: { resolvers: [resolver] } });
    this.#needed = passesNeeded(config);
    const shared = new SharedArrayBuffer(ReputationTable.bytesFor(ENTRIES, 1));
    this.table = new ReputationTable(shared, ENTRIES, 1, 1);
    this.desk = new PoolDesk({
      config,
      table: this.table,
      take: (map) => {
        this.map = new PoolMap(map);
        this.maps += 1;
      },
      notice: (text) => void this.notices.push(text),
      nowMs: () => this.nowMs,
      checkMsMax,
    });
  }

  /** Offers senders, and waits until all is done. */
  async offer(...senders: readonly (readonly [string, string])[]): Promise<void> {
    this.desk.offer(senders.map(([address, domain]) => ({ address, domain, helo: 'client.test' })));
    await this.rest();
  }

  async rest(): Promise<void> {
    await until('the desk is at rest', () => this.desk.busy === 0 && !this.desk.book.hasChanged);
  }

  /** Whether the pool that holds an address, if there is one, is of good standing. */
  isKnown(address: string): boolean {
    const words = new Uint32Array(4);
    const key = newKey();
    parseAddress(address, words, 0);
    const pool = this.map.poolOf(words, 0);
    if (pool < 0) return false;
    this.map.keyOf(pool, key);
    return isGoodPool(
      this.table,
      this.table.find(Kind.Pool, key),
      this.#needed,
      Math.floor(Date.now() / 1000),
    );
  }

  /** What was counted, without what is 0. */
  get counts(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.desk.counts()).filter(([, count]) => count !== 0));
  }
}

describe('a desk', () => {
  let office: Office;
  let silent: Socket | null = null;
  afterEach(() => {
    office.desk.end();
    silent?.close();
    silent = null;
    expect(office.notices).toEqual([]);
  });

  test('a verified sender makes every network of its domain known', async () => {
    office = new Office(server.address);
    await office.offer(['127.1.0.1', 'plain.test']);
    expect(['127.1.0.200', '127.2.0.9', '127.3.0.1'].map((one) => office.isKnown(one))).toEqual([
      true,
      true,
      false,
    ]);
    expect(office.counts).toEqual({ spfChecked: 1, spfPassed: 1, poolsMade: 1 });
  });

  test.each([
    ['a sender that its domain does not authorise', '127.3.0.1', 'plain.test', { spfChecked: 1 }],
    ['a pass by +all', '127.1.0.1', 'open.test', { spfChecked: 1, spfPassed: 1, poolsRefused: 1 }],
    ['a pass by a huge network', '127.1.0.1', 'huge.test', { spfChecked: 1, spfPassed: 1, poolsRefused: 1 }],
    ['a pass by a macro', '127.1.0.1', 'macro.test', { spfChecked: 1, spfPassed: 1, poolsRefused: 1 }],
    ['a record without end', '127.1.0.1', 'loop.test', { spfChecked: 1, spfPassed: 1, poolsRefused: 1 }],
    ['a domain without a record', '127.1.0.1', 'no-spf.test', { spfChecked: 1 }],
  ])('%s makes no pool', async (_, address, domain, counts) => {
    office = new Office(server.address);
    await office.offer([address, domain]);
    expect(office.counts).toEqual(counts);
    expect([office.desk.book.size, office.maps]).toEqual([0, 0]);
    const key = newKey();
    textKey(domain, key);
    expect(office.table.find(Kind.Pool, key)).toBe(-1);
  });

  test('a sender beside the networks of its record does not credit them: +all vouches for nobody', async () => {
    office = new Office(server.address);
    await office.offer(['127.99.0.1', 'open-behind.test']);
    expect([office.isKnown('127.1.0.1'), office.isKnown('127.99.0.1')]).toEqual([false, false]);
    expect(office.counts).toMatchObject({ poolsRefused: 1 });
  });

  test('a domain is verified once an hour for one network, and for each other network', async () => {
    office = new Office(server.address);
    await office.offer(['127.1.0.1', 'plain.test'], ['127.1.0.2', 'plain.test'], ['127.2.0.1', 'plain.test']);
    expect(office.counts).toMatchObject({ spfChecked: 2, poolsMade: 1 });
    office.nowMs = 60 * MINUTE_MS - 1;
    await office.offer(['127.1.0.3', 'plain.test']);
    expect(office.counts).toMatchObject({ spfChecked: 2 });
    office.nowMs += 1;
    await office.offer(['127.1.0.4', 'plain.test']);
    expect(office.counts).toMatchObject({ spfChecked: 3, poolsMade: 1 });
  });

  test('a record is read anew: networks that it no longer names are known no more', async () => {
    const port = await freePort();
    let own = await NameServer.start([spf('plain.test', 'ip4:127.1.0.0/24 ip4:127.2.0.0/24 -all')], port);
    try {
      office = new Office(own.address);
      await office.offer(['127.1.0.1', 'plain.test']);
      await own.stop();
      own = await NameServer.start([spf('plain.test', 'ip4:127.1.0.0/24 ip4:127.7.0.0/24 -all')], port);
      office.nowMs = 60 * MINUTE_MS;
      office.desk.sweep();
      await office.rest();
      expect(['127.1.0.1', '127.2.0.1', '127.7.0.1'].map((one) => office.isKnown(one))).toEqual([
        true,
        false,
        true,
      ]);
      await own.stop();
      own = await NameServer.start([spf('plain.test', '+all')], port);
      office.nowMs = 120 * MINUTE_MS;
      office.desk.sweep();
      await office.rest();
      expect([office.desk.book.size, office.map.pools]).toEqual([0, 0]);
    } finally {
      await own.stop();
    }
  });

  test('while the DNS is away the last good copy holds for a day', async () => {
    const own = await NameServer.start([spf('plain.test', 'ip4:127.1.0.0/24 -all')]);
    office = new Office(own.address);
    await office.offer(['127.1.0.1', 'plain.test']);
    await own.stop();
    for (const nowMs of [60 * MINUTE_MS, DAY_MS - 1]) {
      office.nowMs = nowMs;
      office.desk.sweep();
      await office.rest();
      expect(office.isKnown('127.1.0.1')).toBe(true);
    }
    office.nowMs = DAY_MS + 10 * MINUTE_MS;
    office.desk.sweep();
    await office.rest();
    expect(office.isKnown('127.1.0.1')).toBe(false);
  });

  test('a name server that never answers costs a bounded queue, and makes nobody known', async () => {
    silent = createSocket('udp4');
    let asked = 0;
    silent.on('message', () => (asked += 1));
    await new Promise<void>((resolve) => silent!.bind(0, '127.0.0.1', resolve));
    office = new Office(`127.0.0.1:${silent.address().port}`, 50);
    const senders = Array.from(
      { length: 3_000 },
      (_, at) => [`127.${at >> 8}.${at & 255}.1`, `domain-${at}.test`] as const,
    );
    office.desk.offer(senders.map(([address, domain]) => ({ address, domain, helo: '' })));
    expect(office.desk.busy).toBeLessThanOrEqual(1_016);
    await office.rest();
    const { spfChecked, spfUnanswered, spfDropped } = office.desk.counts();
    expect([spfChecked! + spfDropped!, spfUnanswered]).toEqual([3_000, spfChecked]);
    expect(spfDropped).toBeGreaterThan(1_900);
    expect(asked).toBeGreaterThan(0);
    expect([office.desk.book.size, office.maps]).toEqual([0, 0]);
  });

  test('a sender of whom nothing was told is verified with its next message', async () => {
    silent = createSocket('udp4');
    await new Promise<void>((resolve) => silent!.bind(0, '127.0.0.1', resolve));
    office = new Office(`127.0.0.1:${silent.address().port}`, 50);
    await office.offer(['127.1.0.1', 'plain.test']);
    await office.offer(['127.1.0.1', 'plain.test']);
    expect(office.counts).toEqual({ spfChecked: 2, spfUnanswered: 2 });
  });

  test('a desk that has ended lets go of what is under way', async () => {
    silent = createSocket('udp4');
    await new Promise<void>((resolve) => silent!.bind(0, '127.0.0.1', resolve));
    office = new Office(`127.0.0.1:${silent.address().port}`, 600_000);
    office.desk.offer([{ address: '127.1.0.1', domain: 'plain.test', helo: '' }]);
    office.desk.end();
    await until('nothing is under way', () => office.desk.busy === 0);
    expect([office.counts, office.maps]).toEqual([{ spfChecked: 1 }, 0]);
  });
});
