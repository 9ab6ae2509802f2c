/**
 * socket-options — how much the kernel takes in for one socket, which node has no word for
 *
 * A peer may be ahead of its reader by what the kernel holds for the socket: 125 kB on Linux as it comes. `narrow` makes that
 * small: SO_RCVBUF bounds what lies unread, TCP_WINDOW_CLAMP bounds each step by which the window opens again. `widen`
 * gives both back to the kernel (SO_BUF_LOCK lets it adapt the buffer again, from Linux 5.14 on). They are called on a slow
 * body alone: two and three system calls, half a microsecond each and as much for the way there.
 *
 * The way to setsockopt is the library koffi, an optional dependency. Where it cannot be loaded, `why` says so and the others
 * do nothing: shaping is a request, and everything else works without. Nothing here throws.
 *
 * The sizes were measured (results/body.md). A buffer of half the size holds a quarter less than half of it, and makes a
 * sender whose segments are larger than the window (loopback: 65,483 bytes) wait for its probes, which it sends ever
 * more seldom: up to 22 s of silence at 1 kB/s. The clamp alone bounds nothing that lies unread. What was promised
 * before cannot be taken back: a client that had a window of 64 kB may send all of it, and again what finds no room.
 * Not taken: a small window from the listener on, since what a connection can ever grow to is settled in its first packet.
 */
import { createRequire } from 'node:module';

// As Linux numbers them, on all platforms for which there is a koffi.
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_BUF_LOCK = 72;
const IPPROTO_TCP = 6;
const TCP_WINDOW_CLAMP = 10;
const EBADF = 9;

/** The kernel doubles it, for what it keeps beside the bytes. */
const NARROW_BUFFER_BYTES = 16_384;
/** More than a segment of Ethernet, so that each step carries a whole one. */
const NARROW_STEP_BYTES = 4_096;
/** What a connection begins with, before the kernel adapts it. */
const WIDE_BUFFER_BYTES = 65_536;
const WIDE_STEP_BYTES = 0x3fff_ffff;

type SetSockOpt = (fd: number, level: number, name: number, value: Int32Array, bytes: number) => number;

/** What is used of koffi. */
interface Koffi {
  load(path: null): { func(prototype: string): SetSockOpt };
  errno(): number;
}

export interface SocketOptions {
  /** Whether sockets can be narrowed here. */
  readonly available: boolean;
  /** Why not; '' when they can. */
  readonly why: string;
  /** Lets the peer of a TCP socket be only a little ahead; false when the kernel did not do it. */
  narrow(fd: number): boolean;
  /** Takes that back. */
  widen(fd: number): boolean;
}

let found: SocketOptions | null = null;

/** The socket options of this thread; looked for once. */
export function socketOptions(): SocketOptions {
  found ??= open();
  return found;
}

/** None, for the reason given. */
export function noSocketOptions(why: string): SocketOptions {
  return { available: false, why, narrow: () => false, widen: () => false };
}

/** What an operator is told of it. */
export function shapingText(options: SocketOptions): string {
  return options.available
    ? 'slow bodies are read at their pace, behind a small receive window'
    : `slow bodies are read at their pace, and the receive window is the usual one: ${options.why}`;
}

function open(): SocketOptions {
  if (process.platform !== 'linux') return noSocketOptions('it can be made small on Linux alone');
  try {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    const set = koffi
      .load(null)
      .func('int setsockopt(int fd, int level, int name, const int *value, uint32_t length)');
    const value = new Int32Array(1);
    const put = (fd: number, level: number, name: number, to: number): boolean => {
      value[0] = to;
      return set(fd, level, name, value, value.byteLength) === 0;
    };
    // A call that must fail, and how, shows that it arrives where it should.
    if (put(-1, SOL_SOCKET, SO_RCVBUF, NARROW_BUFFER_BYTES) || koffi.errno() !== EBADF)
      return noSocketOptions('koffi does not reach setsockopt');
    return {
      available: true,
      why: '',
      narrow: (fd) =>
        put(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, NARROW_STEP_BYTES) &&
        put(fd, SOL_SOCKET, SO_RCVBUF, NARROW_BUFFER_BYTES),
      widen: (fd) =>
        put(fd, SOL_SOCKET, SO_RCVBUF, WIDE_BUFFER_BYTES) &&
        // An older kernel does not know it; the buffer then stays as large as it is now.
        (put(fd, SOL_SOCKET, SO_BUF_LOCK, 0) || true) &&
        put(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, WIDE_STEP_BYTES),
    };
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    return noSocketOptions(`koffi is not there: ${line}`);
  }
}
