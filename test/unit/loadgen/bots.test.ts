import { describe, expect, it } from 'vitest';
import { Dripper } from '../../../loadgen/bots/dripper.ts';
import { Harvester } from '../../../loadgen/bots/harvester.ts';
import { Holder, STORM_HOLDS_MS } from '../../../loadgen/bots/holder.ts';
import { HttpTalker } from '../../../loadgen/bots/http-talker.ts';
import { CLIMBOT_LEAVES_MS, Impatient, RUSTOCK_LEAVES_MS } from '../../../loadgen/bots/impatient.ts';
import { Hanger } from '../../../loadgen/bots/hanger.ts';
import { BotMemory } from '../../../loadgen/bots/memory.ts';
import { between, exactly, rfc5321Timers, scaledTimers } from '../../../loadgen/bots/patience.ts';
import { Perfect } from '../../../loadgen/bots/perfect.ts';
import { Pipeliner } from '../../../loadgen/bots/pipeliner.ts';
import { PoliteMta } from '../../../loadgen/bots/polite-mta.ts';
import { smallPost } from '../../../loadgen/bots/post.ts';
import { Pregreeter } from '../../../loadgen/bots/pregreeter.ts';
import { Spammer } from '../../../loadgen/bots/spammer.ts';
import { honestSender } from '../../../loadgen/honest.ts';
import type { HonestName } from '../../../loadgen/honest.ts';
import { Player } from './stage.ts';

const post = { ...smallPost, rcptsMax: 1, messagesMax: 1 };
const MINUTE = 60_000;

function greeted(player: Player): Player {
  return player.connect().hear('220-', '220');
}

describe('the polite sender', () => {
  it('waits for the last line of a greeting, however many there are', () => {
    const player = new Player(new PoliteMta(post)).connect();
    player.hear('220-').wait(4_000).hear('220-').wait(4_000);
    expect(player.said).toEqual([]);
    expect(player.hear('220').lastSaid).toBe('EHLO mail1.load.example\r\n');
  });

  it('says one command at a time, gives its message an id, and quits', () => {
    const player = greeted(new Player(new PoliteMta(post)))
      .hear('250-', '250-', '250')
      .hear('250')
      .hear('250')
      .hear('354');
    expect(player.said.map((text) => text.slice(0, 10))).toEqual([
      'EHLO mail1',
      'MAIL FROM:',
      'RCPT TO:<u',
      'DATA\r\n',
      'X-Load-Id:',
    ]);
    expect(player.lastSaid.startsWith('X-Load-Id: load.1.1\r\n')).toBe(true);
    expect(player.lastSaid.endsWith('\r\n.\r\n')).toBe(true);
    expect(player.offered).toMatchObject([{ id: 'load.1.1' }]);
    player
      .sent()
      .wait(9 * MINUTE)
      .hear('250');
    expect(player.told).toEqual([{ id: 'load.1.1', code: 250 }]);
    expect(player.lastSaid).toBe('QUIT\r\n');
    expect(player.hear('221').left).toBe(`${9 * MINUTE} finished at quit`);
  });

  it('names every recipient before DATA, and goes on when one of them is refused', () => {
    const player = greeted(new Player(new PoliteMta({ ...post, rcptsMax: 40 }), 3))
      .hear('250')
      .hear('250');
    let recipients = 1;
    while (player.row.rcptsLeft > 0) {
      player.hear(recipients === 1 ? '550' : '250');
      recipients += 1;
    }
    expect(recipients).toBeGreaterThan(2);
    expect(player.said.filter((text) => text.startsWith('RCPT')).length).toBe(recipients);
    expect(player.hear('250').lastSaid).toBe('DATA\r\n');
  });

  it.each([
    ['the greeting', 5 * MINUTE, (p: Player) => p.connect()],
    ['the greeting after its first line', 5 * MINUTE, (p: Player) => p.connect().hear('220-')],
    ['EHLO', 5 * MINUTE, (p: Player) => greeted(p)],
    ['MAIL', 5 * MINUTE, (p: Player) => greeted(p).hear('250')],
    ['RCPT', 5 * MINUTE, (p: Player) => greeted(p).hear('250', '250')],
    ['DATA', 2 * MINUTE, (p: Player) => greeted(p).hear('250', '250', '250')],
    ['the body to leave', 3 * MINUTE, (p: Player) => greeted(p).hear('250', '250', '250', '354')],
    ['the final dot', 10 * MINUTE, (p: Player) => greeted(p).hear('250', '250', '250', '354').sent()],
  ])('waits for %s as long as RFC 5321 says, and no longer', (_, patienceMs, upTo) => {
    const player = upTo(new Player(new PoliteMta(post)));
    expect(player.wait(patienceMs - 1).left).toBe('');
    expect(player.wait(1).left).toMatch(new RegExp(`^${patienceMs} gaveUp`));
  });

  it.each([
    ['554 at the greeting', ['554']],
    ['421 at EHLO', ['220', '421']],
    ['450 at MAIL', ['220', '250', '450']],
    ['550 at the only RCPT', ['220', '250', '250', '550']],
    ['421 at RCPT', ['220', '250', '250', '421']],
    ['451 at DATA', ['220', '250', '250', '250', '451']],
    ['451 at the dot', ['220', '250', '250', '250', '354', '451']],
  ])('quits politely after %s, and counts as refused', (_, replies) => {
    const player = new Player(new PoliteMta(post)).connect().hear(...replies);
    expect(player.lastSaid).toBe('QUIT\r\n');
    expect(player.hear('221').left).toBe('0 refused at quit');
  });

  it('hangs up at once on something that is no SMTP reply', () => {
    expect(new Player(new PoliteMta(post)).connect().hear('000').left).toBe('0 misled at greeting');
  });

  it('sends as many messages as it drew, each with an id of its own', () => {
    const counts = new Set<number>();
    for (let seed = 1; seed <= 20; seed += 1) {
      const player = greeted(new Player(new PoliteMta({ ...post, messagesMax: 3 }), seed)).hear('250');
      while (player.lastSaid !== 'QUIT\r\n') player.hear('250', '250', '354').sent().hear('250');
      expect(player.told.map((one) => one.id)).toEqual(player.told.map((_, at) => `load.1.${at + 1}`));
      counts.add(player.told.length);
    }
    expect(counts).toEqual(new Set([1, 2, 3]));
  });
});

