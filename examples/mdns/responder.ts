/**
 * Announces a service and answers questions about it: RFC 6762, sections 6 to 11.
 *
 * @module
 */
import type { NetworkInterface } from "../../mod.ts";
import type { Answer, Question } from "../npm/dns_packet.ts";
import { type Link, PORT, type Received } from "./link.ts";
import {
  dataKey,
  hostName,
  instanceName,
  recordKey,
  sameName,
  type Service,
  sharedRecords,
  uniqueRecords,
} from "./records.ts";

/** Milliseconds between two probes, and between two announcements. */
const PROBE_INTERVAL = 250;
const ANNOUNCE_INTERVAL = 1000;
const PROBES = 3;

/** What dns-packet calls the class IN with the bit that asks for a unicast answer. */
const UNICAST_WANTED = "UNKNOWN_32769";

/** Longest that a plain DNS client may keep an answer, in seconds. */
const LEGACY_TTL = 10;

/** An answer that waits for its time. */
interface Pending {
  readonly from: Deno.NetAddr;
  /** Records that the asker turned out to know. */
  readonly known: Set<string>;
}

export class Responder {
  readonly #link: Link;
  readonly #service: Service;
  readonly #log: (line: string) => void;
  readonly #pending = new Set<Pending>();
  /** When a record was sent last by an interface. */
  readonly #sent = new Map<string, number>();
  #conflict: "instance" | "host" | "lost" | null = null;
  #ready = false;
  #stopped = false;

  constructor(link: Link, service: Service, log: (line: string) => void) {
    this.#link = link;
    this.#service = service;
    this.#log = log;
  }

