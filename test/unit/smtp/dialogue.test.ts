import { describe, expect, test } from 'vitest';
import { lawFor, Standing } from '../../../src/smtp/dialogue.ts';
import { hangsUp, replyTable } from '../../../src/smtp/replies.ts';
import { Verb } from '../../../src/smtp/verbs.ts';

const standings = Object.entries(Standing);
const verbs = Object.entries(Verb);

describe('the law', () => {
  test.each(verbs)(
    'has a cell for %s in every standing: something to do, or a reply that is an error',
    (_, verb) => {
      for (const [, standing] of standings) {
        const cell = lawFor(standing, verb);
        expect((cell.deed === null) !== (cell.reply === null)).toBe(true);
        expect(cell.error).toBe(cell.reply !== null);
        if (cell.reply !== null) expect(replyTable[cell.reply].text).toMatch(/^5/);
        if (cell.reply !== null) expect(hangsUp(cell.reply)).toBe(false);
      }
    },
  );

  test('mail wants EHLO first, recipients want a sender, data wants a recipient (RFC 5321 §4.1.4)', () => {
    const may = (verb: Verb): readonly string[] =>
      standings.filter(([, standing]) => lawFor(standing, verb).deed !== null).map(([name]) => name);
    expect(may(Verb.Mail)).toEqual(['Greeted']);
    expect(may(Verb.Rcpt)).toEqual(['Mail', 'Rcpt']);
    expect(may(Verb.Data)).toEqual(['Rcpt']);
    expect(may(Verb.Bdat)).toEqual(['Rcpt', 'Chunks']);
    const always = [
      Verb.Ehlo,
      Verb.Helo,
      Verb.Rset,
      Verb.Noop,
      Verb.Quit,
      Verb.Help,
      Verb.Vrfy,
      Verb.Starttls,
    ];
    for (const verb of always) expect(may(verb)).toHaveLength(standings.length);
    for (const verb of [
      Verb.Expn,
      Verb.Etrn,
      Verb.Auth,
      Verb.Xclient,
      Verb.Xforward,
      Verb.Turn,
      Verb.Unknown,
    ])
      expect(may(verb)).toEqual([]);
  });
});
