/**
 * admin-client — asks a Sluice that runs, over its socket
 *
 * Where the socket is stands in the configuration of that Sluice (`-c`), or is said (`--socket`). Nobody there, no right
 * to connect, and an answer that is no answer are one sentence each.
 */
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { loadConfig } from '../config/load.ts';
import { printable } from './output.ts';

/** Longer than a source of `explain` may take, and than a walk over the largest table. */
const SILENCE_MS_MAX = 60_000;

/** An answer that is read whole. */
const ANSWER_BYTES_MAX = 64_000_000;

/** A sentence for the operator; exit code 1. */
export class AdminTrouble extends Error {}

/** Where the socket is looked for. */
export interface SocketPlace {
  readonly config: string;
  readonly socket?: string;
}

/** The path of the socket. Throws ConfigError for a bad file, AdminTrouble when there is none in it. */
export function socketPath({ config, socket }: SocketPlace): string {
  if (socket !== undefined) return socket;
  const path = loadConfig(config).admin.socket;
  if (path === '') throw new AdminTrouble(`${config} says admin.socket = "": there is no way to ask`);
  return path;
}

export interface Question {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: Readable | string;
}

export interface AdminAnswer {
  readonly status: number;
  readonly value: Record<string, unknown>;
}

/** Asks and reads the answer. Throws AdminTrouble for whatever is no answer of Sluice. */
export async function ask(socket: string, question: Question): Promise<AdminAnswer> {
  const response = await send(socket, question);
  let text = '';
  response.setEncoding('utf8');
  try {
    for await (const part of response) {
      text += part as string;
      if (text.length > ANSWER_BYTES_MAX) throw new AdminTrouble('the answer is too long to be read');
    }
  } catch (error) {
    throw troubleOf(error, socket);
  }
  return { status: response.statusCode ?? 0, value: objectOf(text) };
}

/** Asks for what must go well: the value of the answer, or AdminTrouble with its sentence. */
export async function askWell(socket: string, question: Question): Promise<Record<string, unknown>> {
  const { status, value } = await ask(socket, question);
  if (status === 200) return value;
  throw new AdminTrouble(sentenceOf(value, status));
}

/** Asks and passes the lines of the answer on as they come; false when `out` was closed by its reader. */
export async function askLines(
  socket: string,
  question: Question,
  out: NodeJS.WritableStream,
): Promise<boolean> {
  const response = await send(socket, question);
  if (response.statusCode !== 200) {
    let text = '';
    for await (const part of response) text += String(part);
    throw new AdminTrouble(sentenceOf(objectOf(text), response.statusCode ?? 0));
  }
  try {
    await pipeline(response, out, { end: false });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return false;
    throw new AdminTrouble('the answer broke off: what was written is not whole');
  }
}

function send(socket: string, { method, path, body }: Question): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: socket, method, path, agent: false, timeout: SILENCE_MS_MAX });
    outgoing.once('response', resolve);
    outgoing.once('timeout', () =>
      outgoing.destroy(new AdminTrouble(`${socket} has not answered for ${SILENCE_MS_MAX / 1000} s`)),
    );
    outgoing.once('error', (error) => reject(troubleOf(error, socket)));
    if (body instanceof Readable) {
      // The answer tells of what is wrong; a body that was not taken whole is no further news.
      pipeline(body, outgoing).catch((error: unknown) => reject(troubleOf(error, socket)));
    } else outgoing.end(body);
  });
}

function troubleOf(error: unknown, socket: string): AdminTrouble {
  if (error instanceof AdminTrouble) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ECONNREFUSED')
    return new AdminTrouble(
      `nobody listens on ${socket}: Sluice does not run, or has another admin.socket (-c FILE, --socket PATH)`,
    );
  if (code === 'EACCES')
    return new AdminTrouble(`${socket} is not open to this user: run it as Sluice's, or as root`);
  if (code === 'ENOTSOCK') return new AdminTrouble(`${socket} is no socket`);
  return new AdminTrouble(`${socket}: ${printable(message ?? String(error))}`);
}

function objectOf(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new AdminTrouble('what answers there is not Sluice');
}

function sentenceOf(value: Record<string, unknown>, status: number): string {
  return typeof value['error'] === 'string' ? printable(value['error']) : `it answered with ${status}`;
}
