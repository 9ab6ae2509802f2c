/**
 * stream-tls — what one node transport knows of TLS on its streams: agreed, failed, or still to begin
 *
 * The text of the cipher is a column, since it is asked for at the end of every session; what failed and what waits
 * is rare, and stands in maps that are empty most of the time.
 */
import type { TlsFault } from '../transport/tls-fault.ts';
import type { TlsSide } from './tls-contexts.ts';

export class StreamTls {
  private readonly texts: string[];
  private readonly faults = new Map<number, TlsFault>();
  /** Streams whose last words in plaintext are not out yet, with our part in the handshake to come. */
  private readonly waiting = new Map<number, TlsSide>();

  constructor(capacity: number) {
    this.texts = Array.from({ length: capacity }, () => '');
  }

  /** The handshake is done. */
  agreed(slot: number, text: string): void {
    this.texts[slot] = text;
  }

  textOf(slot: number): string {
    return this.texts[slot]!;
  }

  /** The handshake has failed. */
  failed(slot: number, fault: TlsFault): void {
    this.faults.set(slot, fault);
  }

  faultOf(slot: number): TlsFault | null {
    return this.faults.get(slot) ?? null;
  }

  /** The handshake begins when the words before it are out. */
  wait(slot: number, side: TlsSide): void {
    this.waiting.set(slot, side);
  }

  /** What waited, and does no more. */
  takeWaiting(slot: number): TlsSide | undefined {
    const side = this.waiting.get(slot);
    this.waiting.delete(slot);
    return side;
  }

  forget(slot: number): void {
    this.texts[slot] = '';
    this.faults.delete(slot);
  }
}
