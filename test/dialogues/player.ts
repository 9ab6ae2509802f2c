/**
 * player — plays one dialogue on the virtual clock and writes down what was said
 *
 * What comes out is the block of the transcript as it should stand in the file. The test compares it with what does,
 * once whole and once for every size of piece in which the clients' bytes can arrive. Behind the script time
 * runs on until everybody has left and nothing is armed: whoever holds something then is a failure, as is any
 * command that the backend should never have heard.
 */
import { parseConfig } from '../../src/config/load.ts';
import type { CounterName } from '../../src/session/counter-table.ts';
import type { SessionReport } from '../../src/session/journal.ts';
import { Backend } from './backend.ts';
import { ScriptedDns } from './dns.ts';
import type { StepName } from './backend.ts';
import { escape, settingsToml, unescape } from './transcript.ts';
import type { Dialogue, ScriptLine } from './transcript.ts';
import { World } from './world.ts';
import type { Client } from './world.ts';

const HOUR_MS = 3_600_000;
const CONTENT_SHOWN_MAX = 2_000;
const steps = 'greeting ehlo startTls handshake hello xclient mail rcpt data final rset quit'.split(' ');
const CIPHER = 'TLSv1.3 TLS_AES_256_GCM_SHA384';
/** The transport in memory asks for no certificate. */
const noFiles = { certificate: '/certificate', key: '/key' };
const DEFAULT_SETTINGS = ['hostname = "mx.example.net"'];

/** What a play wrote down. */
export interface Play {
  readonly block: readonly string[];
  /** What must never happen, whatever the transcript says. */
  readonly wrongs: readonly string[];
}

class Player {
  readonly world: World;
  readonly lines: string[] = [];
  readonly #dialogue: Dialogue;
  readonly #clients = new Map<number, Client>();
  readonly #log: string[] = [];
  readonly #sentAt = new Map<number, number>();

  constructor(dialogue: Dialogue, splitBytes: number | undefined) {
    this.#dialogue = dialogue;
    const backend = new Backend();
    for (const word of (dialogue.headers.get('backend') ?? '').split(/ +/)) setBackend(backend, word);
    const second = new Backend();
    for (const word of (dialogue.headers.get('backend 2') ?? '').split(/ +/)) setBackend(second, word);
    const toml = [...DEFAULT_SETTINGS, settingsToml(dialogue.headers.get('settings') ?? '')].join('\n');
    const lanes = dialogue.headers.get('lanes');
    const sessions = dialogue.headers.get('sessions');
    const config = parseConfig(toml, 'settings');
    const certified = dialogue.headers.has('tls') ? { tls: noFiles } : {};
    const trustedProxies = dialogue.headers.get('proxies')?.split(' ') ?? [];
    const proxyProtocol = trustedProxies.length === 0 ? 'off' : 'required';
    this.world = new World({
      config: {
        ...config,
        listener: config.listener.map((one) => ({ ...one, proxyProtocol, trustedProxies, ...certified })),
        backend: { ...config.backend, ...(backend.settings.tls === 'no' ? {} : { tls: 'required' }) },
      },
      backend,
      ...(config.server.length > 1 ? { moreBackends: [second] } : {}),
      ...(splitBytes === undefined ? {} : { splitBytes }),
      ...(dialogue.dns.length === 0 ? {} : { dns: new ScriptedDns(dialogue.dns) }),
      ...(lanes === undefined ? {} : { lanesMax: Number(lanes) }),
      ...(sessions === undefined ? {} : { sessionsMax: Number(sessions) }),
    });
    const [domain = '', standing, ...networks] = (dialogue.headers.get('pool') ?? '').split(' ');
    if (domain !== '') this.world.setPool(domain, networks, standing === 'good');
    this.world.setFamilies(dialogue.families);
    if (dialogue.showsLanes) {
      this.world.backends.forEach((one, index) => {
        one.onTalk = (lane, mark, text) => {
          // Of a reply with many lines the last one stands for all.
          if (mark === '>' || text[3] !== '-')
            this.#write(`L${index === 0 ? '' : `${index + 1}.`}${lane}${mark}`, escape(text));
        };
      });
    }
    this.world.onHeard = (client) => this.#hear(client);
    this.world.onEnded = (report) => {
      const number = [...this.#clients].find(([, client]) => client.port === report.port)?.[0] ?? 0;
      const over = report.limit === '' ? '' : `, limit ${report.limit}`;
      const tls = report.tls === '' ? '' : `, ${report.tls}`;
      this.lines.push(`${this.#time()}  end${number > 1 ? number : ''} ${report.ending}${tls}${over}`);
      const why = report.dnsxlReason === '' ? '' : ` "${report.dnsxlReason}"`;
      const family = report.family === '' ? '' : ` family=${report.family}`;
      const would = this.#dialogue.showsWould ? ` would=${wouldText(report)}` : '';
      this.#log.push(
        `log: ${report.reasons} score=${report.score}${family} dnsxl=${report.dnsxl.join(',')}${why}${would}`,
      );
    };
  }