describe('the honest that do not keep the standard', () => {
  const sender = (name: HonestName, timersPercent = 100): Player =>
    new Player(honestSender(name, { run: 'load', rcptDomain: 'example.com', timersPercent }));
  const inBody = (player: Player): Player => {
    greeted(player).hear('250', '250');
    while (player.row.rcptsLeft > 0) player.hear('250');
    return player.hear('250', '354');
  };

  it('total-timeout waits for each reply as others do, and gives up 5 minutes after it connected', () => {
    const player = sender('total-timeout')
      .connect()
      .wait(4 * MINUTE);
    player
      .hear('220')
      .wait(MINUTE - 1)
      .hear('250');
    expect(player.left).toBe('');
    expect(player.wait(1).left).toBe(`${5 * MINUTE} gaveUp at mail`);
  });

  it('short-block hands its body over 4 kB at a time, and gives up when one is not taken within a minute', () => {
    const player = inBody(sender('short-block'));
    const said = (): string => player.said.slice(player.said.indexOf('DATA\r\n') + 1).join('');
    while (player.row.mood >= 0) player.wait(MINUTE - 1).sent();
    expect(player.said.every((text) => text.length <= 4_096)).toBe(true);
    expect(said().length).toBeGreaterThan(95_000);
    expect(said()).toMatch(/^X-Load-Id: load\.1\.1\r\n[^]*\r\n\.\r\n$/);
    expect(player.offered).toEqual([{ id: 'load.1.1', bytes: player.row.bodyBytes }]);
    expect(player.left).toBe('');
    expect(inBody(sender('short-block')).wait(MINUTE).left).toBe(`${MINUTE} gaveUp at body`);
  });

  it('says the same message in blocks as in one piece', () => {
    const whole = { ...post, bodyBytesMin: 9_000, bodyBytesMax: 9_000 };
    const inBlocks = inBody(new Player(new PoliteMta(whole, { ...rfc5321Timers, blockBytes: 1_000 })));
    while (inBlocks.row.mood >= 0) inBlocks.sent();
    const atOnce = inBody(new Player(new PoliteMta(whole)));
    expect(inBlocks.said.slice(4).join('')).toBe(atOnce.lastSaid);
  });

  it('hangs up when it is answered in the middle of its body', () => {
    expect(inBody(sender('short-block')).hear('451').left).toBe('0 refused at body');
  });

  it('mailing-list waits a minute for the greeting and half a minute for each reply to many recipients', () => {
    expect(sender('mailing-list').connect().wait(MINUTE).left).toBe(`${MINUTE} gaveUp at greeting`);
    const player = greeted(sender('mailing-list'))
      .wait(30_000 - 1)
      .hear('250')
      .wait(30_000 - 1)
      .hear('250');
    expect(player.row.rcptsLeft).toBeGreaterThanOrEqual(19);
    expect(player.wait(30_000).left).toMatch(/gaveUp at rcpt$/);
  });

  it('can be scaled, all timers alike', () => {
    expect(sender('total-timeout', 1).connect().wait(3_000).left).toBe('3000 gaveUp at greeting');
    expect(scaledTimers(rfc5321Timers, 50)).toEqual({
      greetMs: 150_000,
      commandMs: 150_000,
      dataMs: 60_000,
      blockMs: 90_000,
      blockBytes: 65_536,
      dotMs: 300_000,
      totalMs: 0,
    });
  });
});

