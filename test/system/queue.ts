/**
 * queue — what Postfix has in its queue, byte for byte
 *
 * Every accepted message is put on hold by the configuration of postfix.ts, so the queue is the record of what was
 * delivered. One `postcat` reads many messages at once and frames each by lines that carry the queue id, so
 * 5,000 messages cost half a second, not 5,000 processes. The queue file format itself is Postfix's own business.
 *
 * A queue file is complete when its owner's execute bit is set: cleanup(8) sets it last, before it answers.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { runWell } from './process.ts';
import { notifyWords, utf8 } from './stored.ts';

export interface QueuedMessage {
  readonly id: string;
  readonly sender: string;
  readonly recipients: readonly string[];
  /** The client's address and name as Postfix believed them to be: with XCLIENT, the real client's. */
  readonly clientAddress: string;
  readonly clientName: string;
  /** All that its queue file says by name: client_port, helo_name, protocol_name and so on. */
  readonly attributes: ReadonlyMap<string, string>;
  /** What was asked for in the way of delivery reports (RFC 3461). */
  readonly ret: string;
  readonly envid: string;
  /** One entry a recipient, in their order. */
  readonly asked: readonly { readonly notify: string; readonly orcpt: string }[];
  /** The Received header that Postfix itself wrote in front, with its line end. */
  readonly trace: Buffer;
  /** All that the client sent, with LF for each CR LF, as Postfix keeps it. */
  readonly content: Buffer;
}

const queueNames = ['incoming', 'active', 'deferred', 'hold', 'corrupt', 'maildrop'] as const;
const idsPerCall = 1000;

/** Ids of all complete messages in all queues, sorted. */
export function completeIds(queueDirectory: string): string[] {
  const ids: string[] = [];
  for (const name of queueNames) {
    const directory = join(queueDirectory, name);
    if (!existsSync(directory)) continue;
    for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const stat = statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false });
      if (stat && (stat.mode & 0o100) !== 0) ids.push(entry.name);
    }
  }
  return ids.sort();
}

/** Reads the messages named, in the order of `ids`. Throws when one of them is not there. */
export async function readMessages(
  configDirectory: string,
  ids: readonly string[],
): Promise<QueuedMessage[]> {
  const messages: QueuedMessage[] = [];
  for (let from = 0; from < ids.length; from += idsPerCall) {
    const some = ids.slice(from, from + idsPerCall);
    const printed = (await runWell('postcat', ['-c', configDirectory, '-q', ...some])).toString('latin1');
    let at = 0;
    for (const id of some) {
      const envelope = section(printed, at, 'ENVELOPE RECORDS', id);
      const contents = section(printed, envelope.end, 'MESSAGE CONTENTS', id);
      const extracted = section(printed, contents.end, 'HEADER EXTRACTED', id);
      at = extracted.end;
      messages.push(messageOf(id, envelope.text, contents.text));
    }
  }
  return messages;
}

/** The text between the line that opens a section and the next line of that kind of the same message. */
function section(printed: string, from: number, title: string, id: string): { text: string; end: number } {
  const opens = new RegExp(`\\*\\*\\* ${title} \\w+/(?:\\w/)*${id} \\*\\*\\*\n`, 'g');
  opens.lastIndex = from;
  const opened = opens.exec(printed);
  if (!opened) throw new Error(`postcat shows no ${title} of ${id}`);
  const closes = new RegExp(`\\*\\*\\* [A-Z ]+ \\w+/(?:\\w/)*${id} \\*\\*\\*\n`, 'g');
  closes.lastIndex = opens.lastIndex;
  const closed = closes.exec(printed);
  return { text: printed.slice(opens.lastIndex, closed?.index), end: closed?.index ?? printed.length };
}

function messageOf(id: string, envelope: string, contents: string): QueuedMessage {
  const received = /^Received:[^\n]*\n(?:[ \t][^\n]*\n)*/.exec(contents);
  if (!received)
    throw new Error(`message ${id} does not begin with a Received header:\n${contents.slice(0, 500)}`);
  const attributes = attributesOf(envelope);
  return {
    id,
    sender: utf8(valuesOf(envelope, 'sender')[0] ?? ''),
    recipients: valuesOf(envelope, 'recipient').map(utf8),
    clientAddress: attributes.get('client_address') ?? '',
    clientName: attributes.get('client_name') ?? '',
    attributes,
    ret: retWords[Number(attributeOf(envelope, 'ret_flags') || '0')] ?? '',
    envid: attributeOf(envelope, 'envelope_id'),
    asked: askedOf(envelope),
    trace: Buffer.from(received[0], 'latin1'),
    content: Buffer.from(contents.slice(received[0].length), 'latin1'),
  };
}

const notifyBits = { NEVER: 1, SUCCESS: 2, FAILURE: 4, DELAY: 8 } as const;
const retWords = ['', 'FULL', 'HDRS'];

/** The attributes that stand in front of each recipient. */
function askedOf(envelope: string): { notify: string; orcpt: string }[] {
  const parts = envelope.split(/^recipient: .*$/m).slice(0, -1);
  return parts.map((part) => ({
    notify: notifyWords(Number(attributeOf(part, 'notify_flags') || '0'), notifyBits),
    orcpt: attributeOf(part, 'dsn_orig_rcpt'),
  }));
}

function valuesOf(envelope: string, key: string): string[] {
  const lines = envelope.split('\n').filter((line) => line.startsWith(`${key}: `));
  return lines.map((line) => line.slice(key.length + 2));
}

function attributesOf(envelope: string): Map<string, string> {
  return new Map(
    valuesOf(envelope, 'named_attribute').map((line) => {
      const equals = line.indexOf('=');
      return [line.slice(0, equals), line.slice(equals + 1)];
    }),
  );
}

function attributeOf(envelope: string, name: string): string {
  return attributesOf(envelope).get(name) ?? '';
}
