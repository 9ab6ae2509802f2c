/**
 * lanes — the hunt for a state that leaks: many clients, few lanes, everybody leaves when it likes
 *
 * Each client has an address, a name and mail of its own; whatever the backend stores must carry all of one
 * client and nothing of another. The backend fails at random as well. A seed that fails is run again with its
 * number in `seeds`.
 */
import { describe, expect, test } from 'vitest';
import { Prng } from '../../../src/base/prng.ts';
import { defaultConfig } from '../../../src/config/load.ts';
import { Backend } from '../../dialogues/backend.ts';
import type { StepName } from '../../dialogues/backend.ts';
import type { Client } from '../../dialogues/world.ts';
import { World } from '../../dialogues/world.ts';

const CLIENTS = 120;
const AT_ONCE = 10;
const HOUR_MS = 3_600_000;
/** From the seed behind this one on there are two servers. */
const SEVERAL_FROM = 40;
const twoServers = [
  { address: '192.0.2.25:25', weight: 2, tlsName: '' },
  { address: '192.0.2.26:25', weight: 1, tlsName: '' },
];

interface Letter {
  readonly id: string;
  readonly bot: Bot;
  readonly recipients: string[];
  readonly content: string;
  told: number;
}

/** A client that keeps to the protocol until it loses interest. */
class Bot {
  readonly client: Client;
  readonly name: string;
  readonly letters: Letter[] = [];
  readonly #random: Prng;
  readonly #number: number;
  readonly #isEsmtp: boolean;
  #looked = 0;
  #step: 'hello' | 'mail' | 'rcpt' | 'data' | 'body' | 'done' | 'quit' = 'hello';
  #left: number;
  #accepted: string[] = [];
  #tried = '';

  constructor(client: Client, number: number, random: Prng) {
    this.client = client;
    this.#number = number;
    this.name = `c${number}.example`;
    this.#random = random;
    this.#isEsmtp = random.below(3) > 0;
    this.#left = 1 + random.below(3);
  }

