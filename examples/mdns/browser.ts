/**
 * Finds services of one type and follows them: RFC 6762, sections 5, 7 and 10.
 *
 * @module
 */
import type { NetworkInterface } from "../../mod.ts";
import type { Answer, Question } from "../npm/dns_packet.ts";
import type { Link, Received } from "./link.ts";
import { recordKey, sameName, texts } from "./records.ts";

/** A service as it was found. */
export interface Found {
  instance: string;
  host: string;
  port: number;
  addresses: string[];
  txt: string[];
}

/** Milliseconds: between the first two questions, the longest between two, how often the cache is looked through, and
 * how long records that are to go are kept. */
const FIRST_INTERVAL = 1000;
const LONGEST_INTERVAL = 3_600_000;
const SWEEP = 250;
const FAREWELL = 1000;

/** Questions for what a service lacks. */
const MOST_QUESTIONS = 3;

/** When, in parts of its time, a record is asked for again. */
const RENEWALS = [0.8, 0.85, 0.9, 0.95];

/** Most records that are kept: the senders are not trusted. */
const MOST_RECORDS = 10_000;

interface Cached {
  readonly record: Answer;
  readonly by: number;
  readonly received: number;
  readonly ttl: number;
  expires: number;
  /** How often it was asked for again. */
  renewed: number;
}

export class Browser {
  readonly #link: Link;
  readonly #type: string;
  readonly #tell: (event: "found" | "lost", service: Found) => void;
  readonly #cache = new Map<string, Cached>();
  /** What was told of each instance. */
  readonly #told = new Map<string, Found>();
  /** How often, and when last, was asked for what a service lacks. */
  readonly #asked = new Map<string, { times: number; last: number }>();
  readonly #timers: ReturnType<typeof setTimeout>[] = [];
  #interval = FIRST_INTERVAL;

  /** `tell` is called with each service that is found, changes or goes. */
  constructor(link: Link, type: string, tell: (event: "found" | "lost", service: Found) => void) {
    this.#link = link;
    this.#type = `${type}.local`;
    this.#tell = tell;
  }

  start(): void {
    this.#timers.push(setInterval(() => this.#sweep(), SWEEP));
    this.#askAgain();
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /** Asks for all services by an interface, with the known answers. */
  async ask(by: NetworkInterface): Promise<void> {
    const now = Date.now();
    const known = [...this.#cache.values()].filter(({ record, by: index, expires, ttl }) => {
      return index === by.index && sameName(record.name, this.#type) && expires - now > ttl * 500;
    });
    const answers = known.map(({ record, expires }) => {
      return { ...record, flush: false, ttl: Math.floor((expires - now) / 1000) };
    });
    await this.#link.send({ type: "query", questions: [{ name: this.#type, type: "PTR" }], answers }, by);
  }

  /** Takes a message. */
  take({ packet, by }: Received): void {
    if (packet.type !== "response") return;
    for (const record of [...packet.answers, ...packet.additionals]) {
      if (["PTR", "SRV", "TXT", "A", "AAAA"].includes(record.type)) this.#keep(record, by.index);
    }
    this.#compare();
  }

  #askAgain(): void {
    for (const by of this.#link.interfaces) this.ask(by);
    this.#timers[1] = setTimeout(() => this.#askAgain(), this.#interval);
    this.#interval = Math.min(this.#interval * 3, LONGEST_INTERVAL);
  }

  #keep(record: Answer, by: number): void {
    const now = Date.now();
    const ttl = record.ttl ?? 0;
    if (record.flush === true) this.#flush(record, by, now);
    const key = `${by} ${recordKey(record)}`;
    const before = this.#cache.get(key);
    if (ttl === 0) {
      if (before !== undefined) before.expires = Math.min(before.expires, now + FAREWELL);
      return;
    }
    if (before === undefined && this.#cache.size >= MOST_RECORDS) return;
    this.#cache.set(key, { record, by, received: now, ttl, expires: now + ttl * 1000, renewed: 0 });
  }

  /** What is older than a second of the same name and type is no longer true. */
  #flush({ name, type }: Answer, by: number, now: number): void {
    for (const cached of this.#cache.values()) {
      if (cached.by !== by || cached.record.type !== type || !sameName(cached.record.name, name)) continue;
      if (now - cached.received > FAREWELL) cached.expires = Math.min(cached.expires, now + FAREWELL);
    }
  }

  /** Lets go of what is out of date, and asks again for what is about to be. */
  #sweep(): void {
    const now = Date.now();
    for (const [key, cached] of this.#cache) {
      if (cached.expires <= now) this.#cache.delete(key);
      else if (now >= cached.received + cached.ttl * 1000 * (RENEWALS[cached.renewed] ?? Infinity)) {
        cached.renewed++;
        this.#question([{ name: cached.record.name, type: cached.record.type }]);
      }
    }
    this.#compare();
  }

  #question(questions: Question[]): void {
    for (const by of this.#link.interfaces) this.#link.send({ type: "query", questions }, by);
  }

  #records(name: string, type: string): Answer[] {
    const found = [...this.#cache.values()].map(({ record }) => record);
    return found.filter((record) => record.type === type && sameName(record.name, name));
  }

  /** Reports services that are found, changed or lost since the last report. */
  #compare(): void {
    const now = new Map(this.#services().map((service) => [service.instance, service]));
    for (const [instance, service] of this.#told) {
      if (now.has(instance)) continue;
      this.#told.delete(instance);
      this.#tell("lost", service);
    }
    for (const [instance, service] of now) {
      if (JSON.stringify(this.#told.get(instance)) === JSON.stringify(service)) continue;
      this.#told.set(instance, service);
      this.#tell("found", service);
    }
  }

  /** The services of which all is known, and questions for what is lacking of the others. */
  #services(): Found[] {
    const names = new Set(this.#records(this.#type, "PTR").map(({ data }) => String(data)));
    return [...names].flatMap((name) => {
      const srv = this.#records(name, "SRV").find((record) => record.type === "SRV")?.data as
        | { target: string; port: number }
        | undefined;
      const txt = this.#records(name, "TXT").find((record) => record.type === "TXT")?.data as Uint8Array[] | undefined;
      if (srv === undefined || txt === undefined) return this.#missing(name, ["SRV", "TXT"]);
      const records = [...this.#records(srv.target, "A"), ...this.#records(srv.target, "AAAA")];
      const addresses = [...new Set(records.map(({ data }) => String(data)))].sort();
      if (addresses.length === 0) return this.#missing(srv.target, ["A", "AAAA"]);
      const instance = name.slice(0, -this.#type.length - 1);
      return [{ instance, host: srv.target, port: srv.port, addresses, txt: texts(txt).filter((text) => text !== "") }];
    });
  }

  /** Asks for what did not come by itself, once a second and three times in all. */
  #missing(name: string, types: readonly string[]): [] {
    const { times, last } = this.#asked.get(name) ?? { times: 0, last: 0 };
    const now = Date.now();
    if (times < MOST_QUESTIONS && now - last >= FIRST_INTERVAL) {
      this.#asked.set(name, { times: times + 1, last: now });
      this.#question(types.map((type) => ({ name, type })));
    }
    return [];
  }
}
