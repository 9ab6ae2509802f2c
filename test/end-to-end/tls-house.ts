/**
 * tls-house — Sluice with certificates, the mail server behind it, and clients that begin TLS
 *
 * Two listeners show one certificate, from files that a test may write anew. `close` says of every test that no key
 * was shown and no shard died.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { Sink } from '../../loadgen/sink.ts';
import { selfSigned } from '../self-signed.ts';
import { greeted, onTheWire } from '../system/client.ts';
import type { Client } from '../system/client.ts';
import { freePort } from '../system/process.ts';
import { configText, newDirectory, Program, startRunning } from './program.ts';

const engine = fileURLToPath(new URL('./engine-program.ts', import.meta.url));

/** What a test has to do with. */
export interface Served {
  readonly program: Program;
  readonly port: number;
  readonly secondPort: number;
  /** Paths of the files. */
  readonly certificate: string;
  readonly key: string;
}

export class TlsHouse {
  sink = new Sink({ keepBodies: true });
  #clients: Client[] = [];
  #program: Program | null = null;

  /** Starts Sluice; its certificate names mx.example.test. */
  async serve(more: Readonly<Record<string, unknown>> = {}): Promise<Served> {
    const files = newFiles();
    const { program } = await startRunning(
      await this.sink.listen(),
      settingsOf(files, await ports(), more),
      files,
    );
    this.#program = program;
    const [port, secondPort] = portsOf(program);
    return { ...files, program, port: port!, secondPort: secondPort! };
  }

  /** The same without a primary, obeying the words of engine-program. */
  async serveThreads(more: Readonly<Record<string, unknown>> = {}): Promise<Served> {
    const files = newFiles();
    const [port, secondPort] = await ports();
    const file = join(files.directory, 'sluice.toml');
    const settings = settingsOf(files, [port!, secondPort!], more);
    writeFileSync(file, configText(port!, await this.sink.listen(), settings));
    const program = new Program([file], { program: engine, directory: files.directory });
    this.#program = program;
    return { ...files, program, port: port!, secondPort: secondPort! };
  }

  /** A client that has said EHLO in plaintext. */
  async arrived(port: number, from: string): Promise<Client> {
    const { client, offers } = await greeted(port, from);
    this.#clients.push(client);
    expect(offers).toContain('STARTTLS');
    return client;
  }

  /** A client inside TLS that has greeted again. */
  async inside(
    port: number,
    from: string,
    options: ConnectionOptions = {},
  ): Promise<{ client: Client; secure: TLSSocket }> {
    const client = await this.arrived(port, from);
    const secure = await client.startTls(options);
    const again = await client.expect('EHLO inside.example.org', 250);
    expect(again.lines.join()).not.toContain('STARTTLS');
    return { client, secure };
  }

  /** The names that many new clients are shown: enough of them to meet every shard. */
  async namesShown(port: number): Promise<ReadonlySet<unknown>> {
    const names = new Set<unknown>();
    for (let at = 1; at <= 16; at += 1) {
      const { client, secure } = await this.inside(port, `127.6.0.${at}`);
      names.add(nameOf(secure));
      client.close();
    }
    return names;
  }

  /** Ends everything. */
  async close(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.close();
    const program = this.#program;
    this.#program = null;
    await program?.dispose();
    await this.sink.close();
    this.sink = new Sink({ keepBodies: true });
    if (program === null) return;
    expect(program.said + program.lines.join('\n'), 'no key is shown').not.toContain('PRIVATE');
    expect(program.said, 'no shard failed').not.toMatch(/ShardBug|shard \d+ failed/);
  }
}

/** Sends one message and QUIT. */
export async function deliver(client: Client, content: string): Promise<void> {
  await client.expect('MAIL FROM:<a@example.org>', 250);
  await client.expect('RCPT TO:<b@example.com>', 250);
  await client.expect('DATA', 354);
  client.send(onTheWire(content));
  expect((await client.reply())?.code).toBe(250);
  await client.expect('QUIT', 221);
}

/** Whom the certificate of the other side names. */
export const nameOf = (secure: TLSSocket): unknown => secure.getPeerCertificate().subject.CN;

/** Writes another certificate into the files. */
export function rewrite({ certificate, key }: Pick<Served, 'certificate' | 'key'>, host: string): void {
  const pair = selfSigned(host);
  writeFileSync(certificate, pair.certificate);
  writeFileSync(key, pair.key);
}

function newFiles(): { directory: string; certificate: string; key: string } {
  const directory = newDirectory();
  const files = { directory, certificate: join(directory, 'mx.crt'), key: join(directory, 'mx.key') };
  rewrite(files, 'mx.example.test');
  return files;
}

async function ports(): Promise<readonly number[]> {
  return [await freePort(), await freePort()];
}

/** Where it says that it listens. */
function portsOf(program: Program): readonly number[] {
  return [...(/listening on .*/.exec(program.said)?.[0] ?? '').matchAll(/127\.0\.0\.1:(\d+)/g)].map(
    ([, port]) => Number(port),
  );
}

function settingsOf(
  { certificate, key }: Pick<Served, 'certificate' | 'key'>,
  listening: readonly number[],
  more: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const listener = listening.map((port) => ({ address: `127.0.0.1:${port}`, tls: { certificate, key } }));
  return { screen: { greet_wait: '0s' }, ...more, listener };
}