describe('the perfect zombie', () => {
  it('says what the polite sender says, in its order and with its name, and is not honest', () => {
    const play = (bot: PoliteMta): string[] =>
      greeted(new Player(bot))
        .hear('250', '250', '250', '354')
        .sent()
        .hear('250')
        .said.map((text) => text.replace(/user\d+|\n[^]*/g, ''));
    const zombie = new Perfect('perfect', post, exactly(9_000));
    expect(play(zombie)).toEqual(play(new PoliteMta(post)));
    expect([zombie.name, zombie.honest]).toEqual(['perfect', false]);
  });

  it.each([5, 10])('leaves after %i minutes in all, whatever it was waiting for', (minutes) => {
    const player = new Player(new Perfect('patient', post, exactly(minutes * MINUTE))).connect();
    player.wait(MINUTE).hear('220');
    const stepMs = ((minutes - 2) / 2) * MINUTE;
    player.wait(stepMs).hear('250').wait(stepMs).hear('250');
    expect(player.wait(MINUTE - 1).left).toBe('');
    expect(player.wait(1).left).toBe(`${minutes * MINUTE} gaveUp at rcpt`);
  });
});

describe('the hanger', () => {
  it('stops at a stage of its own, and is silent from then on, refused or not', () => {
    const stops = new Set<number>();
    for (let seed = 1; seed <= 40; seed += 1) {
      const player = greeted(new Player(new Hanger('hanger', post, exactly(10 * MINUTE)), seed));
      player.hear('250', '250', '250');
      const said = player.said.length;
      stops.add(said);
      player
        .hear('421')
        .wait(10 * MINUTE - 1)
        .hear('250');
      expect([player.said.length, player.left]).toEqual([said, '']);
      expect(player.wait(1).left).toMatch(/^600000 gaveUp/);
    }
    expect(stops).toEqual(new Set([0, 1, 2, 3]));
  });
});

describe('the impatient', () => {
  const scripts: [string, (p: Player) => Player][] = [
    ['nothing', (p) => p.connect()],
    ['half a greeting', (p) => p.connect().hear('220-')],
    ['a greeting', greeted],
    ['a refusal at the greeting', (p) => p.connect().hear('554')],
    ['a refusal at RCPT', (p) => greeted(p).hear('250', '250', '550')],
    ['a 354', (p) => greeted(p).hear('250', '250', '250', '354')],
  ];

  it.each(scripts)('rustock leaves 21 s after it connected, having heard %s', (_, play) => {
    const player = play(new Player(new Impatient('rustock', post, RUSTOCK_LEAVES_MS)));
    expect(player.wait(20_999).left).toBe('');
    expect(player.wait(1).left).toMatch(/^21000 gaveUp/);
  });

  it.each(scripts)('climbot leaves 100 s after it connected, having heard %s', (_, play) => {
    const player = play(new Player(new Impatient('climbot', post, CLIMBOT_LEAVES_MS)));
    expect(player.wait(99_999).left).toBe('');
    expect(player.wait(1).left).toMatch(/^100000 gaveUp/);
  });

  it('leave as soon as their message is told 250', () => {
    const player = greeted(new Player(new Impatient('rustock', post, RUSTOCK_LEAVES_MS))).hear(
      '250',
      '250',
      '250',
      '354',
    );
    expect(player.wait(5_000).hear('250').left).toBe('5000 finished at dot');
  });
});

