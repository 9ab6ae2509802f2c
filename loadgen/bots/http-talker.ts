/**
 * http-talker — a web client that was sent to a mail port
 *
 * Speaks HTTP as soon as it is connected (open proxies and cross-protocol attacks do), reads whatever comes
 * and leaves when its patience is over.
 *
 * Source: postconf(5): CONNECT, GET and POST are among the forbidden commands that Postfix ships with.
 */
import type { Random } from '../../src/base/prng.ts';
import { Stage } from './bot.ts';
import type { BotRow, Move, Seen } from './bot.ts';
import { ascii } from './message.ts';
import { Spammer } from './spammer.ts';

const REQUESTS = [
  ascii('GET / HTTP/1.1\r\nHost: mx.example.com\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n\r\n'),
  ascii(
    'POST /mail HTTP/1.0\r\nContent-Type: text/plain\r\nContent-Length: 61\r\n\r\nEHLO x\r\nMAIL FROM:<a@x>\r\nRCPT TO:<user1@example.com>\r\nDATA\r\n\r\n',
  ),
  ascii('CONNECT mx.example.com:25 HTTP/1.1\r\nHost: mx.example.com:25\r\n\r\n'),
];

export class HttpTalker extends Spammer {
  protected override begins(me: BotRow, _nowMs: number, random: Random, move: Move): void {
    me.stage = Stage.Helo;
    move.say(REQUESTS[random.below(REQUESTS.length)] as Uint8Array);
  }

  protected override heard(_me: BotRow, _seen: Seen, _nowMs: number, _random: Random, _move: Move): void {
    // Not a word of HTTP in it; waits for more.
  }
}
