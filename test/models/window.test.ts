/**
 * window — the limit of lanes against a naive server: so many processes, first come, first served
 *
 * The server takes whatever it is given; each process works on one step at a time for as long as the step takes, which is
 * always the same or drawn (exponentially, the most uneven that is still plausible). Clients always want more. What comes
 * out is compared with the best that any fixed limit can do, which is to keep every process busy.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LANES_MIN, StepKind, Window } from '../../src/backend/window.ts';
import { Prng } from '../../src/base/prng.ts';

interface Plan {
  /** Processes of the server, by the time. */
  readonly processes: (nowMs: number) => number;
  readonly lanesMax: number;
  readonly untilMs: number;
  /** What came before is not looked at. */
  readonly fromMs: number;
  readonly recipientMs: number;
  readonly messageMs: (nowMs: number) => number;
  readonly isEven: boolean;
  readonly seed?: number;
  /** A limit that stays as it is. */
  readonly fixed?: number;
}

interface Found {
  readonly stepsPerSec: number;
  /** The limit in force, in the middle and at its ends (1 % of the replies are beyond each). */
  readonly lanes: { readonly low: number; readonly middle: number; readonly high: number };
  /** Time spent waiting in the server, as a share of the time it worked. */
  readonly waitShare: number;
}

interface Step {
  readonly kind: StepKind;
  readonly askedMs: number;
  readonly workMs: number;
}

/** Runs a plan on a clock of its own. */
function run(plan: Plan): Found {
  const random = new Prng(plan.seed ?? 1);
  const window = new Window(plan.lanesMax, plan.fixed === undefined);
  const queue: Step[] = [];
  /** Under way, by the moment of their end; the soonest last. */
  const working: { readonly step: Step; readonly endMs: number }[] = [];
  const limits: number[] = [];
  let nowMs = 0;
  let inUse = 0;
  let asked = 0;
  let workMs = 0;
  let waitMs = 0;
  const draw = (meanMs: number): number =>
    plan.isEven ? meanMs : -Math.log(1 - random.below(1_000_000) / 1_000_000) * meanMs;
  const limit = (): number => plan.fixed ?? window.lanes;
  const feed = (): void => {
    for (; inUse < limit(); inUse++) {
      const kind = asked++ % 2 === 0 ? StepKind.Recipient : StepKind.Message;
      const meanMs = kind === StepKind.Recipient ? plan.recipientMs : plan.messageMs(nowMs);
      queue.push({ kind, askedMs: nowMs, workMs: draw(meanMs) });
    }
    while (queue.length > 0 && working.length < plan.processes(nowMs)) {
      const step = queue.shift()!;
      const endMs = nowMs + step.workMs;
      if (nowMs >= plan.fromMs) {
        waitMs += nowMs - step.askedMs;
        workMs += step.workMs;
      }
      let at = working.length;
      while (at > 0 && working[at - 1]!.endMs < endMs) at--;
      working.splice(at, 0, { step, endMs });
    }
  };
  for (feed(); nowMs < plan.untilMs; feed()) {
    const { step, endMs } = working.pop()!;
    nowMs = endMs;
    window.answered(step.kind, nowMs - step.askedMs, inUse, true, nowMs);
    inUse -= 1;
    if (nowMs >= plan.fromMs) limits.push(limit());
  }
  limits.sort((a, b) => a - b);
  const at = (share: number): number => limits[Math.floor(share * (limits.length - 1))]!;
  return {
    stepsPerSec: (limits.length * 1000) / (plan.untilMs - plan.fromMs),
    lanes: { low: at(0.01), middle: at(0.5), high: at(0.99) },
    waitShare: waitMs / workMs,
  };
}

const steady = {
  lanesMax: 100,
  untilMs: 300_000,
  fromMs: 100_000,
  recipientMs: 30,
  messageMs: () => 200,
  isEven: true,
} as const;

const servers = [3, 10, 20, 50].flatMap((processes) =>
  [true, false].flatMap((isEven) =>
    (
      [
        [30, 200],
        [100, 100],
        [5, 50],
      ] as const
    ).map(([recipientMs, messageMs]) => ({ processes, isEven, recipientMs, messageMs })),
  ),
);