describe('the pregreeter', () => {
  it('speaks before it heard anything, or after the first line of a greeting, never later', () => {
    const ways = new Set<string>();
    for (let seed = 1; seed <= 40; seed += 1) {
      const player = new Player(new Pregreeter('pregreeter', post, exactly(30_000)), seed)
        .connect()
        .wait(2_000);
      ways.add(player.said.length > 0 ? 'at once' : 'after the first line');
      player.hear('220-');
      expect(player.said.length, `seed ${seed}`).toBe(1);
      expect(player.lastSaid).toMatch(/^(HELO|EHLO) pc-1\.dyn/);
    }
    expect([...ways].sort()).toEqual(['after the first line', 'at once']);
  });

  it('stays a command ahead of the replies, and knows which reply was for its message', () => {
    const player = new Player(new Pregreeter('pregreeter', post, exactly(30_000)), 1).connect().wait(2_000);
    player.hear('220-', '220', '250', '250', '250');
    expect(player.lastSaid.endsWith('\r\n.\r\n')).toBe(true);
    expect(player.hear('354').told).toEqual([]);
    expect(player.hear('250').told).toEqual([{ id: 'load.1.1', code: 250 }]);
  });

  it('leaves when its patience is over, with its early words said', () => {
    const player = new Player(new Pregreeter('pregreeter', post, exactly(9_000)), 1).connect().wait(9_000);
    expect(player.left).toBe(`9000 gaveUp at ${player.said.length > 0 ? 'helo' : 'greeting'}`);
  });
});

describe('the pipeliner', () => {
  it('waits for the greeting, then says everything in one write', () => {
    const player = new Player(new Pipeliner('pipeliner', { ...post, rcptsMax: 3 }, exactly(30_000)), 2)
      .connect()
      .hear('220-');
    expect(player.said).toEqual([]);
    player.hear('220');
    expect(player.said.length).toBe(1);
    expect(player.lastSaid).toMatch(
      /^(HELO|EHLO) [^]*MAIL FROM[^]*RCPT TO[^]*DATA\r\nX-Load-Id: [^]*\r\n\.\r\nQUIT\r\n$/,
    );
  });

  it('takes the reply after the 354 for its message, and nothing else', () => {
    const player = greeted(new Player(new Pipeliner('pipeliner', post, exactly(30_000)))).hear(
      '250',
      '250',
      '550',
      '554',
      '502',
    );
    expect(player.told).toEqual([]);
    const other = greeted(new Player(new Pipeliner('pipeliner', post, exactly(30_000)))).hear(
      '250',
      '250',
      '250',
      '354',
      '250',
    );
    expect(other.told).toEqual([{ id: 'load.1.1', code: 250 }]);
    expect(other.hear('221').left).toBe('0 finished at quit');
  });
});

describe('the holder', () => {
  it('says nothing for five minutes after a 550 at RCPT', () => {
    const player = greeted(new Player(new Holder('storm', post, STORM_HOLDS_MS)))
      .hear('250', '250')
      .wait(1_000)
      .hear('550');
    const said = player.said.length;
    expect(player.wait(5 * MINUTE - 1).left).toBe('');
    expect(player.said.length).toBe(said);
    expect(player.wait(1).left).toBe(`${5 * MINUTE + 1_000} gaveUp at rcpt`);
  });

  it('with a patience of its own leaves before it is refused, or five minutes after', () => {
    const holder = (): Player => new Player(new Holder('holder', post, STORM_HOLDS_MS, exactly(9_000)));
    expect(holder().connect().wait(9_000).left).toBe('9000 gaveUp at greeting');
    const refused = greeted(holder())
      .hear('250', '250', '550')
      .wait(5 * MINUTE - 1);
    expect(refused.left).toBe('');
    expect(refused.wait(1).left).toBe(`${5 * MINUTE} gaveUp at rcpt`);
  });

  it('does not begin its five minutes again when more is said to it', () => {
    const player = greeted(new Player(new Holder('storm', post, STORM_HOLDS_MS))).hear('250', '250', '550');
    expect(
      player
        .wait(4 * MINUTE)
        .hear('421')
        .wait(MINUTE).left,
    ).toBe(`${5 * MINUTE} gaveUp at rcpt`);
  });
});