  /** Does its next step when the last one was answered. True when it did something. */
  turn(): boolean {
    const { client } = this;
    if (client.gone || !client.isAnswered(this.#looked)) return false;
    const code = Number(/(\d{3})[^\r]*\r\n$/.exec(client.heard)?.[1]);
    this.#looked = client.heard.length;
    if (this.#random.below(40) === 0) return this.#leave();
    this.#say(code);
    // Some leave in the same breath as they speak.
    if (this.#random.below(60) === 0) this.#leave();
    return true;
  }

  #leave(): boolean {
    if (this.#random.below(2) === 0) this.client.reset();
    else this.client.finish();
    return true;
  }

  #say(code: number): void {
    if (code === 421 || code === 521) return;
    switch (this.#step) {
      case 'hello':
        this.#step = 'mail';
        return this.client.send(`${this.#isEsmtp ? 'EHLO' : 'HELO'} ${this.name}\r\n`);
      case 'mail':
        if (this.#left === 0) {
          this.#step = 'quit';
          return this.client.send('QUIT\r\n');
        }
        this.#left -= 1;
        this.#accepted = [];
        this.#step = 'rcpt';
        this.#tried = '';
        return this.client.send(`MAIL FROM:<from${this.#number}@${this.name}>\r\n`);
      case 'rcpt':
        return this.#sayRecipient(code);
      case 'data':
        if (code !== 354) {
          this.#step = 'mail';
          return this.client.send('RSET\r\n');
        }
        return this.#sayBody();
      case 'body':
        this.letters.at(-1)!.told = code;
        this.#step = 'mail';
        if (this.#random.below(4) === 0) return this.client.send('NOOP\r\n');
        return this.#say(code);
      default:
        return undefined;
    }
  }

  #sayRecipient(code: number): void {
    if (code < 300 && this.#tried !== '') this.#accepted.push(this.#tried);
    const draw = this.#random.below(10);
    if (draw === 0) {
      this.#step = 'mail';
      return this.client.send(this.#random.below(2) === 0 ? 'RSET\r\n' : `EHLO ${this.name}\r\n`);
    }
    if (this.#accepted.length > 0 && draw < 6) {
      this.#step = 'data';
      return this.client.send('DATA\r\n');
    }
    const kind = ['good', 'good', 'good', 'unknown', 'later'][this.#random.below(5)]!;
    this.#tried = `TO:<${kind}${this.#number}.${this.#random.below(100)}@example.org>`;
    return this.client.send(`RCPT ${this.#tried}\r\n`);
  }

  #sayBody(): void {
    const id = `${this.#number}.${this.letters.length}`;
    const content = `Id: ${id}\r\n${'x'.repeat(this.#random.below(70))}\r\n`.repeat(
      1 + this.#random.below(this.#random.below(8) === 0 ? 3_000 : 4),
    );
    this.letters.push({ id, bot: this, recipients: [...this.#accepted], content, told: 0 });
    this.#step = 'body';
    if (this.#random.below(12) === 0) {
      this.client.send(content);
      this.#leave();
      return;
    }
    this.client.send(`${content}.\r\n`);
  }
}

const faults: readonly (readonly [StepName, string])[] = [
  ['greeting', '421'],
  ['greeting', 'close'],
  ['ehlo', '554'],
  ['xclient', '421'],
  ['xclient', '550'],
  ['hello', 'close'],
  ['hello', '550'],
  ['mail', '421'],
  ['mail', 'reset'],
  ['mail', '451'],
  ['rcpt', '421'],
  ['rcpt', 'close'],
  ['rcpt', 'twice'],
  ['rcpt', 'garbage'],
  ['rcpt', 'thenClose'],
  ['rcpt', 'silent'],
  ['data', '421'],
  ['data', '451'],
  ['data', 'close'],
  ['final', '451'],
  ['final', '554'],
  ['final', 'close'],
  ['final', 'thenClose'],
  ['final', 'twice'],
  ['final', 'silent'],
  ['final', 'close@50'],
  ['final', 'reset@20000'],
  ['rset', '451'],
  ['rset', 'close'],
];

/** And where the backend takes mail inside TLS alone. */
const tlsFaults: readonly (readonly [StepName, string])[] = [
  ...faults,
  ['startTls', '454'],
  ['startTls', '421'],
  ['startTls', 'twice'],
  ['startTls', 'thenClose'],
  ['startTls', 'silent'],
  ['handshake', 'close'],
  ['handshake', 'reset'],
  ['handshake', 'untrusted'],
  ['handshake', 'handshake'],
];

interface Run {
  readonly world: World;
  readonly bots: readonly Bot[];
}

function run(seed: number): Run {
  const random = new Prng(seed);
  const backend = new Backend();
  backend.settings.reuse = random.below(3) > 0;
  backend.settings.pipelining = random.below(3) > 0;
  const isFaulty = random.below(4) > 0;
  const usesTls = seed % 3 === 0;
  const second = new Backend();
  const backends = seed > SEVERAL_FROM ? [backend, second] : [backend];
  second.settings.reuse = seed % 2 === 0;
  if (usesTls) for (const one of backends) one.settings.tls = 'yes';
  const faultsHere = usesTls ? tlsFaults : faults;
  const config = defaultConfig({
    hostname: 'mx.example.net',
    screen: { greetWaitMs: 0 },
    backend: {
      tls: usesTls ? 'unverified' : 'off',
      reuse: 'auto',
      verifyRecipients: random.below(4) === 0 ? 'late' : 'early',
      holdMs: [0, 200, 1_000][random.below(3)]!,
      replyTimeoutMs: 5_000,
      finalTimeoutMs: 20_000,
      waitMaxMs: 10_000,
      usesMax: 1 + random.below(20),
    },
    spool: { messageMemoryBytes: 4_000 },
    ...(backends.length === 1 ? {} : { server: twoServers }),
  });
  const world = new World({
    config,
    backend,
    moreBackends: backends.slice(1),
    capacity: 16,
    lanesMax: backends.length + random.below(3),
    ...(random.below(2) === 0 ? {} : { splitBytes: 1 + random.below(400) }),
  });
  world.start();
  const bots: Bot[] = [];
  const botRandom = random.fork('bots');
  let turn = 0;
  for (let round = 0; bots.length < CLIENTS || bots.some((bot) => !bot.client.gone); round++) {
    if (round > 20_000) throw new Error('the clients do not come to an end');
    const here = bots.filter((bot) => !bot.client.gone).length;
    if (bots.length < CLIENTS && here < AT_ONCE && random.below(3) > 0) {
      const number = bots.length + 1;
      bots.push(new Bot(world.dial(`192.0.2.${number}`), number, botRandom.fork(`bot ${number}`)));
    }
    turn = (turn + 1) % backends.length;
    const one = backends[turn]!;
    if (isFaulty && random.below(15) === 0) {
      const [step, does] = faultsHere[random.below(faultsHere.length)]!;
      one.fault(step, does, 1);
    }
    if (random.below(20) === 0)
      one.delay((['rcpt', 'final', 'xclient', 'data'] as const)[random.below(4)]!, random.below(3) * 300);
    if (isFaulty && random.below(60) === 0) one.hangUp(random.below(2) === 0 ? 'close' : 'reset');
    if (isFaulty && random.below(80) === 0) one.blurt('250 2.0.0 nobody asked');
    if (isFaulty) one.settings.connect = random.below(30) === 0 ? 'refuse' : 'accept';
    world.settle();
    let moved = false;
    for (const bot of bots) if (random.below(3) > 0 && bot.turn()) moved = true;
    world.settle();
    world.runUntil(world.nowMs + (moved ? random.below(50) : 100 + random.below(2_000)));
  }
  world.runUntil(world.nowMs + HOUR_MS, () => world.leaks().length === 0);
  return { world, bots };
}

function checkRun({ world, bots }: Run): void {
  const storedAll = world.backends.flatMap((one) => one.stored);
  expect(world.backends.flatMap((one) => one.crimes)).toEqual([]);
  expect(world.leaks()).toEqual([]);
  const letters = new Map(bots.flatMap((bot) => bot.letters).map((letter) => [letter.id, letter]));
  const seen = new Set<string>();
  for (const stored of storedAll) {
    const id = /^Id: (\S+)/.exec(stored.content)![1]!;
    expect(seen.has(id), `message ${id} was handed over twice`).toBe(false);
    seen.add(id);
    const letter = letters.get(id)!;
    const { bot } = letter;
    expect({
      address: stored.attributes.get('ADDR'),
      port: stored.attributes.get('PORT'),
      helo: stored.attributes.get('HELO'),
      hello: stored.hello.slice(5),
      sender: stored.sender,
      recipients: stored.recipients,
      content: stored.content,
    }).toEqual({
      address: bot.client.address,
      port: String(bot.client.port),
      helo: bot.name,
      hello: bot.name,
      sender: `FROM:<from${id.split('.')[0]}@${bot.name}>`,
      recipients: letter.recipients,
      content: letter.content,
    });
  }
  for (const letter of letters.values()) {
    if (letter.told >= 200 && letter.told < 300)
      expect(
        storedAll.some((one) => one.answered && one.content === letter.content),
        `message ${letter.id}`,
      ).toBe(true);
  }
}

describe('many clients on few lanes, and everybody leaves when it likes', () => {
  const seeds = Array.from({ length: SEVERAL_FROM + 20 }, (_, place) => place + 1);
  test.each(seeds)(
    "each message is one client's own, none is doubled, none acknowledged that was not stored (seed %i)",
    (seed) => {
      const result = run(seed);
      checkRun(result);
      expect(result.world.counters.valueOf('messagesReceived')).toBeGreaterThan(0);
      for (const one of result.world.backends) expect(one.stored.length).toBeGreaterThan(0);
    },
  );
});