  play(): Play {
    const { world } = this;
    world.start();
    this.#connect(
      1,
      this.#dialogue.script.some(
        (line) => line.party === 'C' && line.number === 1 && line.text === '(connects)',
      ),
    );
    const { script } = this.#dialogue;
    for (let at = 0; at < script.length; at++) {
      const line = script[at]!;
      this.#wait(line);
      this.#act(line);
      // What leaves together arrives together: the next line of the same client, at the same time.
      if (!this.#isSameBreath(line, script[at + 1])) world.settle();
    }
    world.runUntil(
      world.nowMs + HOUR_MS,
      () => world.shard.sessionsOpen === 0 && world.clients.every((client) => client.gone),
    );
    const lastWords = this.lines.length;
    // The rest is about the lanes: they go to rest, unseen.
    world.runUntil(world.nowMs + 2 * HOUR_MS, () => world.leaks().length === 0);
    if (this.#dialogue.showsLanes) this.lines.length = lastWords;
    return { block: [...withoutRepeats(this.lines), ...this.#sums()], wrongs: this.#wrongs() };
  }

  #wait(line: ScriptLine): void {
    const { world } = this;
    if (line.atMs === null) {
      if (!isWords(line) || line.text === '(connects)') return;
      const client = this.#clients.get(line.number)!;
      world.runUntil(
        world.nowMs + HOUR_MS,
        () => client.gone || client.isAnswered(this.#sentAt.get(line.number) ?? 0),
      );
      return;
    }
    const atMs = line.relative ? world.nowMs + line.atMs : line.atMs;
    if (atMs < world.nowMs)
      throw new Error(`"${line.text}" should be said at ${atMs} ms, and it is ${world.nowMs} ms`);
    if (atMs > world.nowMs) world.runUntil(atMs);
  }

  /** What leaves in one segment: words of one client at one time, with nothing said between them. */
  #isSameBreath(line: ScriptLine, next: ScriptLine | undefined): boolean {
    if (next === undefined || !isWords(line) || !isWords(next) || line.text === '(connects)') return false;
    if (next.number !== line.number || next.place !== line.place + 1 || next.atMs === null) return false;
    return next.relative ? next.atMs === 0 : next.atMs === this.world.nowMs;
  }

  #act(line: ScriptLine): void {
    const { world } = this;
    this.#write(line.number > 1 ? `${line.party}${line.number}` : line.party, line.text);
    if (line.party === '*') return line.text === 'drain' ? world.drain() : undefined;
    if (line.party === 'B') return this.#actBackend(world.backends[line.number - 1]!, line.text.slice(1, -1));
    if (line.text === '(connects)') return this.#connect(line.number, false);
    const client = this.#clients.get(line.number)!;
    switch (line.text) {
      case '(hangs up)':
        return client.finish();
      case '(resets)':
        return client.reset();
      case '(does its part of the handshake)':
        return client.gone ? undefined : world.front.peerHandshake(client.peer, CIPHER);
      case '(stops reading)':
        return world.front.peerStall(client.peer, true);
      case '(reads again)':
        return world.front.peerStall(client.peer, false);
      default:
        this.#sentAt.set(line.number, client.heard.length);
        return client.send(
          unescape(line.text) + (line.party === 'C' && !line.text.endsWith(')') ? '\r\n' : ''),
        );
    }
  }

  #actBackend(backend: Backend, text: string): void {
    if (text.startsWith('says ')) backend.blurt(text.slice(5));
    else if (text === 'closes') backend.hangUp('close');
    else if (text === 'resets') backend.hangUp('reset');
    else if (text === 'disk breaks') this.world.files.broken = true;
    else for (const word of text.split(' ')) setBackend(backend, word);
  }

  #connect(number: number, later: boolean): void {
    if (later) return;
    const header =
      this.#dialogue.headers.get(number === 1 ? 'client' : `client ${number}`) ??
      (number === 1 ? '192.0.2.7' : `198.51.100.${number}`);
    const [address = '', ...traits] = header.split(', ');
    const score = Number(traits.find((trait) => trait.startsWith('score '))?.slice(6) ?? 0);
    const isKnown = traits.includes('known');
    if (score !== 0 || isKnown) this.world.remember(address, score, isKnown);
    this.#clients.set(number, this.world.dial(address));
    // What the client says in the same moment is with it when it is accepted.
    const [first] = this.#dialogue.script;
    const speaksAtOnce =
      number === 1 && first !== undefined && first.atMs === 0 && first.place === 0 && isWords(first);
    if (!speaksAtOnce) this.world.settle();
  }

  #hear(client: Client): void {
    const number = [...this.#clients].find(([, one]) => one === client)?.[0] ?? this.#clients.size + 1;
    const label = number > 1 ? String(number) : '';
    const fresh = client.heard.slice(client.looked);
    client.looked = client.heard.length;
    const lines = fresh.split('\r\n');
    const rest = lines.pop()!;
    for (const line of lines) this.#write(`S${label}`, escape(line).replace(/ $/, '\\x20'));
    if (rest !== '') this.#write(`s${label}`, escape(rest));
  }

  #write(party: string, text: string): void {
    this.lines.push(`${this.#time()}  ${party}  ${text}`);
  }

  #time(): string {
    return (this.world.nowMs / 1000).toFixed(3).padStart(8);
  }

  #sums(): readonly string[] {
    const { world } = this;
    const sums: string[] = [];
    if (this.#dialogue.counters.length > 0) {
      const all = world.counters.snapshot();
      const known = this.#dialogue.counters.map((name) => {
        if (!(name in all)) throw new Error(`there is no counter ${name as CounterName}`);
        return `${name}=${all[name]}`;
      });
      sums.push(`counters: ${known.join(' ')}`);
    }
    if (this.#dialogue.showsLog) sums.push(...this.#log);
    if (this.#dialogue.showsAsked) sums.push(`asked: ${world.dns?.asked.join(', ') ?? ''}`.trimEnd());
    if (this.#dialogue.showsNotices) sums.push(...world.notices.map((text) => `notice: ${text}`));
    if (this.#dialogue.showsOffers) {
      if (world.offers.length === 0) sums.push('offered nothing');
      sums.push(...world.offers.map((offer) => `offered: ${escape(offer)}`));
    }
    for (const [index, one] of world.backends.flatMap((backend, number) =>
      backend.stored.map((stored) => [number, stored] as const),
    )) {
      const which = index === 0 ? 'backend' : `backend ${index + 1}`;
      const who = escape(
        `${one.attributes.get('ADDR') ?? '?'} ${one.hello} ${[one.sender, ...one.recipients].join(' ')}`,
      );
      sums.push(`${which} got${one.answered ? '' : ', and did not say so'}: ${who}`);
      sums.push(...shown(one.content));
    }
    if (world.backends.every((backend) => backend.stored.length === 0)) sums.push('backend got nothing');
    return sums;
  }

  #wrongs(): readonly string[] {
    const { world } = this;
    const told = world.counters.valueOf('messagesDelivered');
    const stored = world.backends.flatMap((backend) => backend.stored).filter((one) => one.answered).length;
    const wrongs = [
      ...world.backends.flatMap((backend) => backend.crimes),
      ...world.leaks().map((leak) => `left behind: ${leak}`),
    ];
    if (told > stored) wrongs.push(`${told} messages were acknowledged, ${stored} were stored`);
    return wrongs;
  }
}