describe('the others', () => {
  it('an HTTP talker speaks at once and hears nothing', () => {
    const player = new Player(new HttpTalker('http', post, exactly(10_000))).connect();
    expect(player.lastSaid).toMatch(/^(GET|POST|CONNECT) /);
    expect(player.hear('220', '502', '000').said.length).toBe(1);
    expect(player.wait(10_000).left).toBe('10000 gaveUp at helo');
  });

  it('a dripper sends one byte a second, without an end', () => {
    const player = greeted(new Player(new Dripper('dripper', post, exactly(300_000))));
    player.wait(299_999);
    expect(player.said.length).toBe(299);
    expect(player.said.every((text) => text.length === 1)).toBe(true);
    expect(player.said.join('')).toMatch(
      /^HELO drip\.load\.example\r\nMAIL FROM:<[^]*DATA\r\n(drip drip drip\r\n)+d/,
    );
    expect(player.wait(1).left).toBe('300000 gaveUp at body');
  });

  it('a harvester tries name after name, and never sends a message', () => {
    const player = greeted(
      new Player(new Harvester('harvester', { ...post, rcptsMax: 100 }, between(60_000, 60_000)), 4),
    );
    player.hear('250', '250');
    let tries = 0;
    while (player.left === '') {
      player.hear(tries % 10 === 0 ? '250' : '550');
      tries += 1;
    }
    expect(player.said.filter((text) => text.startsWith('RCPT')).length).toBe(tries);
    expect(player.said.some((text) => text.startsWith('DATA'))).toBe(false);
    expect(player.left).toBe('0 finished at rcpt');
  });

  it('a hasty zombie leaves without QUIT when it is refused', () => {
    const player = greeted(new Player(new Spammer('hasty', post, exactly(9_000)))).hear('250', '450');
    expect(player.left).toBe('0 refused at mail');
    expect(player.said.join('')).not.toContain('QUIT');
  });
});

describe('every bot', () => {
  const bots = [
    new PoliteMta(post),
    new Spammer('hasty', post, between(1, 9_000)),
    new Pregreeter('pregreeter', post, between(1, 9_000)),
    new Pipeliner('pipeliner', post, between(1, 9_000)),
    new Impatient('rustock', post, RUSTOCK_LEAVES_MS),
    new Holder('storm', post, STORM_HOLDS_MS),
    new HttpTalker('http', post, between(1, 9_000)),
    new Dripper('dripper', post, between(1, 9_000)),
    new Harvester('harvester', post, between(1, 9_000)),
    new Perfect('perfect', post, between(1, 9_000)),
    new Hanger('hanger', post, between(600_000, 900_000)),
    ...(['total-timeout', 'short-block', 'mailing-list'] as const).map((name) =>
      honestSender(name, { run: 'load', rcptDomain: 'example.com', timersPercent: 100 }),
    ),
  ];

  it.each(bots)('$name does the same again with the same seed', (bot) => {
    const lives = [7, 7].map((seed) => {
      const player = new Player(bot, seed).connect().wait(500);
      player.hear('220-', '220').wait(100).hear('250', '250', '250').wait(1_000).hear('550').wait(700_000);
      return [player.said, player.left];
    });
    expect(lives[0]).toEqual(lives[1]);
  });

  it.each(bots)('$name has left some day, whatever it hears', (bot) => {
    for (const replies of [
      [],
      ['220'],
      ['220', '250', '250', '250', '354'],
      ['220', '250', '250', '550'],
      ['554'],
    ]) {
      expect(
        new Player(bot, 9)
          .connect()
          .hear(...replies)
          .wait(20 * MINUTE).left,
      ).not.toBe('');
    }
  });
});

describe('the memory', () => {
  it('keeps the rows of its clients apart', () => {
    const memory = new BotMemory(3);
    for (let slot = 0; slot < 3; slot += 1) {
      const row = memory.fresh(slot, slot + 10);
      row.deadlineMs = slot * 1_000;
      row.mood = slot;
    }
    expect(
      [0, 1, 2].map((slot) => [memory.row(slot).serial, memory.row(slot).deadlineMs, memory.row(slot).mood]),
    ).toEqual([
      [10, 0, 0],
      [11, 1_000, 1],
      [12, 2_000, 2],
    ]);
    expect(() => memory.row(3)).toThrow(RangeError);
  });

  it('begins each new client with an empty row', () => {
    const memory = new BotMemory(1);
    memory.fresh(0, 1).rcptsOk = 5;
    expect(memory.fresh(0, 2)).toMatchObject({ rcptsOk: 0, serial: 2, stage: 0 });
  });
});
