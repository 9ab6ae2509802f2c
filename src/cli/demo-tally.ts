/**
 * demo-tally — what the engine's session log of a demo adds up to
 *
 * Reads the JSON lines as any log reader would and sums them for zombies (127.64.0.0/10) and for everybody else.
 */

interface Line {
  readonly client: string;
  readonly ending: string;
  readonly messages: number;
  readonly delay_ms: number;
  readonly duration_ms: number;
  readonly reasons: readonly string[];
}

interface Side {
  sessions: number;
  /** Sessions that delivered at least one message. */
  delivering: number;
  messages: number;
  delayMs: number;
  durationMs: number;
  readonly endings: Map<string, number>;
}

const newSide = (): Side => ({
  sessions: 0,
  delivering: 0,
  messages: 0,
  delayMs: 0,
  durationMs: 0,
  endings: new Map(),
});

export class DemoTally {
  readonly #zombies = newSide();
  readonly #honest = newSide();

  /** Takes one line of the session log. */
  add(line: string): void {
    const session = JSON.parse(line) as Line;
    const second = Number(session.client.split('.')[1]);
    const side = second >= 64 && second < 128 ? this.#zombies : this.#honest;
    side.sessions += 1;
    side.delivering += session.messages > 0 ? 1 : 0;
    side.messages += session.messages;
    side.delayMs += session.delay_ms;
    side.durationMs += session.duration_ms;
    side.endings.set(session.ending, (side.endings.get(session.ending) ?? 0) + 1);
  }

  /** The sums as text; `stored` is what the mail server has. */
  text(stored: number): string {
    const zombies = this.#zombies;
    const share =
      zombies.sessions === 0 ? 0 : (100 * (zombies.sessions - zombies.delivering)) / zombies.sessions;
    const lines = [
      `zombie sessions ended   ${zombies.sessions}, of which ${zombies.delivering} delivered a message: ${share.toFixed(2)} % got nothing through`,
      `time spent on Sluice    ${hours(zombies.durationMs)} by zombies, ${hours(this.#honest.durationMs)} by honest senders`,
      `mail server behind it   stored ${stored} messages, ${this.#honest.messages} from honest senders`,
      `how zombies ended       ${listOf(zombies.endings)}`,
      `how honest ones ended   ${listOf(this.#honest.endings)}`,
    ];
    return `${lines.join('\n')}\n`;
  }
}

function listOf(endings: ReadonlyMap<string, number>): string {
  return [...endings]
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}

const hours = (ms: number): string =>
  ms < 3_600_000 ? `${(ms / 60_000).toFixed(1)} minutes` : `${(ms / 3_600_000).toFixed(1)} hours`;
