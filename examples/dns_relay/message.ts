/**
 * The messages of DNS, as far as dns_relay.ts needs them: RFC 1035, section 4.
 *
 * @module
 */

/** The types of record we answer for, and a few to print by name. */
export const TYPES: Readonly<Record<number, string>> = {
  1: "A",
  2: "NS",
  5: "CNAME",
  6: "SOA",
  15: "MX",
  16: "TXT",
  28: "AAAA",
};

/** What an answer says of itself. */
export const Rcode = { formatError: 1, serverFailure: 2, nameError: 3, notImplemented: 4 } as const;

/** A record of address: its type, its bytes, and how it is written. */
export interface Address {
  type: number;
  bytes: Uint8Array;
  text: string;
}

/** Addresses by name, in lower case and without the last dot. */
export type Zone = Map<string, Address[]>;

/** What is asked. */
export interface Question {
  name: string;
  type: number;
  /** Where the question ends in its message. */
  end: number;
  /** Why it is not answered. */
  refusal?: number;
}

/** How long others may remember an answer, in seconds. */
const TTL = 60;

/** How long an answer may be that was asked for without EDNS, in bytes. */
const LONGEST_ANSWER = 512;

/** How long a name may be. */
const LONGEST_NAME = 255;

/** The one question of a query; null for what is no query at all, and must not be answered. */
export function readQuestion(query: Uint8Array): Question | null {
  if (query.length < 12 || query[2]! >> 7 === 1) return null; // An answer: answering those goes on forever.
  const nothing = { name: "?", type: 0, end: 12 };
  if ((query[2]! >> 3 & 15) !== 0) return { ...nothing, refusal: Rcode.notImplemented };
  const labels: string[] = [];
  let end = 12;
  for (;;) {
    const length = query[end++];
    if (length === 0) break;
    // No question has cause to point elsewhere, as the lengths beyond 63 do.
    if (length === undefined || length > 63 || end + length > Math.min(query.length, 12 + LONGEST_NAME)) {
      return { ...nothing, refusal: Rcode.formatError };
    }
    // Names are bytes; what the terminal might obey, and a dot within a label, is shown as a question mark.
    labels.push(String.fromCharCode(...query.subarray(end, end += length)).replaceAll(/[^\x21-\x2d\x2f-\x7e]/g, "?"));
  }
  const view = new DataView(query.buffer, query.byteOffset, query.length);
  if (view.getUint16(4) !== 1 || end + 4 > query.length || view.getUint16(end + 2) !== 1) {
    return { ...nothing, refusal: Rcode.formatError };
  }
  return { name: labels.join(".").toLowerCase() || ".", type: view.getUint16(end), end: end + 4 };
}

/** Header and question of an answer, with room for more. */
function begin(
  query: Uint8Array,
  { end }: Question,
  rcode: number,
  answers: number,
  room: number,
): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(end + room);
  message.set(query.subarray(0, end));
  message[2] = query[2]! & 0x79 | 0x84; // An answer, ours to give; opcode and "recursion desired" as in the query.
  message[3] = rcode;
  message.set([0, end === 12 ? 0 : 1, 0, answers, 0, 0, 0, 0], 4);
  return message;
}

/** The answer with these addresses, none perhaps, or as many as fit. */
export function answer(query: Uint8Array, question: Question, addresses: readonly Address[]): Uint8Array<ArrayBuffer> {
  let length = question.end;
  const fitting = addresses.filter(({ bytes }) => (length += 12 + bytes.length) <= LONGEST_ANSWER);
  const room = fitting.reduce((sum, { bytes }) => sum + 12 + bytes.length, 0);
  const message = begin(query, question, 0, fitting.length, room);
  if (fitting.length < addresses.length) message[2]! |= 0x02; // Cut.
  const view = new DataView(message.buffer);
  let at = question.end;
  for (const { type, bytes } of fitting) {
    view.setUint16(at, 0xc00c); // The name: that of the question, at byte 12.
    view.setUint16(at + 2, type);
    view.setUint16(at + 4, 1);
    view.setUint32(at + 6, TTL);
    view.setUint16(at + 10, bytes.length);
    message.set(bytes, at + 12);
    at += 12 + bytes.length;
  }
  return message;
}

/** The answer that says why there is none. */
export function refuse(query: Uint8Array, question: Question, rcode: number): Uint8Array<ArrayBuffer> {
  return begin(query, question, rcode, 0, 0);
}

/** Reads "name=address". */
export function readRecord(text: string): [name: string, address: Address] {
  const [, name, address] = text.match(/^([\w.-]+)=([\d.]+|[\da-f:.]+)$/i) ?? [];
  const bytes = address === undefined ? null : address.includes(":") ? readIPv6(address) : readIPv4(address);
  if (bytes === null) throw new TypeError(`--record ${text}: expected NAME=ADDRESS, such as host.test=192.0.2.1`);
  return [name!.toLowerCase().replace(/\.$/, ""), { type: bytes.length === 4 ? 1 : 28, bytes, text: address! }];
}

function readIPv4(text: string): Uint8Array | null {
  const parts = text.split(".").map(Number);
  return /^\d+(\.\d+){3}$/.test(text) && parts.every((part) => part < 256) ? Uint8Array.from(parts) : null;
}

function readIPv6(text: string): Uint8Array | null {
  // A URL writes it in one way: groups of hexadecimal digits, and perhaps one gap.
  const url = URL.parse(`http://[${text}]/`);
  if (url === null) return null;
  const [left, right] = url.hostname.slice(1, -1).split("::").map((side) => side === "" ? [] : side.split(":"));
  const gap = right === undefined ? [] : Array(8 - left!.length - right.length).fill("0");
  const groups = [...left!, ...gap, ...right ?? []].map((group) => parseInt(group, 16));
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}