/** `slow, pregreet, refused for pregreet, 150 s` */
function wouldText(report: SessionReport): string {
  if (!report.isObserved) return 'null';
  const parts = [
    report.wouldPace,
    report.wouldReason,
    report.wouldEnding && `refused for ${report.wouldEnding}`,
  ];
  return [...parts.filter((part) => part !== ''), `${report.wouldDelayMs / 1000} s`].join(', ');
}

function isWords(line: ScriptLine): boolean {
  return line.party === 'C' || line.party === 'c';
}

/** Four and more equal lines as one. */
function withoutRepeats(lines: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (let at = 0; at < lines.length;) {
    let end = at + 1;
    while (end < lines.length && lines[end] === lines[at]) end++;
    if (end - at > 3) kept.push(`${lines[at]}  (${end - at} times)`);
    else kept.push(...lines.slice(at, end));
    at = end;
  }
  return kept;
}

function shown(content: string): readonly string[] {
  if (content.length > CONTENT_SHOWN_MAX) {
    let sum = 0;
    for (let at = 0; at < content.length; at++) sum = (Math.imul(sum, 31) + content.charCodeAt(at)) >>> 0;
    return [`| (${content.length} bytes, sum ${sum.toString(16)})`];
  }
  const lines = content.split('\r\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => `| ${escape(line).replace(/ $/, '\\x20')}`.trimEnd());
}

/** `connect=refuse`, `reuse=no`, `rcpt=421x1`, `delay.final=30s` … */
function setBackend(backend: Backend, word: string): void {
  if (word === '') return;
  const [name = '', value = ''] = word.split('=');
  if (name.startsWith('delay.'))
    return backend.delay(name.slice(6) as StepName, Number.parseFloat(value) * 1000);
  if (steps.includes(name)) {
    const [, does = '', times] = /^(.*?)(?:x(\d+))?$/.exec(value)!;
    return backend.fault(name as StepName, does, times === undefined ? undefined : Number(times));
  }
  const { settings } = backend;
  if (name === 'connect') settings.connect = value;
  else if (name === 'reuse') settings.reuse = value !== 'no';
  else if (name === 'pipelining') settings.pipelining = value !== 'no';
  else if (name === 'tls') settings.tls = value;
  else if (name === 'size') settings.size = Number(value);
  else if (name === 'codes') settings.codes = value !== 'no';
  else if (name === 'extensions') settings.extensions = value.replaceAll(',', ' ');
  else if (name === 'header') settings.header = value;
  else if (name === 'anonymous') settings.anonymous = value === 'yes';
  else if (name === 'greets-again') settings.greetsAgain = value !== 'no';
  else if (name === 'attributes') settings.xclient = value.replaceAll(',', ' ');
  else throw new Error(`the backend has no setting ${name}`);
  return undefined;
}

/** Plays a dialogue, its clients' bytes arriving in pieces of at most `splitBytes`. */
export function playDialogue(dialogue: Dialogue, splitBytes?: number): Play {
  return new Player(dialogue, splitBytes).play();
}

/** The sizes of pieces at which a dialogue has to be the same. */
export function splitSizes(dialogue: Dialogue): readonly number[] {
  if (dialogue.headers.has('whole')) return [];
  let longest = 0;
  let total = 0;
  for (const line of dialogue.script) {
    if (!isWords(line)) continue;
    const length = unescape(line.text).length + 2;
    longest = Math.max(longest, length);
    total += length;
  }
  const candidates = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 23, 31, 61, 127, 251, 509, 1021, 4093,
    16_381,
  ];
  const least = total > 200_000 ? 1021 : total > 20_000 ? 127 : 1;
  return candidates.filter((size) => size >= least && size < longest);
}
