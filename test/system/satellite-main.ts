/**
 * satellite-main — the link itself: packets between two network devices, late, few a second, and some lost
 *
 * `node satellite-main.ts NEAR FAR DELAY_MS LOSS_PERCENT BYTES_PER_SEC SEED`, started by satellite.ts with the two devices (TUN) as
 * open files NEAR and FAR. Each direction is a line of its own: a packet leaves when those before it have left, at the rate of the
 * line, and arrives DELAY_MS later; what would wait too long in front of the line is dropped, as a modem does.
 * Ends when its input ends.
 */
import { read, writeSync } from 'node:fs';
import { Prng } from '../../src/base/prng.ts';

const PACKET_BYTES_MAX = 65_536;
/** Longest wait in front of the line. */
const QUEUE_MS_MAX = 1_000;

const [near = 0, far = 0, delayMs = 0, lossPercent = 0, bytesPerSec = 1, seed = 1] = process.argv
  .slice(2)
  .map(Number);
const random = new Prng(seed);
let carried = 0;
let lost = 0;

/** Carries packets from one device to the other until the process ends. */
function carry(from: number, to: number): void {
  const buffer = Buffer.alloc(PACKET_BYTES_MAX);
  let freeMs = 0;
  const next = (): void => {
    read(from, buffer, 0, buffer.length, null, (error, bytes) => {
      if (error !== null) {
        // The device is not up yet.
        setTimeout(next, 10);
        return;
      }
      const nowMs = performance.now();
      const leavesMs = Math.max(nowMs, freeMs) + (bytes * 1_000) / bytesPerSec;
      if (random.below(100) < lossPercent || leavesMs - nowMs > QUEUE_MS_MAX) {
        lost += 1;
      } else {
        freeMs = leavesMs;
        const packet = Buffer.from(buffer.subarray(0, bytes));
        setTimeout(() => arrive(to, packet), leavesMs + delayMs - nowMs);
      }
      next();
    });
  };
  next();
}

function arrive(to: number, packet: Buffer): void {
  carried += 1;
  try {
    writeSync(to, packet);
  } catch {
    // The other end is down: lost.
  }
}

carry(near, far);
carry(far, near);
process.stdout.write('link is up\n');
process.stdin.resume();
process.stdin.once('end', () => {
  // A read that waits for a packet holds up an orderly end until one comes.
  process.stdout.write(`${JSON.stringify({ carried, lost })}\n`, () => process.kill(process.pid, 'SIGKILL'));
});
