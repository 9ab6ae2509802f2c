/**
 * register — what became of everybody who came to a simulated town, one row each
 *
 * Columns of numbers by the client's serial number, 30 bytes a client. What the session log says of it and what the
 * client itself heard stand side by side; figures adds them up.
 */

export class Register {
  readonly clients: number;
  /** The bot's number in its cast. */
  readonly kinds: Uint8Array;
  /** 1 for one whose address had delivered mail before it came. */
  readonly known: Uint8Array;
  /** Milliseconds from the connection to the end of the session, -1 for one that never had a session. */
  readonly leftMs: Int32Array;
  /** Milliseconds that Sluice made it wait (delay_ms of the log). */
  readonly delayMs: Int32Array;
  /** Bytes written to it. */
  readonly bytesOut: Uint32Array;
  /** Messages that were accepted for it. */
  readonly messages: Uint32Array;
  /** Milliseconds from the start of connecting to the first 250 to a message, -1 for none. */
  readonly deliverMs: Int32Array;
  /** Sessions that were given the label of a family, by label. */
  readonly families = new Map<string, number>();
  /** Most sessions that were open at once. */
  openMax = 0;
  /** Sessions that were open on average while clients came. */
  openMean = 0;

  constructor(clients: number) {
    this.clients = clients;
    this.kinds = new Uint8Array(clients);
    this.known = new Uint8Array(clients);
    this.leftMs = new Int32Array(clients).fill(-1);
    this.delayMs = new Int32Array(clients);
    this.bytesOut = new Uint32Array(clients);
    this.messages = new Uint32Array(clients);
    this.deliverMs = new Int32Array(clients).fill(-1);
  }
}
