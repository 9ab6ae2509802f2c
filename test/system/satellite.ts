/**
 * satellite — two network namespaces with a bad link between them
 *
 * `near` is 192.0.2.1 and has a loopback of its own for what stands behind Sluice; `far` is 192.0.2.2. Both exist only as long as the
 * test; nothing of the machine's own network is touched. The kernel's own emulator of such links (netem) is not in
 * every kernel, so the link is a program (satellite-main) that carries packets between two TUN devices. Perl opens
 * those, since Node cannot make the one system call that it takes, and becomes the link.
 *
 * Needs root, `ip`, and /dev/net/tun.
 */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { isAlive, run, runWell, until } from './process.ts';

export const NEAR_ADDRESS = '192.0.2.1';
export const FAR_ADDRESS = '192.0.2.2';

export interface LinkOptions {
  /** Each way. */
  readonly delayMs: number;
  readonly lossPercent: number;
  /** Each way. */
  readonly bytesPerSec: number;
  readonly seed: number;
}

/** TUNSETIFF with IFF_TUN | IFF_NO_PI for two devices, which stay open in what Perl becomes. */
const OPENS_DEVICES = `$^F = 255;
my @files = map {
  open(my $file, '+<', '/dev/net/tun') or die "no /dev/net/tun: $!";
  my $request = pack('a16 s x22', $_, 0x1001);
  ioctl($file, 0x400454ca, $request) or die "no device $_: $!";
  $file;
} ('near0', 'far0');
my ($node, $program, @rest) = @ARGV;
exec($node, $program, map({ fileno($_) } @files), @rest) or die "no node: $!";`;

const program = fileURLToPath(new URL('./satellite-main.ts', import.meta.url));
const names = ['near', 'far'] as const;
type End = (typeof names)[number];

export class Satellite {
  /** Packets carried and lost, once it is closed. */
  counts = { carried: 0, lost: 0 };
  readonly #child: ChildProcess;
  readonly #removeAtExit = (): void => removeNamespaces(process.pid);
  #said = '';
  /** It is gone, and all that it said was heard. */
  #hasEnded = false;

  private constructor(options: LinkOptions) {
    const { delayMs, lossPercent, bytesPerSec, seed } = options;
    const link = [process.execPath, program, ...[delayMs, lossPercent, bytesPerSec, seed].map(String)];
    const args = ['netns', 'exec', Satellite.namespace('near'), 'perl', '-e', OPENS_DEVICES, '--', ...link];
    this.#child = spawn('ip', args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const keep = (bytes: Buffer): void => {
      this.#said += bytes.toString();
    };
    this.#child.stdout?.on('data', keep);
    this.#child.stderr?.on('data', keep);
    this.#child.once('close', () => (this.#hasEnded = true));
    process.once('exit', this.#removeAtExit);
  }

  /** The name of a namespace. */
  static namespace(end: End): string {
    return `sluice-${end}-${process.pid}`;
  }

  /** Words in front of a command that is to run at one end. */
  static at(end: End): readonly string[] {
    return ['ip', 'netns', 'exec', Satellite.namespace(end)];
  }

  /** Makes both ends and the link; what an earlier run that was killed has left is removed first. */
  static async open(options: LinkOptions): Promise<Satellite> {
    await removeLeftovers();
    for (const end of names) await runWell('ip', ['netns', 'add', Satellite.namespace(end)]);
    const link = new Satellite(options);
    try {
      await until('the link is up', () => {
        if (link.#child.exitCode !== null) throw new Error(`the link ended at start:\n${link.#said}`);
        return link.#said.includes('link is up');
      });
      const [near, far] = names.map(Satellite.namespace) as [string, string];
      await runWell('ip', ['-n', near, 'link', 'set', 'far0', 'netns', far]);
      await runWell('ip', ['-n', near, 'address', 'add', NEAR_ADDRESS, 'peer', FAR_ADDRESS, 'dev', 'near0']);
      await runWell('ip', ['-n', far, 'address', 'add', FAR_ADDRESS, 'peer', NEAR_ADDRESS, 'dev', 'far0']);
      await runWell('ip', ['-n', near, 'link', 'set', 'near0', 'up']);
      for (const end of [near, far]) await runWell('ip', ['-n', end, 'link', 'set', 'lo', 'up']);
      await runWell('ip', ['-n', far, 'link', 'set', 'far0', 'up']);
    } catch (failure) {
      await link.close();
      throw failure;
    }
    return link;
  }

  /** From now on nothing is carried, and neither end is told: each has vanished for the other. */
  cut(): void {
    this.#child.kill('SIGSTOP');
  }

  /** Carries again, what was said last included. */
  mend(): void {
    this.#child.kill('SIGCONT');
  }

  /** Ends the link and removes both namespaces; safe to call twice. */
  async close(): Promise<void> {
    this.mend();
    this.#child.stdin?.end();
    try {
      await until('the link has ended', () => this.#hasEnded);
    } finally {
      this.#child.kill('SIGKILL');
      removeNamespaces(process.pid);
      process.off('exit', this.#removeAtExit);
    }
    const counts = /\{"carried".*\}/.exec(this.#said);
    if (counts !== null) this.counts = JSON.parse(counts[0]) as Satellite['counts'];
  }
}

/** Removes the namespaces that process `pid` made, as far as they are there. */
function removeNamespaces(pid: number): void {
  for (const end of names) {
    try {
      execFileSync('ip', ['netns', 'delete', `sluice-${end}-${pid}`], { stdio: 'ignore' });
    } catch {
      // It was never made, or is gone already.
    }
  }
}

async function removeLeftovers(): Promise<void> {
  const list = (await run('ip', ['netns', 'list'])).stdout.toString();
  const pids = new Set([...list.matchAll(/^sluice-(?:near|far)-(\d+)/gm)].map(([, pid]) => Number(pid)));
  for (const pid of pids) if (!isAlive(pid)) removeNamespaces(pid);
}
