/**
 * words — what the simulated backend says, and how it reads XCLIENT
 */
import type { Deed } from './fates.ts';

const attributes = ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'LOGIN', 'DESTADDR', 'DESTPORT', 'REVERSE_NAME'];

/** The values of an XCLIENT command by their names. */
export function readXclient(line: string): Readonly<Record<string, string>> {
  const pairs = line.split(' ').slice(1);
  return Object.fromEntries(pairs.map((pair) => pair.split('=') as [string, string]));
}

/** The attributes that an XCLIENT command left out. */
export function missingIn(named: Readonly<Record<string, string>>): readonly string[] {
  return attributes.filter((attribute) => named[attribute] === undefined);
}

/** The whole reply to EHLO. */
export function ehloText(pipelines: boolean, offersXclient: boolean): string {
  const words = ['backend.example', 'SIZE 10000000', '8BITMIME', 'DSN'];
  if (pipelines) words.push('PIPELINING');
  if (offersXclient) words.push(`XCLIENT ${attributes.join(' ')}`);
  return words.map((word, at) => `250${at === words.length - 1 ? ' ' : '-'}${word}\r\n`).join('');
}

/** What is said when `deed` happens in place of the answer `text`; '' for nothing. `isFinal`: to a whole message. */
export function wordsOf(deed: Deed, text: string, isFinal: boolean): string {
  switch (deed) {
    case 'usual':
    case 'replyThenClose':
    case 'replyThenReset':
      return text;
    case 'extra':
      return `${text}250 2.0.0 One too many\r\n`;
    case 'say421':
      // As the answer to a whole message it is the sender's to hear; anywhere else it is between us and Sluice.
      return isFinal ? '421 4.3.2 Not this message\r\n' : '421 4.3.2 Going down\r\n';
    case 'say451':
      return '451 4.3.0 Not now\r\n';
    case 'say550':
      return '550 5.7.1 Refused\r\n';
    case 'garbage':
      return 'well, hello there\r\n';
    case 'halfReply':
      return '250-to be con';
    default:
      return '';
  }
}
