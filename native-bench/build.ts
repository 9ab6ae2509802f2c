/**
 * build — compiles the C programs of this folder into native-bench/bin, when a source is newer than its program
 *
 * The compiler is `cc`, or what the environment names in CC. A program is written beside its place and renamed
 * into it, so that two builds at a time cannot spoil each other. Nothing of Sluice itself needs this folder.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const flags = ['-O2', '-std=c11', '-Wall', '-Wextra', '-Werror'] as const;

export interface Programs {
  readonly responder: string;
  readonly driver: string;
}

function compiler(): string {
  const named = process.env['CC'];
  return named === undefined || named === '' ? 'cc' : named;
}

/** First line of the compiler's own version, undefined when there is no compiler. */
export function compilerVersion(): string | undefined {
  try {
    return execFileSync(compiler(), ['--version'], { encoding: 'utf8', stdio: 'pipe' }).split('\n')[0];
  } catch {
    return undefined;
  }
}

function changedMs(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? -Infinity;
}

function buildOne(name: string): string {
  const source = `${folder}${name}.c`;
  const program = `${folder}bin/${name}`;
  if (changedMs(program) > Math.max(changedMs(source), changedMs(`${folder}common.h`))) return program;
  const draft = `${program}.${process.pid}`;
  try {
    execFileSync(compiler(), [...flags, '-o', draft, source], { stdio: 'inherit' });
    renameSync(draft, program);
  } catch (error) {
    rmSync(draft, { force: true });
    throw new Error(`${name}.c did not compile with ${compiler()}`, { cause: error });
  }
  return program;
}

/** Builds what is out of date and returns the paths. Throws when there is no compiler, and says how to get one. */
export function build(): Programs {
  if (process.platform !== 'linux')
    throw new Error('the floor benchmark needs Linux: it uses epoll and /proc');
  if (compilerVersion() === undefined) {
    throw new Error(
      `no C compiler: '${compiler()}' cannot be run. On Debian: apt-get install gcc libc6-dev; ` +
        'or name another one in the environment variable CC',
    );
  }
  mkdirSync(`${folder}bin`, { recursive: true });
  return { responder: buildOne('responder'), driver: buildOne('driver') };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(`${Object.values(build()).join('\n')}\n`);
}
