/**
 * Shedding against a twin that looks through the whole table: who goes is whom the twin would have chosen, and who is
 * let in is let in for a reason.
 */
import { describe, expect, it } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import { defaultConfig } from '../../src/config/load.ts';
import { Pace } from '../../src/policy/pace.ts';
import { Phase } from '../../src/session/phase.ts';
import { SeatClass } from '../../src/session/seats.ts';
import { Flag } from '../../src/session/sessions.ts';
import { World } from '../dialogues/world.ts';
import type { Client } from '../dialogues/world.ts';

const SEATS = 12;
const FOR_STRANGERS = 9;
const GREET_WAIT_MS = 500;
const kinds = ['good', 'known', 'unknown', 'unknown', 'bad'] as const;
type Kind = (typeof kinds)[number];

interface Seated {
  readonly slot: number;
  readonly serial: number;
  readonly seat: SeatClass;
}

/** The class of a session by what may become of it, written down another way. */
function classIn(world: World, slot: number): SeatClass {
  const { sessions } = world.shard.works;
  const phase = sessions.phaseOf(slot);
  if (phase === Phase.Free || phase === Phase.Closing) return SeatClass.None;
  const isWaiting =
    phase === Phase.Greeting ||
    phase === Phase.Listening ||
    (phase === Phase.Owing && sessions.phasesAfter[slot] === Phase.Listening);
  const isBad = sessions.has(slot, Flag.RefuseRecipients) || sessions.paces[slot] === Pace.Slow;
  if (!isWaiting || (!isBad && sessions.has(slot, Flag.GoodStanding))) return SeatClass.Kept;
  if (isBad) return SeatClass.Classified;
  return sessions.has(slot, Flag.Passed) ? SeatClass.Shown : SeatClass.Unknown;
}

class Twin {
  readonly world: World;
  line: Seated[] = [];
  ended: { port: number; ending: string }[] = [];
  readonly clients: Client[] = [];
  readonly #portOf = new Map<number, number>();
  #count = 0;

  constructor() {
    const config = defaultConfig({
      hostname: 'mx.example.net',
      screen: { greetWaitMs: 2_000, bareNewline: 'refuse' },
      shape: { replyDelayMs: 100, holdMs: 100, slowFrom: 39 },
      stress: { greetWaitMs: GREET_WAIT_MS, reserve: 25, networkShare: 100 },
    });
    this.world = new World({ config, capacity: 60, sessionsMax: SEATS });
    this.world.onEnded = ({ port, ending }) => void this.ended.push({ port, ending });
    this.world.start();
  }

  /** Looks through the table; who has another class than before stands behind the others. */
  look(): void {
    const { sessions, seats } = this.world.shard.works;
    let taken = 0;
    for (let slot = 0; slot < sessions.capacity; slot++) {
      const seat = classIn(this.world, slot);
      const serial = sessions.serials[slot]!;
      if (seat !== SeatClass.None) taken += 1;
      expect(seats.classOf(slot)).toBe(seat);
      if (this.line.some((one) => one.slot === slot && one.serial === serial && one.seat === seat)) continue;
      this.line = this.line.filter((one) => one.slot !== slot);
      if (seat === SeatClass.None) continue;
      this.line.push({ slot, serial, seat });
      this.#portOf.set(slot, this.world.front.remotePort(sessions.handleOf(slot)));
    }
    expect(seats.taken).toBe(taken);
    expect(taken).toBeLessThanOrEqual(SEATS);
  }

  /** A client comes; checks who went for it. */
  connect(kind: Kind): string {
    const { world } = this;
    this.#count += 1;
    const address = `198.51.${this.#count >> 8}.${this.#count & 255}`;
    if (kind === 'good') world.remember(address, -30, true);
    if (kind === 'known') world.remember(address, 0, true);
    if (kind === 'bad') world.remember(address, 100, false);
    const before = this.line;
    this.ended = [];
    const client = world.dial(address);
    world.settle();
    const own = this.ended.find(({ port }) => port === client.port);
    const victims = this.ended.filter((one) => one !== own);
    this.clients.push(client);
    const wanted = this.#choice(before, kind);
    if (victims.length > 0) {
      expect(victims).toHaveLength(1);
      expect(own).toBeUndefined();
      expect(victims[0]!.port).toBe(this.#portOf.get(wanted!.slot));
      return victims[0]!.ending;
    }
    if (own === undefined) {
      // Let in for nobody: there was a free slot.
      expect(before.length).toBeLessThan(kind === 'good' ? SEATS : FOR_STRANGERS);
      return 'let in';
    }
    expect(own.ending).toBe(kind === 'good' ? 'sessionsFull' : 'shedStranger');
    expect(before.length).toBeGreaterThanOrEqual(kind === 'good' ? SEATS : FOR_STRANGERS);
    expect(wanted).toBeUndefined();
    return own.ending;
  }

  /** Whom a client of this kind may send away. */
  #choice(line: readonly Seated[], kind: Kind): Seated | undefined {
    const { works } = this.world.shard;
    const firstOf = (seat: SeatClass): Seated | undefined => line.find((one) => one.seat === seat);
    const unknown = firstOf(SeatClass.Unknown);
    const hadChance =
      unknown !== undefined && works.nowMs - works.sessions.openedMs[unknown.slot]! >= GREET_WAIT_MS * 2;
    const mayUnknown = kind === 'good' || kind === 'known' || hadChance;
    const isFull = line.length >= FOR_STRANGERS;
    return (
      firstOf(SeatClass.Classified) ??
      (mayUnknown && (isFull || kind === 'good') ? unknown : undefined) ??
      (kind === 'good' ? firstOf(SeatClass.Shown) : undefined)
    );
  }
}

const words = [
  'NOOP\r\n',
  'NOOP\n',
  'EHLO a.example\r\n',
  'MAIL FROM:<a@a.example>\r\n',
  'RCPT TO:<good@example.org>\r\n',
  'DATA\r\n',
  '.\r\n',
  'QUIT\r\n',
];

describe('shedding', () => {
  it.each([1, 2, 3, 4, 5, 6])('sends away whom a look through the whole table would (seed %i)', (seed) => {
    const random = new Prng(seed);
    const twin = new Twin();
    const { world } = twin;
    const seen = new Set<string>();
    for (let step = 0; step < 600; step += 1) {
      const draw = random.below(10);
      if (draw < 4) seen.add(twin.connect(kinds[random.below(kinds.length)]!));
      else if (draw < 9) {
        const there = twin.clients.filter((client) => !client.gone);
        if (there.length > 0) {
          there[random.below(there.length)]!.send(words[random.below(words.length)]!);
          world.settle();
        }
      } else world.runUntil(world.nowMs + random.below(1_500));
      twin.look();
    }
    expect([...seen].sort()).toEqual(expect.arrayContaining(['let in', 'shedClassified', 'shedStranger']));
  });
});
