/**
 * dns-road — the way to a name server, with delays and holes by zone
 *
 * Passes each question on and each answer back, later or never, as the rule of its zone says: what a slow list and a
 * dead one look like from far away. The server behind it is real.
 */
import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { decode } from 'dns-packet';

export interface RoadRule {
  /** Answers come so much later. */
  readonly delayMs?: number;
  /** Questions are lost. */
  readonly drops?: true;
}

export class DnsRoad {
  port = 0;
  /** Rules by zone; any other zone's questions pass at once. They can be changed at any time. */
  readonly rules = new Map<string, RoadRule>();
  readonly #front = createSocket('udp4');
  readonly #back = createSocket('udp4');
  readonly #asked = new Map<
    number,
    { readonly from: RemoteInfo; readonly id: number; readonly delayMs: number }
  >();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #server: number;
  #nextId = 0;

  private constructor(server: number) {
    this.#server = server;
    this.#front.on('message', (bytes, from) => this.#forth(bytes, from));
    this.#back.on('message', (bytes) => this.#answer(bytes));
  }

  /** Opens a road to the server on a port of loopback, from `port` or any free one. */
  static async open(
    server: number,
    rules: Readonly<Record<string, RoadRule>> = {},
    port = 0,
  ): Promise<DnsRoad> {
    const road = new DnsRoad(server);
    for (const [zone, rule] of Object.entries(rules)) road.rules.set(zone, rule);
    await Promise.all([bound(road.#front, port), bound(road.#back, 0)]);
    road.port = road.#front.address().port;
    return road;
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#front.close();
    this.#back.close();
  }

  #forth(bytes: Buffer, from: RemoteInfo): void {
    const name = decode(bytes).questions?.[0]?.name.toLowerCase() ?? '';
    const rule = [...this.rules].find(([zone]) => name.endsWith(`.${zone}`))?.[1];
    if (rule?.drops === true) return;
    this.#nextId = (this.#nextId + 1) % 65_536;
    this.#asked.set(this.#nextId, { from, id: bytes.readUInt16BE(0), delayMs: rule?.delayMs ?? 0 });
    const question = Buffer.from(bytes);
    question.writeUInt16BE(this.#nextId, 0);
    this.#back.send(question, this.#server, '127.0.0.1');
  }

  #answer(bytes: Buffer): void {
    const asked = this.#asked.get(bytes.readUInt16BE(0));
    if (asked === undefined) return;
    this.#asked.delete(bytes.readUInt16BE(0));
    const answer = Buffer.from(bytes);
    answer.writeUInt16BE(asked.id, 0);
    const send = (): void => this.#front.send(answer, asked.from.port, asked.from.address);
    if (asked.delayMs === 0) return send();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      send();
    }, asked.delayMs);
    this.#timers.add(timer);
    return undefined;
  }
}

function bound(socket: Socket, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, '127.0.0.1', resolve);
  });
}
