/**
 * stream-widths — how far ahead of its reader the peer of each stream may be, in one node transport
 *
 * A wide stream is read up to `inputBytesMax`, and its kernel does as it is used to. A narrow one is read up to
 * `narrowBytesMax`, and the kernel is asked to hold little for its socket (socket-options). One read takes all that the
 * kernel holds; so the peer of a narrow stream is ahead by twice that at most, and by the bytes that it has given to its own
 * kernel, which are no affair of ours.
 *
 * Cost: a byte a slot, and one look at it a read.
 */
import type { SocketOptions } from './socket-options.ts';
import { descriptorOf } from './stream-socket.ts';
import type { StreamSocket } from './stream-socket.ts';

export class StreamWidths {
  private readonly wideBytesMax: number;
  private readonly narrowBytesMax: number;
  private readonly options: SocketOptions;
  private readonly narrow: Uint8Array;

  constructor(capacity: number, inputBytesMax: number, narrowBytesMax: number, options: SocketOptions) {
    this.wideBytesMax = inputBytesMax;
    this.narrowBytesMax = Math.min(narrowBytesMax, inputBytesMax);
    this.options = options;
    this.narrow = new Uint8Array(capacity);
  }

  /** Bytes of a stream that may wait before it is not read any more. */
  inputBytesMaxOf(slot: number): number {
    return this.narrow[slot] === 1 ? this.narrowBytesMax : this.wideBytesMax;
  }

  /** A new stream has the slot. */
  forget(slot: number): void {
    this.narrow[slot] = 0;
  }

  /** Makes a stream narrow or wide; it is asked of the kernel once, not each time. */
  put(slot: number, socket: StreamSocket, isNarrow: boolean): void {
    if ((this.narrow[slot] === 1) === isNarrow) return;
    this.narrow[slot] = isNarrow ? 1 : 0;
    const fd = this.options.available ? descriptorOf(socket) : -1;
    if (fd < 0) return;
    if (isNarrow) this.options.narrow(fd);
    else this.options.widen(fd);
  }
}
