/**
 * The records of DNS-based service discovery, RFC 6763, in multicast DNS, RFC 6762.
 *
 * @module
 */
import type { InterfaceAddress } from "../../mod.ts";
import type { Answer } from "../npm/dns_packet.ts";

export type { Answer };

/** A service that is announced. */
export interface Service {
  /** One label: "My page". */
  instance: string;
  /** "_http._tcp". */
  type: string;
  /** One label: "laptop". */
  host: string;
  port: number;
  txt: string[];
}

/** The name that lists the types of all services. */
const TYPES = "_services._dns-sd._udp.local";

/** Seconds that records are kept: those with a host's name or address, and others. RFC 6762, section 10. */
const HOST_TTL = 120;
const OTHER_TTL = 4500;

export function typeName({ type }: Service): string {
  return `${type}.local`;
}

export function instanceName(service: Service): string {
  return `${service.instance}.${typeName(service)}`;
}

export function hostName({ host }: Service): string {
  return `${host}.local`;
}

/** Records that several hosts may have. */
export function sharedRecords(service: Service): Answer[] {
  return [
    { name: typeName(service), type: "PTR", ttl: OTHER_TTL, data: instanceName(service) },
    { name: TYPES, type: "PTR", ttl: OTHER_TTL, data: typeName(service) },
  ];
}

/** Records that only one host may have: their names are probed for, and they replace what others have remembered. */
export function uniqueRecords(service: Service, addresses: readonly InterfaceAddress[]): Answer[] {
  const [instance, host] = [instanceName(service), hostName(service)];
  const txt = service.txt.length === 0 ? [""] : service.txt;
  return [
    {
      name: instance,
      type: "SRV",
      ttl: HOST_TTL,
      flush: true,
      data: { priority: 0, weight: 0, port: service.port, target: host },
    },
    { name: instance, type: "TXT", ttl: OTHER_TTL, flush: true, data: txt },
    ...addresses.map(({ address, family }): Answer => {
      return { name: host, type: family === "inet" ? "A" : "AAAA", ttl: HOST_TTL, flush: true, data: address };
    }),
  ];
}

const decoder = new TextDecoder();

/** The strings of a TXT record. */
export function texts(data: readonly (string | Uint8Array)[]): string[] {
  return data.map((one) => typeof one === "string" ? one : decoder.decode(one));
}

/** The data of a record in one string. */
export function dataKey({ type, data }: Answer): string {
  switch (type) {
    case "SRV":
      return `${data.port} ${data.target.toLowerCase()}`;
    case "TXT":
      return JSON.stringify(texts(data));
    case "PTR":
      return data.toLowerCase();
    default:
      return String(data).toLowerCase();
  }
}

/** Names are compared without regard to case. */
export function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** The same name, type and data in one string. */
export function recordKey(record: Answer): string {
  return `${record.name.toLowerCase()} ${record.type} ${dataKey(record)}`;
}

/** A label for a terminal: control characters, which a sender may have put there, are left out. */
export function shown(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, "");
}
