/**
 * dialogue — what a verb means where the envelope stands
 *
 * A table of standing × verb, the protocol's order rules (RFC 5321 §4.1.4) on one page. A cell is either
 * something to do or a reply that says why not. It knows nothing of pace, tests or backends: the stages add
 * those. A table and not a graph: with five standings and twenty verbs the whole law fits on a screen.
 */
import { Verb, verbTable } from './verbs.ts';
import type { ReplyName } from './replies.ts';

/** How far the envelope got. */
export const Standing = {
  /** No EHLO or HELO yet. */
  Fresh: 0,
  /** Greeted; no envelope. */
  Greeted: 1,
  /** A sender is named. */
  Mail: 2,
  /** At least one recipient was accepted. */
  Rcpt: 3,
  /** A part of the message has come, by BDAT. */
  Chunks: 4,
} as const;
export type Standing = (typeof Standing)[keyof typeof Standing];

/** Something a stage has to do for a verb that came in order. */
export type Deed =
  | 'hello'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'reset'
  | 'noop'
  | 'help'
  | 'vrfy'
  | 'quit'
  | 'starttls'
  | 'bdat'
  | 'foreign';

export interface Cell {
  /** What to do, or null when only `reply` is to be said. */
  readonly deed: Deed | null;
  readonly reply: ReplyName | null;
  /** True when the reply counts as an error of the client. */
  readonly error: boolean;
}

const does = (deed: Deed): Cell => ({ deed, reply: null, error: false });
const says = (reply: ReplyName): Cell => ({ deed: null, reply, error: true });
const always = (cell: Cell): readonly Cell[] => [cell, cell, cell, cell, cell];

/** Rows by verb number; columns Fresh, Greeted, Mail, Rcpt, Chunks. */
const law: Record<keyof typeof Verb, readonly Cell[]> = {
  Ehlo: always(does('hello')),
  Helo: always(does('hello')),
  Mail: [says('helloFirst'), does('mail'), says('nestedMail'), says('nestedMail'), says('nestedMail')],
  Rcpt: [says('helloFirst'), says('mailFirst'), does('rcpt'), does('rcpt'), says('chunksFirst')],
  Data: [says('helloFirst'), says('mailFirst'), says('noRecipients'), does('data'), says('chunksFirst')],
  // Said behind the octets that it announces (stages/chunk).
  Bdat: [says('helloFirst'), says('mailFirst'), says('noRecipients'), does('bdat'), does('bdat')],
  Rset: always(does('reset')),
  Noop: always(does('noop')),
  Quit: always(does('quit')),
  Help: always(does('help')),
  Vrfy: always(does('vrfy')),
  Expn: always(says('notImplemented')),
  Etrn: always(says('notImplemented')),
  Starttls: always(does('starttls')),
  Auth: always(says('noAuth')),
  Xclient: always(says('notImplemented')),
  Xforward: always(says('notImplemented')),
  Turn: always(says('notImplemented')),
  Unknown: always(says('unknownCommand')),
  NonSmtp: always(does('foreign')),
};

const STANDINGS = 5;

const cells: readonly Cell[] = Object.entries(Verb)
  .sort(([, a], [, b]) => a - b)
  .flatMap(([name]) => law[name as keyof typeof Verb]);

/** The cell of the law for a verb at a standing. */
export function lawFor(standing: Standing, verb: Verb): Cell {
  return cells[verb * STANDINGS + standing]!;
}

/** The words of the verbs that do something in some standing, in the order of their table. */
export const understoodWords: readonly string[] = verbTable
  .map(({ word }) => word)
  .filter((_, verb) =>
    cells.slice(verb * STANDINGS, (verb + 1) * STANDINGS).some(({ deed }) => deed !== null),
  );
