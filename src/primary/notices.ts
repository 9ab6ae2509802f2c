/**
 * notices — what the shards want an operator to read, without repeating themselves
 *
 * Ten shards that find the backend gone say so ten times a second. The same sentence is printed once in ten
 * seconds; what was left out is counted in the next line. At most `SENTENCES_MAX` different ones are kept.
 */
const QUIET_MS = 10_000;
const SENTENCES_MAX = 1_000;

interface Sentence {
  printedAtMs: number;
  leftOut: number;
}

export class Notices {
  readonly #say: (line: string) => void;
  readonly #nowMs: () => number;
  readonly #sentences = new Map<string, Sentence>();

  /** Prints by `say`; `nowMs` is a monotonic clock. */
  constructor(say: (line: string) => void, nowMs: () => number = () => performance.now()) {
    this.#say = say;
    this.#nowMs = nowMs;
  }

  /** Prints a notice, unless the same one was printed a moment ago. */
  add(text: string): void {
    const nowMs = this.#nowMs();
    const sentence = this.#sentences.get(text);
    if (sentence !== undefined && nowMs - sentence.printedAtMs < QUIET_MS) {
      sentence.leftOut += 1;
      return;
    }
    const again =
      sentence === undefined || sentence.leftOut === 0 ? '' : ` (${sentence.leftOut} times more in between)`;
    if (sentence === undefined && this.#sentences.size >= SENTENCES_MAX) this.#sentences.clear();
    this.#sentences.set(text, { printedAtMs: nowMs, leftOut: 0 });
    this.#say(`${text}${again}`);
  }
}
