/**
 * contents — messages that have gone wrong on the way through some mail program or other
 *
 * All end in a line end and use LF, which is how a queue keeps them; clients send CR LF.
 */

export interface Sample {
  readonly title: string;
  readonly content: Buffer;
}

const header = 'From: Sender <sender@honest.test>\nTo: anna@example.test\nSubject: sample\n';

function sample(title: string, body: string | Buffer, more = ''): Sample {
  return { title, content: Buffer.concat([Buffer.from(`${header}${more}\n`), Buffer.from(body)]) };
}

/** Every byte from 1 to 255 but LF and CR, sixteen a line. */
function allBytes(): Buffer {
  const bytes: number[] = [];
  for (let byte = 1; byte < 256; byte += 1) {
    if (byte !== 10 && byte !== 13) bytes.push(byte);
    if (byte % 16 === 15) bytes.push(10);
  }
  return Buffer.from(bytes);
}

export const samples: readonly Sample[] = [
  sample('a plain text', 'Good morning.\n\nNothing special here.\n'),
  sample('an empty body', ''),
  sample('a body of empty lines', '\n\n\n\n'),
  sample('every byte but NUL, CR and LF', allBytes(), 'MIME-Version: 1.0\nContent-Transfer-Encoding: 8bit\n'),
  sample('dots at the beginning of lines', '.\n..\n...\n.hidden\n. spaced\nnot .this\n.\n.\n'),
  sample('lines of 998 bytes, as long as they may be', `${'a'.repeat(998)}\n${'b'.repeat(998)}\n`),
  sample('a line of 10,000 bytes, longer than it may be', `short\n${'0123456789'.repeat(1000)}\nshort\n`),
  sample('a folded header and tabs', 'body\n', 'X-Folded: one\n\ttwo\n   three\n'),
  sample('a message of a megabyte', 'All work and no play makes a dull queue.\n'.repeat(25_600)),
];
