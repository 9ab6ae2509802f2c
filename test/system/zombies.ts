/**
 * zombies — the bundled simulator as a process of its own, in front of a running Sluice
 *
 * A process may have few file descriptors, and each zombie costs one: the crowd is divided among as many processes as
 * the limit asks for.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { establishedAt, stopByPid, until } from './process.ts';

export interface Crowd {
  readonly target: number;
  readonly sessions: number;
  readonly seed: number;
  /** The simulator's own end; it is stopped when the test has seen enough. */
  readonly durationSec: number;
}

export class Zombies {
  said = '';
  private readonly children: readonly ChildProcess[];
  private readonly crowd: Crowd;

  constructor(crowd: Crowd) {
    this.crowd = crowd;
    const processes = Math.ceil(crowd.sessions / (openFilesMax() - 500));
    this.children = Array.from({ length: processes }, (_, at) =>
      this.start(at, Math.ceil(crowd.sessions / processes)),
    );
  }

  /** Connections to Sluice that neither side has begun to close, honest ones and unaccepted ones included. */
  held(): number {
    return establishedAt(this.crowd.target);
  }

  /** Waits until at least `count` sessions are held. */
  async holding(count: number): Promise<void> {
    await until(`${count} sessions are held`, () => this.isHolding(count), 180_000, 250);
  }

  async stop(): Promise<void> {
    await Promise.all(this.children.map(async ({ pid }) => pid !== undefined && stopByPid(pid)));
  }

  private isHolding(count: number): boolean {
    if (this.children.some((child) => child.exitCode !== null)) {
      throw new Error(`the zombies ended early:\n${this.said.slice(-2000)}`);
    }
    return this.held() >= count;
  }

  private start(at: number, sessions: number): ChildProcess {
    const program = fileURLToPath(new URL('../../loadgen/main.ts', import.meta.url));
    const { target, durationSec, seed } = this.crowd;
    const options = {
      target: `127.0.0.1:${target}`,
      sessions: String(sessions),
      population: 'mixed',
      domain: 'example.test',
      rate: '800',
      honest: '0',
      duration: String(durationSec),
      seed: String(seed + at),
    };
    // Keeps the crowd as large as it was asked for: one that leaves is replaced.
    const args = ['--keep', ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])];
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const keep = (bytes: Buffer): void => {
      this.said = `${this.said}${bytes.toString()}`.slice(-20_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    return child;
  }
}

/** The hard limit of open files of a process; Node raises its own soft limit to it. */
function openFilesMax(): number {
  const limits = readFileSync('/proc/self/limits', 'latin1');
  return Number(/^Max open files +\d+ +(\d+)/m.exec(limits)?.[1] ?? 1024);
}
