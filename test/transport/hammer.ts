/**
 * hammer — many peers do whatever the seed says, and the contract holds all the while
 *
 * Each stream carries a pattern in both directions, so that every byte is known by its position: a lost,
 * doubled or moved one shows at once. The engine's side does as it pleases too: it leaves input lying, writes
 * until it is refused, ends, aborts, releases late. At the end everybody says goodbye, and then nothing may
 * be left: no stream, no byte in a sum.
 */
import { expect } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import { NO_HANDLE, slotOf } from '../../src/base/handle.ts';
import type { Handle } from '../../src/base/handle.ts';
import { Noted } from '../../src/transport/transport.ts';
import { withFront } from './conversation.ts';
import { followsPattern, pattern } from './harness.ts';
import type { FrontRig, Harness, Peer } from './harness.ts';

const capacity = 12;
const inputBytesMax = 2000;
const outputBytesMax = 3000;
const READ_BYTES = 65_536;

/** What the model knows of one stream. */
interface Life {
  readonly peer: Peer;
  handle: Handle;
  /** Inside TLS, where that is wanted: before, neither side has anything to say. */
  ready: boolean;
  sent: number;
  finished: boolean;
  wasReset: boolean;
  consumed: number;
  written: number;
  refused: boolean;
  ended: boolean;
  aborted: boolean;
  events: number;
}

/** One run; the same seed makes the same choices. */
export async function runHammer(harness: Harness, seed: number, steps: number): Promise<void> {
  const random = new Prng(seed);
  await withFront(harness, { capacity, inputBytesMax, outputBytesMax }, async (rig) => {
    const hammer = new Hammer(rig, random);
    for (let step = 0; step < steps; step += 1) {
      hammer.act();
      if (random.below(4) === 0) await rig.quiet();
      hammer.turn();
    }
    hammer.sayGoodbye();
    await rig.until(() => {
      hammer.turn();
      return hammer.livesOpen === 0;
    });
    expect(hammer.closedCount, 'streams that lived and died').toBeGreaterThan(steps / 100);
    expect(rig.transport.streamsOpen).toBe(0);
    expect(rig.transport.inputBytesTotal).toBe(0);
    expect(rig.transport.next()).toBe(NO_HANDLE);
  });
}

class Hammer {
  closedCount = 0;
  private readonly rig: FrontRig;
  private readonly random: Prng;
  private readonly lives: Life[] = [];
  private over = false;

  constructor(rig: FrontRig, random: Prng) {
    this.rig = rig;
    this.random = random;
    rig.engine.obeys = false;
  }

  get livesOpen(): number {
    return this.lives.length;
  }

  /** One thing that a peer or the engine does of its own accord. */
  act(): void {
    const { random, lives } = this;
    if (lives.length === 0 || (lives.length < capacity && random.below(6) === 0)) return this.dial();
    const life = lives[random.below(lives.length)]!;
    const choice = random.below(100);
    if (!life.ready && choice < 95 && !life.wasReset && !life.aborted) return;
    if (choice < 40) this.send(life, random.below(choice < 4 ? 20_000 : 60));
    else if (choice < 46) this.stall(life, random.below(2) === 0);
    else if (choice < 49) this.finish(life);
    else if (choice < 51) this.reset(life);
    else if (choice < 75) this.write(life, random.below(choice < 70 ? 80 : outputBytesMax));
    else if (choice < 92) this.consume(life, random.below(4));
    else if (choice < 95) this.end(life);
    else if (choice < 97) this.abort(life);
    else this.narrow(life, random.below(2) === 0);
  }

  /** The engine's turn: every stream with something noted, once. */
  turn(): void {
    const { transport } = this.rig;
    const inThisTurn = new Set<Handle>();
    for (let handle = transport.next(); handle !== NO_HANDLE; handle = transport.next()) {
      expect(inThisTurn.has(handle), 'a stream is handed out once').toBe(false);
      inThisTurn.add(handle);
      this.obey(handle, transport.take(handle));
    }
    let waiting = 0;
    for (const life of this.lives)
      if (life.handle !== NO_HANDLE) waiting += transport.peek(life.handle).length;
    expect(transport.inputBytesTotal).toBe(waiting);
  }

  /** From now on all peers read and finish, and the engine ends what they finish. */
  sayGoodbye(): void {
    this.over = true;
    for (const life of this.lives) {
      if (life.ready) this.sayGoodbyeTo(life);
    }
  }

  private sayGoodbyeTo(life: Life): void {
    this.stall(life, false);
    this.finish(life);
    if (life.handle !== NO_HANDLE) this.drink(life);
  }

