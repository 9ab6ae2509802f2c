/**
 * made-on — the line that says with what, and on what machine, a figure came about
 */
import { execFileSync } from 'node:child_process';
import { machine } from '../loadgen/report.ts';

function postfixVersion(): string {
  try {
    const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
    return execFileSync('postconf', ['-dh', 'mail_version'], { env, encoding: 'utf8' }).trim();
  } catch {
    return 'none';
  }
}

/** Day, versions and machine as one line of Markdown. */
export function madeOn(): string {
  const { project, node, os, cpu, memoryGb } = machine();
  const day = new Date().toISOString().slice(0, 10);
  return `${day} · project ${project} · Node ${node} · Postfix ${postfixVersion()} · ${os} · ${cpu}, shared · ${memoryGb} GB`;
}
