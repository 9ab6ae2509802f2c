/**
 * arrive — a new stream gets its row; behind a proxy, its client gets its name
 *
 * On most listeners the other end of the stream is the client, which is admitted at once. A listener with
 * `proxy_protocol = "required"` is for proxies: nothing is said, looked up, counted or learnt before one that is trusted has
 * sent a whole PROXY header (transport/proxy-header), for which it has `HEADER_MS`. From then on the session is the client's
 * whom the header names, and begins then; lists, limits, reputation, the backend and the log know nothing of the proxy.
 * Who comes to such a listener from elsewhere is cut off without a word, whatever it sends.
 *
 * A header that says LOCAL or UNKNOWN names nobody: the proxy looks whether we are alive. It is greeted at once, and neither
 * limited nor remembered (admit).
 *
 * In: a stream that was opened.   Out: what admit makes of it, phase Announcing in between, or cut.
 * Not taken: a header where there is one and none where there is none. Whoever reaches such a port would be whoever he likes.
 */
import { parseAddress } from '../base/address.ts';
import type { Handle } from '../base/handle.ts';
import { slotOf } from '../base/handle.ts';
import { Count } from '../session/counters.ts';
import { Via } from '../session/ends.ts';
import { Phase } from '../session/phase.ts';
import { Flag } from '../session/sessions.ts';
import { HeaderFound, ProxyHeaderReader } from '../transport/proxy-header.ts';
import { admit } from './admit.ts';
import { cut } from './end.ts';
import { isObserving } from './observe.ts';
import type { Works } from './works.ts';

/** What a proxy has for its header. The document asks for three seconds at least, so that one lost segment does no harm. */
const HEADER_MS = 5_000;

const reader = new ProxyHeaderReader();

/** Gives a new stream its row. */
export function arrive(works: Works, handle: Handle): void {
  const { sessions, front, counters } = works;
  const slot = slotOf(handle);
  works.serial += 1;
  sessions.begin(slot, handle, works.serial, works.nowMs);
  if (isObserving(works)) works.would.begin(slot);
  counters.add(Count.sessionsOpened);
  // As long as the backend was never heard, clients are offered less than they could have.
  works.lanes.warmUp(works.nowMs);
  nameClient(works, slot, front.remoteAddress(handle));
  works.ends.put(
    slot,
    front.remotePort(handle),
    front.localAddress(handle),
    front.localPort(handle),
    Via.Nobody,
  );
  const proxies = works.proxies[front.listenerOf(handle)] ?? null;
  if (proxies === null) return admit(works, slot);
  sessions.enter(slot, Phase.Announcing);
  if (!proxies.has(sessions.addresses, slot * 4)) return cut(works, slot, 'noProxy');
  return works.wheel.arm(slot, works.nowMs + HEADER_MS);
}

/** Looks whether the header is whole; true when the session has gone on. */
export function hearHeader(works: Works, slot: number): boolean {
  const { sessions, front } = works;
  const handle = sessions.handleOf(slot);
  switch (reader.find(front.peek(handle))) {
    case HeaderFound.Garbage:
      cut(works, slot, 'badHeader');
      return false;
    case HeaderFound.Nothing:
      if (sessions.has(slot, Flag.PeerEnded)) cut(works, slot, 'leftUnannounced');
      return false;
    case HeaderFound.Client:
      nameClient(works, slot, reader.address);
      works.ends.put(slot, reader.port, reader.destinationAddress, reader.destinationPort, Via.Proxy);
      break;
    default:
      works.ends.put(
        slot,
        works.ends.ports[slot]!,
        works.ends.localAddresses[slot]!,
        works.ends.localPorts[slot]!,
        Via.ProxyItself,
      );
  }
  works.counters.add(Count.announced);
  front.consume(handle, reader.used);
  works.wheel.cancel(slot);
  // Its patience, and that of its client, begins now.
  sessions.openedMs[slot] = works.nowMs;
  sessions.enter(slot, Phase.Greeting);
  admit(works, slot);
  return true;
}

function nameClient({ sessions }: Works, slot: number, address: string): void {
  sessions.clients[slot] = address;
  if (!parseAddress(address, sessions.addresses, slot * 4))
    sessions.addresses.fill(0, slot * 4, slot * 4 + 4);
}
