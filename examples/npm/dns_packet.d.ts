import type { Buffer } from "node:buffer";

/** The part of dns-packet 5.6 that the examples use. */

/** A question. `class` of a decoded one that asks for a unicast answer is "UNKNOWN_32769". */
export interface Question {
  name: string;
  type: string;
  class?: string;
}

interface Named<T extends string, D> {
  name: string;
  type: T;
  class?: string;
  /** Seconds. */
  ttl?: number;
  /** The cache-flush bit of multicast DNS. */
  flush?: boolean;
  data: D;
}

/** Where a service is. */
export interface Srv {
  priority?: number;
  weight?: number;
  port: number;
  target: string;
}

/** A resource record of the types that DNS-SD is made of. */
export type Answer =
  | Named<"PTR", string>
  | Named<"SRV", Srv>
  | Named<"TXT", (string | Uint8Array)[]>
  | Named<"A", string>
  | Named<"AAAA", string>;

/** A message to be encoded. */
export interface Packet {
  id?: number;
  type: "query" | "response";
  flags?: number;
  questions?: Question[];
  answers?: Answer[];
  authorities?: Answer[];
  additionals?: Answer[];
}

/** A decoded message. Its records may be of any type. */
export interface DecodedPacket {
  id: number;
  type: "query" | "response";
  /** Whether more follows in another message. */
  flag_tc: boolean;
  rcode: string;
  questions: Question[];
  answers: Answer[];
  authorities: Answer[];
  additionals: Answer[];
}

/** Throws for what cannot be encoded. */
export function encode(packet: Packet): Uint8Array<ArrayBuffer>;

/** Throws for bytes that are no DNS message. */
export function decode(bytes: Buffer): DecodedPacket;
