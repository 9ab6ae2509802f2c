/**
 * floor — `npm run bench`: what a zombie dialogue costs in Sluice, beside the least it can cost
 *
 * Three servers say the same bytes in the same writes, the two-part greeting and its wait included: a bare C/epoll
 * responder (the floor), plain node:net (the runtime's share) and Sluice as shipped. The bytes are captured from the
 * running Sluice, after its recipient cache has learnt that the recipient is unknown; the driver compares each
 * byte of each dialogue with them. All servers get a warm-up, then alternating rounds in changing order, then a crowd
 * that is held after EHLO for the memory figure. Not measured here: mail that is delivered, slow clients, TLS.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { Sink } from '../loadgen/sink.ts';
import { build, type Programs } from './build.ts';
import { Crowd, type Hold, type Round } from './crowd.ts';
import { readOptions, type Options, type PeerName } from './options.ts';
import { captureReplies, sampleReplies, splitReplies, zombieWords } from './replies.ts';
import { describeMachine, summarize, toMarkdown, writeResults, type Results } from './report.ts';
import { freePort, startServer, type Server, type ServerPlan } from './server.ts';
import { planSluice } from './sluice.ts';

const nodeResponder = fileURLToPath(new URL('node-responder.ts', import.meta.url));
const resultsFolder = fileURLToPath(new URL('../results', import.meta.url));
const captureMsMax = 10_000;
/** Clients of the two captures; the driver's sources begin at 127.1.0.0. */
const captureSources = ['127.0.0.2', '127.0.0.3'] as const;

function note(words: string): void {
  process.stderr.write(`${words}\n`);
}

class FloorRun {
  readonly #options: Options;
  readonly #programs: Programs;
  readonly #folder = mkdtempSync(`${tmpdir()}/floor-`);
  readonly #repliesFile = `${this.#folder}/replies`;
  readonly #sink = new Sink();
  readonly #servers = new Map<PeerName, Server>();
  readonly #crowd: Crowd;

