/**
 * sim-transport — the memory transport, and which of its wires have just moved
 *
 * A world of ten thousand idle clients must not look at each of them in each tick. The transport moves only
 * wires that were touched; this one remembers them, so that whoever plays the far ends asks those and no others.
 */
import { slotOf } from '../../src/base/handle.ts';
import type { Handle } from '../../src/base/handle.ts';
import { MemoryTransport } from '../../src/transport/memory-transport.ts';
import type { PeerHandle } from '../../src/transport/memory-transport.ts';

export class SimTransport extends MemoryTransport {
  /** The wires that the last advance looked at; some of them may have stayed as they were. */
  moved: PeerHandle[] = [];
  #next: PeerHandle[] = [];

  /** Whether a stream of the engine's side needs nobody any more to come to its end. */
  isGoing(handle: Handle): boolean {
    const wire = this.wires[slotOf(handle)];
    return wire === undefined || wire.aborted || wire.wasReset || this.peerClosed(wire);
  }

  /** From now on input arrives whole. */
  calm(): void {
    (this.limits as { splitBytes: number }).splitBytes = Number.MAX_SAFE_INTEGER;
  }

  override advance(tick: number): void {
    this.moved = this.#next;
    this.#next = [];
    super.advance(tick);
  }

  protected override touch(wire: PeerHandle): void {
    if (!wire.moving) this.#next.push(wire);
    super.touch(wire);
  }
}
