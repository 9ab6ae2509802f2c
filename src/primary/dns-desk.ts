/**
 * dns-desk — the one place of a Sluice that asks DNS lists, for all shards of all processes
 *
 * It lives on the primary's own thread, which has little else to do: sessions never share a thread with a look-up,
 * and a client that comes to several shards at once is asked about once. Shards send what they want to know in
 * one message a turn and get what was found in one message a turn (worker/dns-port); what to ask and what to
 * believe is decided in reputation/dns-inquiries, which this drives with a clock and a socket.
 *
 * A shard that was started again must not hear answers meant for its forerunner, whose handles it gives out anew: it
 * says with each message which start of it is speaking, and is told so with each answer.
 */
import type { Config } from '../config/config.ts';
import { DnsClient, nameServers } from '../io/dns-client.ts';
import { SystemClock } from '../io/system-clock.ts';
import type { Asker } from '../reputation/dns-inquiry.ts';
import type { DnsAnswer } from '../reputation/dns-lists.ts';
import { DnsInquiries } from '../reputation/dns-inquiries.ts';
import { Counters } from '../session/counters.ts';
import type { DnsAsks, DnsFound, ToShard } from '../worker/messages.ts';
import { zoneLine } from './dns-zone-line.ts';

const SLEEP_MS_MAX = 60_000;
/** In place of a seat: an operator asks. */
const CURIOUS = -1;
/** Operators that are answered at once. */
const CURIOUS_MAX = 100;

/** One start of one shard. */
interface Seat {
  readonly shard: number;
  readonly start: string;
}

export interface DnsDeskPorts {
  /** Tells a shard, by its number among all shards. */
  tell(shard: number, message: ToShard): void;
  /** Takes a sentence for the operator. */
  notice(text: string): void;
}

export class DnsDesk {
  readonly #clock = new SystemClock();
  readonly #counters = new Counters(new SharedArrayBuffer(Counters.bytesFor(1)), 0);
  readonly #client: DnsClient;
  readonly #inquiries: DnsInquiries;
  readonly #ports: DnsDeskPorts;
  /** Grows by one with each start of a shard. */
  readonly #seats: Seat[] = [];
  readonly #seatOf = new Map<number, number>();
  readonly #curious = new Map<number, (answer: DnsAnswer) => void>();
  #explained = 0;
  #timer: NodeJS.Timeout | null = null;
  #isScheduled = false;
  #isStopped = false;
  readonly #turn = (): void => this.turn();
  /** Behind a stall answers lie in the sockets: they are read before anything is called late. */
  readonly #timeUp = (): void => this.#wake();

  constructor(config: Config, ports: DnsDeskPorts) {
    this.#client = new DnsClient(nameServers(config), config.dnsxlPolicy.deadlineMs);
    this.#inquiries = new DnsInquiries(config, this.#client, this.#counters);
    this.#ports = ports;
    this.#client.onReply = (id, reply) => {
      this.#inquiries.answered(id, reply, this.#clock.nowMs());
      this.#wake();
    };
  }

  /** Opens the ports and begins to test the zones. */
  async start(): Promise<void> {
    await this.#client.open();
    this.turn();
  }

  /** A shard asks about clients. */
  asked(shard: number, asks: DnsAsks): void {
    const seat = this.#sit(shard, asks.start);
    const nowMs = this.#clock.nowMs();
    for (const [place, handle] of asks.handles.entries()) {
      const asker = { handle, serial: asks.serials[place]!, seat } as Asker;
      // Who is of good standing may be waited for with a large message (stages/stream): its shard hears the end as well.
      const isGood = asks.good[place] === 1;
      this.#inquiries.ask(asker, asks.words, place * 4, isGood, nowMs, isGood);
    }
    this.#wake();
  }

  /** What the lists say of an address now, for an operator who asks. Answers when the last of them has. */
  explain(words: Uint32Array): Promise<DnsAnswer> {
    return new Promise((resolve) => {
      this.#explained += 1;
      this.#curious.set(this.#explained, resolve);
      // Whoever asked and has given up is not waited for for ever.
      const oldest = this.#explained - CURIOUS_MAX;
      this.#curious.delete(oldest);
      const asker = { handle: 0, serial: this.#explained, seat: CURIOUS } as Asker;
      this.#inquiries.ask(asker, words, 0, false, this.#clock.nowMs(), true);
      this.#wake();
    });
  }

  /** What was counted, by name. */
  counts(): Record<string, number> {
    return this.#counters.snapshot();
  }

  /** One line for each zone: its state and how it does. */
  zoneLines(): readonly string[] {
    return this.#inquiries.desks.map((desk) => zoneLine(desk, this.#clock.nowMs()));
  }

  /** Does what is due, and tells what was found. */
  turn(): void {
    this.#isScheduled = false;
    if (this.#isStopped) return;
    this.#inquiries.step(this.#clock.nowMs());
    this.#tell();
    for (let text = this.#inquiries.takeNotice(); text !== undefined; text = this.#inquiries.takeNotice())
      this.#ports.notice(text);
    if (this.#timer !== null) clearTimeout(this.#timer);
    const waitMs = Math.ceil(this.#inquiries.nextDueMs() - this.#clock.nowMs());
    this.#timer = setTimeout(this.#timeUp, Math.min(SLEEP_MS_MAX, Math.max(1, waitMs)));
  }

  /** No further questions and answers. */
  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#client.close();
  }

  #wake(): void {
    if (this.#isScheduled || this.#isStopped) return;
    this.#isScheduled = true;
    setImmediate(this.#turn);
  }

  #sit(shard: number, start: string): number {
    const seat = this.#seatOf.get(shard);
    if (seat !== undefined && this.#seats[seat]!.start === start) return seat;
    this.#seatOf.set(shard, this.#seats.length);
    return this.#seats.push({ shard, start }) - 1;
  }

  /** Tells an operator who asked, when there is nothing more to come. */
  #satisfy(serial: number, answer: DnsAnswer): void {
    if (!answer.isLast) return;
    this.#curious.get(serial)?.(answer);
    this.#curious.delete(serial);
  }

  #tell(): void {
    const findings = this.#inquiries.takeAll();
    if (findings.length === 0) return;
    const bySeat = new Map<number, DnsFound[]>();
    for (const { askers, answer } of findings) {
      for (const { handle, serial, seat } of askers) {
        if (seat === CURIOUS) {
          this.#satisfy(serial, answer);
          continue;
        }
        const found = bySeat.get(seat);
        if (found === undefined) bySeat.set(seat, [{ handle, serial, answer }]);
        else found.push({ handle, serial, answer });
      }
    }
    for (const [seat, found] of bySeat) {
      const { shard, start } = this.#seats[seat]!;
      // Whoever sits there no longer is not there to hear it.
      if (this.#seatOf.get(shard) === seat) this.#ports.tell(shard, { kind: 'dnsFound', start, found });
    }
  }
}