describe('a window in front of a server with so many processes', () => {
  it.each(servers)(
    'settles near $processes lanes (even $isEven, $recipientMs and $messageMs ms) and loses at most 5 % of what the best fixed limit does',
    ({ processes, isEven, recipientMs, messageMs }) => {
      const plan = {
        ...steady,
        // A few slow processes give few replies: it takes more time to find them out.
        fromMs: processes < 10 ? 400_000 : steady.fromMs,
        untilMs: processes < 10 ? 600_000 : steady.untilMs,
        processes: () => processes,
        isEven,
        recipientMs,
        messageMs: () => messageMs,
      };
      const found = run(plan);
      const best = run({ ...plan, fixed: plan.lanesMax });
      expect(found.lanes.middle).toBeGreaterThanOrEqual(processes);
      expect(found.lanes.middle).toBeLessThanOrEqual(2 * processes + 5);
      expect(found.stepsPerSec).toBeGreaterThan(0.95 * best.stepsPerSec);
      // The queue is in front of Sluice, not in the server.
      expect(found.waitShare).toBeLessThan(Math.max(0.5, best.waitShare / 4));
    },
  );

  it.each([1, 2, 3])('follows when processes are taken away and when there are more (seed %i)', (seed) => {
    const processes = (nowMs: number): number => (nowMs < 60_000 ? 20 : nowMs < 180_000 ? 10 : 40);
    const during = (fromMs: number, untilMs: number): Found =>
      run({ ...steady, processes, isEven: false, seed, fromMs, untilMs });
    const full = during(30_000, 60_000);
    const half = during(120_000, 180_000);
    const double = during(230_000, 300_000);
    expect(full.lanes.middle).toBeGreaterThanOrEqual(19);
    expect(half.lanes.middle).toBeLessThanOrEqual(25);
    expect(half.waitShare).toBeLessThan(1);
    expect(double.lanes.middle).toBeGreaterThanOrEqual(38);
  });

  it('takes a server that has become slower by itself for what it is', () => {
    const messageMs = (nowMs: number): number => (nowMs < 60_000 ? 200 : 500);
    const plan = { ...steady, processes: () => 20, messageMs, fromMs: 150_000 };
    const found = run(plan);
    expect(found.lanes.middle).toBeGreaterThanOrEqual(20);
    expect(found.stepsPerSec).toBeGreaterThan(0.95 * run({ ...plan, fixed: 100 }).stepsPerSec);
  });

  it('is at its maximum for good where nothing becomes slower by more lanes', () => {
    const found = run({ ...steady, processes: () => 1_000, lanesMax: 50, fromMs: 5_000 });
    expect(found.lanes).toEqual({ low: 50, middle: 50, high: 50 });
    const drawn = run({ ...steady, processes: () => 1_000, lanesMax: 50, fromMs: 5_000, isEven: false });
    expect(drawn.lanes.middle).toBe(50);
    expect(drawn.stepsPerSec).toBeGreaterThan(
      0.95 * run({ ...steady, processes: () => 1_000, isEven: false, fixed: 50 }).stepsPerSec,
    );
  });
});

describe('a window', () => {
  it('falls at once on a refusal, and once for all that was under way', () => {
    const window = new Window(100, true);
    for (let reply = 0; reply < 1_000; reply++)
      window.answered(StepKind.Message, 200, window.lanes, true, reply * 10);
    expect(window.lanes).toBe(100);
    for (let refusal = 0; refusal < 50; refusal++) window.refused(10_000 + refusal);
    expect(window.lanes).toBe(70);
    window.refused(10_300);
    expect(window.lanes).toBe(49);
  });

  it('comes back from its floor, a lane a round, and at once when the server was away', () => {
    const window = new Window(40, true);
    let nowMs = 0;
    const refuse = (): void => {
      for (let refusal = 0; refusal < 60; refusal++) window.refused((nowMs += 1_000));
    };
    const serve = (replies: number): void => {
      for (; replies > 0; replies--) window.answered(StepKind.Message, 50, window.lanes, true, (nowMs += 10));
    };
    refuse();
    expect(window.lanes).toBe(LANES_MIN);
    serve(200);
    expect(window.lanes).toBeGreaterThan(10);
    expect(window.lanes).toBeLessThan(40);
    serve(1_000);
    expect(window.lanes).toBe(40);
    refuse();
    window.returned();
    serve(100);
    expect(window.lanes).toBe(40);
  });

  it('does not grow for clients that do not come', () => {
    const window = new Window(40, true);
    for (let reply = 0; reply < 1_000; reply++)
      window.answered(StepKind.Message, 50, 1, false, reply * 1_000);
    expect(window.lanes).toBe(8);
  });

  it('takes no account of a lane that was never answered, once the others would have been four times', () => {
    const window = new Window(40, true);
    expect(window.silentMs).toBe(5_000);
    for (let reply = 0; reply < 200; reply++)
      window.answered(StepKind.Message, 3_000, 8, false, reply * 3_000);
    expect(window.silentMs).toBeGreaterThan(11_900);
    expect(window.silentMs).toBeLessThan(12_200);
    expect(new Window(40, false).silentMs).toBe(Infinity);
  });

  it('that does not adapt stays where it is', () => {
    const window = new Window(7, false);
    window.refused(1);
    for (let reply = 0; reply < 1_000; reply++)
      window.answered(StepKind.Message, 50 + reply, 7, true, reply * 100);
    expect(window.lanes).toBe(7);
  });

  it('is between its floor and its maximum, whatever happens', () => {
    const event = fc.record({
      what: fc.constantFrom('answered', 'answered', 'answered', 'refused', 'returned'),
      kind: fc.constantFrom(StepKind.Recipient, StepKind.Message),
      latencyMs: fc.double({ min: -5, max: 600_000, noNaN: true }),
      inUse: fc.nat(60),
      isWanted: fc.boolean(),
      passedMs: fc.nat(60_000),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.array(event, { maxLength: 400 }),
        (lanesMax, events) => {
          const window = new Window(lanesMax, true);
          let nowMs = 0;
          for (const one of events) {
            nowMs += one.passedMs;
            if (one.what === 'refused') window.refused(nowMs);
            else if (one.what === 'returned') window.returned();
            else window.answered(one.kind, one.latencyMs, one.inUse, one.isWanted, nowMs);
            expect(window.lanes).toBeGreaterThanOrEqual(Math.min(LANES_MIN, lanesMax));
            expect(window.lanes).toBeLessThanOrEqual(lanesMax);
          }
        },
      ),
    );
  });
});