  constructor(options: Options, programs: Programs) {
    this.#options = options;
    this.#programs = programs;
    this.#crowd = new Crowd({
      driver: programs.driver,
      repliesFile: this.#repliesFile,
      words: zombieWords,
      concurrency: options.concurrency,
      rampMs: options.greetWaitMs,
      firstSource: options.firstSource,
      settleMs: options.settleMs,
    });
    process.on('exit', () => rmSync(this.#folder, { recursive: true, force: true }));
  }

  /** Everything from start to results; leaves no process, port or file behind, however it ends. */
  async run(): Promise<Results> {
    const startedAt = new Date().toISOString();
    const loadBefore = loadavg()[0]!.toFixed(2);
    try {
      await this.#sink.listen();
      await this.#prepareReplies();
      for (const peer of this.#options.peers) {
        if (!this.#servers.has(peer)) this.#servers.set(peer, await startServer(await this.#plan(peer)));
      }
      const rounds = await this.#runRounds();
      const holds = this.#options.hold > 0 ? await this.#runHolds() : [];
      const servers = [...this.#servers.values()].map(({ name, command, outputFile }) => ({
        name,
        command: command.join(' ').replaceAll(this.#folder, '…').replaceAll(process.cwd(), '.'),
        logLines: readFileSync(outputFile, 'latin1').split('\n').length - 1,
      }));
      const { peers: _, sluiceCommand: _command, out: _out, ...settings } = this.#options;
      return {
        what: 'Floor: one zombie dialogue, one held session',
        startedAt,
        command: `npm run bench -- ${process.argv.slice(2).join(' ')}`.replace(/ -- $/, ''),
        machine: { ...describeMachine(), 'load before': loadBefore },
        settings,
        dialogue: readFileSync(this.#repliesFile, 'latin1').trimEnd().split('\r\n'),
        servers,
        summaries: summarize(this.#options.peers, rounds),
        holds,
        rounds,
      };
    } finally {
      await Promise.all([...this.#servers.values()].map((server) => server.stop()));
      await this.#sink.close();
    }
  }

  async #plan(peer: PeerName): Promise<ServerPlan> {
    const port = await freePort();
    const folder = this.#folder;
    const { greetWaitMs } = this.#options;
    if (peer === 'sluice') {
      const sessionsMax = Math.max(this.#options.hold, this.#options.concurrency) + 1_000;
      const command = this.#options.sluiceCommand;
      return planSluice({ command, port, backendPort: this.#sink.port, greetWaitMs, sessionsMax, folder });
    }
    const program = peer === 'node' ? [process.execPath, nodeResponder] : [this.#programs.responder];
    return {
      name: peer,
      command: [...program, String(port), String(greetWaitMs), this.#repliesFile],
      readyWord: 'ready',
      port,
      outputFile: `${folder}/${peer}-${port}.log`,
    };
  }

  /** The bytes that all servers shall say: Sluice's own when it takes part. */
  async #prepareReplies(): Promise<void> {
    let replies = sampleReplies;
    if (this.#options.peers.includes('sluice')) {
      const server = await startServer(await this.#plan('sluice'));
      this.#servers.set('sluice', server);
      // The first dialogue teaches the recipient cache; the second is heard by a stranger and must be the same.
      const [first, second] = captureSources;
      await captureReplies(server.port, first, zombieWords, captureMsMax);
      replies = await captureReplies(server.port, second, zombieWords, captureMsMax);
    }
    if (splitReplies(replies)[1].length === 0)
      throw new Error('the greeting has one part: this client was not screened');
    writeFileSync(this.#repliesFile, replies);
  }

  async #runRounds(): Promise<Round[][]> {
    const servers = [...this.#servers.values()];
    for (const server of servers) {
      if (this.#options.warmup > 0) await this.#round(server, this.#options.warmup, 'warm-up');
    }
    const rounds: Round[][] = [];
    for (let at = 0; at < this.#options.rounds; at++) {
      const round: Round[] = [];
      for (let turn = 0; turn < servers.length; turn++) {
        const server = servers[(at + turn) % servers.length]!;
        round.push(
          await this.#round(server, this.#options.dialogues, `round ${at + 1} of ${this.#options.rounds}`),
        );
      }
      rounds.push(round);
    }
    return rounds;
  }

  async #round(server: Server, dialogues: number, title: string): Promise<Round> {
    const round = await this.#crowd.round(server, dialogues);
    const failed = round.failed === 0 ? '' : `, ${round.failed} FAILED`;
    note(`${title}: ${server.name} ${round.cpuUsPerDialogue.toFixed(1)} µs a dialogue${failed}`);
    return round;
  }

  async #runHolds(): Promise<Hold[]> {
    const { hold: sessions, peers } = this.#options;
    const holds: Hold[] = [];
    for (const peer of peers) {
      holds.push(await this.#crowd.hold(this.#servers.get(peer)!, sessions, 'warm'));
      const fresh = await startServer(await this.#plan(peer));
      try {
        await this.#crowd.round(fresh, 100);
        holds.push(await this.#crowd.hold(fresh, sessions, 'fresh'));
      } finally {
        await fresh.stop();
      }
      for (const one of holds.slice(-2)) {
        note(`held: ${peer} (${one.process}) ${one.rssBytesPerSession.toFixed(0)} bytes a session`);
      }
    }
    return holds;
  }
}

/** The exit code: 0 when every dialogue was good, 1 when one failed or the run could not be made. */
async function main(words: readonly string[]): Promise<number> {
  const options = readOptions(words, resultsFolder);
  try {
    const results = await new FloorRun(options, build()).run();
    process.stdout.write(toMarkdown(results));
    if (options.out !== '') for (const file of writeResults(options.out, results)) note(`written: ${file}`);
    const bad =
      results.rounds.flat().some((round) => round.failed > 0) ||
      results.holds.some((hold) => hold.failed > 0);
    return bad ? 1 : 0;
  } catch (error) {
    note(`floor: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
