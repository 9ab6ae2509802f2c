/**
 * server — the API on node:http
 *
 * Small bounds on everything that comes in, a limit on how long it may take, and an answer in JSON for whatever was asked.
 * It runs on the main thread, which serves no mail; a fault in here becomes a 500 and a notice, never an end of the process.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Api, ApiAnswer } from './api.ts';

const HEAD_BYTES_MAX = 8_192;
const HEAD_MS_MAX = 10_000;
/** A whole request, an import of millions of lines included. */
const REQUEST_MS_MAX = 300_000;
/** A connection on which nothing moves. */
const SILENCE_MS_MAX = 30_000;
const CONNECTIONS_MAX = 64;
/** Requests on one connection. */
const REQUESTS_MAX = 1_000;

/** A server for the API that listens nowhere yet. `say` prints a line for the operator. */
export function serverFor(api: Api, say: (line: string) => void): Server {
  const server = createServer(
    {
      maxHeaderSize: HEAD_BYTES_MAX,
      headersTimeout: HEAD_MS_MAX,
      requestTimeout: REQUEST_MS_MAX,
      keepAliveTimeout: HEAD_MS_MAX,
      insecureHTTPParser: false,
    },
    (request, response) => {
      serve(api, request, response).catch((error: unknown) => {
        if (!isLost(error))
          say(`admin: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
        failed(response);
      });
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.maxRequestsPerSocket = REQUESTS_MAX;
  server.setTimeout(SILENCE_MS_MAX);
  server.on('clientError', (_, socket: Socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n');
    socket.destroySoon();
  });
  return server;
}

async function serve(api: Api, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.on('error', () => undefined);
  const url = request.url ?? '';
  const mark = url.indexOf('?');
  const answer = await api.answer({
    method: request.method ?? '',
    path: mark < 0 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
    // A body that is not read to its end must not take the answer with it.
    body: request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>,
  });
  // What is left of the body is not waited for.
  if (!request.complete) response.setHeader('connection', 'close');
  await tell(response, answer);
}

async function tell(response: ServerResponse, { status, value, lines }: ApiAnswer): Promise<void> {
  response.statusCode = status;
  response.setHeader('cache-control', 'no-store');
  if (lines !== undefined) {
    response.setHeader('content-type', 'application/x-ndjson');
    await pipeline(Readable.from(lines), response);
    return;
  }
  const text = `${JSON.stringify(value)}\n`;
  response.setHeader('content-type', 'application/json');
  response.setHeader('content-length', Buffer.byteLength(text));
  response.end(text);
}

/** An answer that cannot be given any more ends with its connection; the reader sees that it is not whole. */
function failed(response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.statusCode = 500;
  response.setHeader('connection', 'close');
  response.end('{"error":"a fault of ours; standard error says which"}\n');
}

/** The other side went away, or took too long. */
function isLost(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return ['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR', 'ERR_STREAM_DESTROYED'].includes(
    code,
  );
}