  /** Makes sure that no other host has the names, and announces them. Others' names are left to them: ours change. */
  async start(): Promise<void> {
    this.#ready = false;
    while (!await this.#probe()) {
      if (this.#stopped) return;
    }
    this.#ready = true;
    this.#log(`announced ${instanceName(this.#service)} at ${hostName(this.#service)} port ${this.#service.port}`);
    for (const one of this.#link.interfaces) this.announce(one);
  }

  /** Announces twice by an interface. */
  async announce(by: NetworkInterface): Promise<void> {
    for (let time = 0; time < 2 && this.#ready; time++) {
      if (time > 0) await delay(ANNOUNCE_INTERVAL);
      if (this.#ready) await this.#multicast(this.#records(by), [], by);
    }
  }

  /** Withdraws the service: every record with a TTL of 0. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (!this.#ready) return;
    this.#ready = false;
    for (const by of this.#link.interfaces) {
      const answers = this.#records(by).map((record) => ({ ...record, ttl: 0 }));
      await this.#link.send({ type: "response", flags: AUTHORITATIVE, answers }, by);
    }
  }

  /** Takes a message. */
  take(received: Received): void {
    const { packet } = received;
    if (packet.type === "response") this.#notice(packet.answers, received.by);
    else if (packet.authorities.length > 0 && !this.#ready) this.#compare(packet.authorities, received.by);
    else this.#answer(received);
  }

  #records(by: NetworkInterface): Answer[] {
    return [...sharedRecords(this.#service), ...uniqueRecords(this.#service, by.addresses)];
  }

  /** Asks three times for the names that are to be ours. Returns false where another host has one of them. */
  async #probe(): Promise<boolean> {
    this.#conflict = null;
    const questions: Question[] = [
      { name: instanceName(this.#service), type: "ANY" },
      { name: hostName(this.#service), type: "ANY" },
    ];
    for (let time = 0; time < PROBES; time++) {
      for (const by of this.#link.interfaces) {
        const authorities = uniqueRecords(this.#service, by.addresses).map((record) => ({ ...record, flush: false }));
        await this.#link.send({ type: "query", questions, authorities }, by);
      }
      await delay(PROBE_INTERVAL);
      if (this.#conflict !== null) return await this.#giveWay(this.#conflict);
    }
    return true;
  }

  async #giveWay(conflict: "instance" | "host" | "lost"): Promise<false> {
    // Who asks for the same names at the same time, and comes first by the order of the records, goes first.
    if (conflict === "lost") {
      await delay(ANNOUNCE_INTERVAL);
      return false;
    }
    const taken = conflict === "instance" ? instanceName(this.#service) : hostName(this.#service);
    if (conflict === "instance") this.#service.instance = nextName(this.#service.instance, / \((\d+)\)$/, " (#)");
    else this.#service.host = nextName(this.#service.host, /-(\d+)$/, "-#");
    this.#log(`${taken} is taken`);
    return false;
  }

  /** Takes the answers of others: one of them may have a name of ours. */
  #notice(answers: readonly Answer[], by: NetworkInterface): void {
    const ours = uniqueRecords(this.#service, by.addresses);
    for (const record of answers) {
      const rivals = ours.filter(({ name, type }) => sameName(name, record.name) && type === record.type);
      if (rivals.length === 0 || record.ttl === 0) continue;
      if (rivals.some((own) => dataKey(own) === dataKey(record))) continue;
      // Ours on other interfaces have other addresses.
      if (this.#isOurAddress(record)) continue;
      this.#conflict = sameName(record.name, hostName(this.#service)) ? "host" : "instance";
      if (this.#ready) this.start();
      return;
    }
  }

  #isOurAddress(record: Answer): boolean {
    const all = this.#link.interfaces.flatMap(({ addresses }) => addresses.map(({ address }) => address));
    return (record.type === "A" || record.type === "AAAA") && all.includes(record.data);
  }

  /** Another probe for a name of ours: RFC 6762, section 8.2. */
  #compare(theirs: readonly Answer[], by: NetworkInterface): void {
    const ours = uniqueRecords(this.#service, by.addresses);
    const concerned = theirs.filter(({ name }) => ours.some((own) => sameName(own.name, name)));
    const [own, other] = [ours.filter(({ name }) => concerned.some((one) => sameName(one.name, name))), concerned]
      .map((records) => records.map(recordKey).sort().join("\n"));
    if (concerned.length > 0 && own! < other!) this.#conflict ??= "lost";
  }

  /** Answers what is asked of us and not known already. */
  async #answer({ packet, from, by }: Received): Promise<void> {
    const known = new Set(packet.answers.map(recordKey));
    // Known answers that did not fit into a question's message come in another of the same sender.
    for (const pending of this.#pending) {
      if (pending.from.hostname === from.hostname) { for (const key of known) pending.known.add(key); }
    }
    if (!this.#ready) return;
    const records = this.#records(by);
    const answers = records.filter((record) => packet.questions.some((question) => asksFor(question, record)));
    if (answers.length === 0) return;
    if (from.port !== PORT) return await this.#answerPlainly(packet.id, packet.questions, answers, from, by);
    if (packet.questions.every((question) => question.class === UNICAST_WANTED)) {
      const left = unknown(answers, packet.answers);
      const additionals = besides(left, records);
      if (left.length === 0) return;
      return await this.#link.reply({ type: "response", flags: AUTHORITATIVE, answers: left, additionals }, from, by);
    }
    const pending = { from, known: new Set(packet.answers.filter(isFresh(answers)).map(recordKey)) };
    this.#pending.add(pending);
    await delay(packet.flag_tc ? 400 + Math.random() * 100 : answers.some(isShared) ? 20 + Math.random() * 100 : 0);
    this.#pending.delete(pending);
    const left = answers.filter((record) => !pending.known.has(recordKey(record)) && this.#isDue(record, by));
    if (left.length > 0 && this.#ready) await this.#multicast(left, besides(left, records), by);
  }

  /** As a DNS server answers a client that knows nothing of multicast. */
  async #answerPlainly(
    id: number,
    questions: Question[],
    answers: readonly Answer[],
    from: Deno.NetAddr,
    by: NetworkInterface,
  ): Promise<void> {
    const plain = answers.map((record) => ({ ...record, flush: false, ttl: Math.min(record.ttl ?? 0, LEGACY_TTL) }));
    await this.#link.reply({ id, type: "response", flags: AUTHORITATIVE, questions, answers: plain }, from, by);
  }

  async #multicast(answers: Answer[], additionals: Answer[], by: NetworkInterface): Promise<void> {
    const now = Date.now();
    for (const record of answers) this.#sent.set(`${by.index} ${recordKey(record)}`, now);
    await this.#link.send({ type: "response", flags: AUTHORITATIVE, answers, additionals }, by);
  }

  /** A record goes by an interface once a second at most. */
  #isDue(record: Answer, { index }: NetworkInterface): boolean {
    return Date.now() - (this.#sent.get(`${index} ${recordKey(record)}`) ?? 0) >= ANNOUNCE_INTERVAL;
  }
}

/** The AA bit. */
const AUTHORITATIVE = 1 << 10;

function asksFor(question: Question, record: Answer): boolean {
  return sameName(question.name, record.name) && (question.type === record.type || question.type === "ANY");
}

function isShared({ flush }: Answer): boolean {
  return flush !== true;
}

/** Whether an answer that the asker knows is good for half of its time at least: else it is to be renewed. */
function isFresh(ours: readonly Answer[]): (known: Answer) => boolean {
  const ttls = new Map(ours.map((record) => [recordKey(record), record.ttl ?? 0]));
  return (known) => (known.ttl ?? 0) >= (ttls.get(recordKey(known)) ?? Infinity) / 2;
}

function unknown(answers: readonly Answer[], known: readonly Answer[]): Answer[] {
  const fresh = new Set(known.filter(isFresh(answers)).map(recordKey));
  return answers.filter((record) => !fresh.has(recordKey(record)));
}

/** What the asker will want next: where the service is, and the addresses of its host. */
function besides(answers: readonly Answer[], records: readonly Answer[]): Answer[] {
  const names = new Set(answers.flatMap((record) => record.type === "PTR" ? [record.data] : []));
  const services = records.filter(({ name }) => names.has(name));
  const hosts = [...answers, ...services].flatMap((record) => record.type === "SRV" ? [record.data.target] : []);
  const addresses = records.filter(({ name }) => hosts.includes(name));
  return [...services, ...addresses].filter((record) => !answers.includes(record));
}

/** "My page", "My page (2)", "My page (3)". */
function nextName(name: string, pattern: RegExp, added: string): string {
  const number = Number(name.match(pattern)?.[1] ?? 1);
  return name.replace(pattern, "") + added.replace("#", String(number + 1));
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
