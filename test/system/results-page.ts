/**
 * results-page — what every page of results says of itself: the command, versions, machine and load
 */
import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';

import { runWell } from './process.ts';

/** The line below the command: date, commit, versions, machine, seed. */
export async function settingOf(seed: number): Promise<string> {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const postfix = (await runWell('postconf', ['-dh', 'mail_version'])).toString().trim();
  const processor = `${cpus().length} × ${cpus()[0]?.model.split(' ').slice(0, 2).join(' ')}, shared`;
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  const parts = [
    new Date().toISOString().slice(0, 10),
    `project ${commit}`,
    `Node ${process.version}`,
    `Postfix ${postfix}`,
    `Linux ${release()} ${process.arch}`,
    processor,
    memory,
    `seed ${seed}`,
  ];
  return `${parts.join(' · ')}.`;
}

/** The load average of the last minute. */
export const loadNow = (): string => loadavg()[0]!.toFixed(1);

/** A number with commas. */
export const many = (value: number): string => value.toLocaleString('en');