  private obey(handle: Handle, events: number): void {
    expect(events).not.toBe(0);
    let life = this.lives.find((each) => each.handle === handle);
    if (life === undefined) {
      expect(events & Noted.Opened, 'Opened comes first').toBe(Noted.Opened);
      const port = this.rig.transport.remotePort(handle);
      life = this.lives.find((each) => each.peer.port === port && each.handle === NO_HANDLE);
      if (life === undefined) throw new Error('a stream that nobody dialled');
      life.handle = handle;
      expect(slotOf(handle)).toBeLessThan(capacity);
      if (this.rig.secures && (events & Noted.Closed) === 0) {
        this.rig.transport.startTls(handle);
        life.peer.handshake();
      }
    } else {
      expect(events & Noted.Opened, 'Opened comes once').toBe(0);
    }
    expect(life.events & Noted.Closed, 'nothing follows Closed').toBe(0);
    if ((events & Noted.Ended) !== 0) expect(life.finished).toBe(true);
    if ((events & Noted.Drained) !== 0) {
      expect(life.refused || life.ended, 'Drained is asked for').toBe(true);
      expect(this.rig.transport.unwritten(handle)).toBe(0);
      life.refused = false;
    }
    life.events |= events;
    if ((events & Noted.Secured) !== 0 && !life.aborted) {
      life.ready = true;
      if (this.over) this.sayGoodbyeTo(life);
    }
    if ((events & Noted.Closed) !== 0) return this.bury(life);
    if (this.over) this.drink(life);
  }

  /** Closed: what each side got is the beginning of what the other sent, or all of it. */
  private bury(life: Life): void {
    const { transport } = this.rig;
    if (!life.ended && !life.aborted) {
      this.consume(life, 0);
      if ((life.events & Noted.Ended) !== 0)
        expect(life.consumed, 'all that came before FIN').toBe(life.sent);
    }
    expect(life.wasReset || life.ended || life.aborted, 'streams do not die by themselves').toBe(true);
    const received = life.peer.received();
    expect(followsPattern(received)).toBe(true);
    expect(received.length).toBeLessThanOrEqual(life.written);
    if (life.peer.sawEnd() && !life.aborted) expect(received.length).toBe(life.written);
    transport.release(life.handle);
    expect(() => transport.peek(life.handle)).toThrow('release');
    this.lives.splice(this.lives.indexOf(life), 1);
    this.closedCount += 1;
  }

  private drink(life: Life): void {
    this.consume(life, 0);
    const ended = (life.events & Noted.Ended) !== 0 && (life.events & Noted.Closed) === 0;
    if (ended && !life.ended && !life.aborted) this.end(life);
  }

  private dial(): void {
    if (this.over) return;
    const peer = this.rig.dial();
    this.lives.push({
      peer,
      handle: NO_HANDLE,
      ready: !this.rig.secures,
      sent: 0,
      finished: false,
      wasReset: false,
      consumed: 0,
      written: 0,
      refused: false,
      ended: false,
      aborted: false,
      events: 0,
    });
  }

  private send(life: Life, count: number): void {
    if (life.finished || life.wasReset) return;
    life.peer.send(pattern(count, life.sent));
    life.sent += count;
  }

  private stall(life: Life, on: boolean): void {
    if (!life.wasReset) life.peer.stall(on);
  }

  private finish(life: Life): void {
    if (life.finished || life.wasReset) return;
    life.finished = true;
    life.peer.finish();
  }

  private reset(life: Life): void {
    if (life.handle === NO_HANDLE || life.wasReset) return;
    life.wasReset = true;
    life.peer.reset();
  }

  /** `leave`: 0 takes all of the input, else about one part of so many. */
  private consume(life: Life, leave: number): void {
    if (life.handle === NO_HANDLE || life.ended || life.aborted) return;
    const view = this.rig.transport.peek(life.handle);
    expect(view.length).toBeLessThanOrEqual(inputBytesMax + READ_BYTES);
    expect(followsPattern(view, life.consumed), 'input in order').toBe(true);
    const count = leave === 0 ? view.length : Math.floor(view.length / leave);
    this.rig.transport.consume(life.handle, count);
    life.consumed += count;
    expect(life.consumed).toBeLessThanOrEqual(life.sent);
  }

  private write(life: Life, count: number): void {
    if (life.handle === NO_HANDLE || life.ended || life.aborted) return;
    const before = this.rig.transport.unwritten(life.handle);
    const taken = this.rig.transport.write(life.handle, pattern(count, life.written));
    if (taken) life.written += count;
    else {
      expect(before + count, 'refused only above the limit').toBeGreaterThan(outputBytesMax);
      life.refused = true;
    }
    expect(this.rig.transport.unwritten(life.handle)).toBeLessThanOrEqual(outputBytesMax);
  }

  private end(life: Life): void {
    if (life.handle === NO_HANDLE) return;
    if (!life.aborted) life.ended = true;
    this.rig.transport.end(life.handle);
  }

  private narrow(life: Life, isNarrow: boolean): void {
    if (life.handle !== NO_HANDLE) this.rig.transport.narrow(life.handle, isNarrow);
  }

  private abort(life: Life): void {
    if (life.handle === NO_HANDLE) return;
    life.aborted = true;
    this.rig.transport.abort(life.handle);
  }
}
