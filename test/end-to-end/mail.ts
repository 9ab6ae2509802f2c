/**
 * mail — a message sent by hand, step by step, from an address of one's choice
 */
import { Client, greeted, onTheWire } from '../system/client.ts';
import type { Reply } from '../system/client.ts';

/** A client that has been greeted, has said EHLO and named a sender and a recipient. */
export async function withEnvelope(port: number, from: string): Promise<Client> {
  const { client } = await greeted(port, from);
  await client.expect('MAIL FROM:<a@example.org>', 250);
  await client.expect('RCPT TO:<b@example.com>', 250);
  return client;
}

/** The same, with DATA answered: the message may begin. */
export async function inData(port: number, from: string): Promise<Client> {
  const client = await withEnvelope(port, from);
  await client.expect('DATA', 354);
  return client;
}

/** Sends one message and QUIT; the answer to the message. */
export async function sendMail(port: number, from: string, content: string): Promise<Reply | null> {
  const client = await inData(port, from);
  client.send(onTheWire(content));
  const answer = await client.reply();
  await client.ask('QUIT');
  client.close();
  return answer;
}

/** A greeting, or null when the client was turned away without one. */
export async function greetingOf(
  port: number,
  from: string,
): Promise<{ client: Client; greeting: Reply | null }> {
  const client = new Client(port, from);
  return { client, greeting: await client.reply() };
}
