/**
 * The part of the DNS message format that dns_relay.ts needs: RFC 1035, section 4.
 *
 * @module
 */

/** Names of common record types. Only A and AAAA are answered. */
export const TYPES: Readonly<Record<number, string>> = {
  1: "A",
  2: "NS",
  5: "CNAME",
  6: "SOA",
  15: "MX",
  16: "TXT",
  28: "AAAA",
};

/** Response codes. */
export const Rcode = { formatError: 1, serverFailure: 2, nameError: 3, notImplemented: 4 } as const;

/** An A or AAAA record: its type, and the address as bytes and as text. */
export interface Address {
  type: number;
  bytes: Uint8Array;
  text: string;
}

/** Addresses by name. Names are in lower case and have no trailing dot. */
export type Zone = Map<string, Address[]>;

/** The question of a query. */
export interface Question {
  name: string;
  type: number;
  /** Offset of the end of the question in its message. */
  end: number;
  /** Response code with which the query is refused, if it is. */
  refusal?: number;
}

/** Time to live of an answer, in seconds. */
const TTL = 60;

/** Maximum length of an answer without EDNS, in bytes. */
const LONGEST_ANSWER = 512;

/** Maximum length of a name, in bytes. */
const LONGEST_NAME = 255;

/** Parses the question of a query. Returns null for a message that is not a query and must not be answered. */
export function readQuestion(query: Uint8Array): Question | null {
  if (query.length < 12 || query[2]! >> 7 === 1) return null; // Answering a response could go on for ever.
  const nothing = { name: "?", type: 0, end: 12 };
  if ((query[2]! >> 3 & 15) !== 0) return { ...nothing, refusal: Rcode.notImplemented };
  const labels: string[] = [];
  let end = 12;
  for (;;) {
    const length = query[end++];
    if (length === 0) break;
    // Lengths beyond 63 are compression pointers, which a question does not need.
    if (length === undefined || length > 63 || end + length > Math.min(query.length, 12 + LONGEST_NAME)) {
      return { ...nothing, refusal: Rcode.formatError };
    }
    // Control characters and dots within a label are shown as question marks.
    labels.push(String.fromCharCode(...query.subarray(end, end += length)).replaceAll(/[^\x21-\x2d\x2f-\x7e]/g, "?"));
  }
  const view = new DataView(query.buffer, query.byteOffset, query.length);
  if (view.getUint16(4) !== 1 || end + 4 > query.length || view.getUint16(end + 2) !== 1) {
    return { ...nothing, refusal: Rcode.formatError };
  }
  return { name: labels.join(".").toLowerCase() || ".", type: view.getUint16(end), end: end + 4 };
}

/** Makes the header and the question of an answer, followed by `room` bytes. */
function begin(
  query: Uint8Array,
  { end }: Question,
  rcode: number,
  answers: number,
  room: number,
): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(end + room);
  message.set(query.subarray(0, end));
  message[2] = query[2]! & 0x79 | 0x84; // An authoritative response; opcode and "recursion desired" of the query.
  message[3] = rcode;
  message.set([0, end === 12 ? 0 : 1, 0, answers, 0, 0, 0, 0], 4);
  return message;
}

/** Makes the answer with these addresses, or with as many of them as fit. */
export function answer(query: Uint8Array, question: Question, addresses: readonly Address[]): Uint8Array<ArrayBuffer> {
  let length = question.end;
  const fitting = addresses.filter(({ bytes }) => (length += 12 + bytes.length) <= LONGEST_ANSWER);
  const room = fitting.reduce((sum, { bytes }) => sum + 12 + bytes.length, 0);
  const message = begin(query, question, 0, fitting.length, room);
  if (fitting.length < addresses.length) message[2]! |= 0x02; // Truncated.
  const view = new DataView(message.buffer);
  let at = question.end;
  for (const { type, bytes } of fitting) {
    view.setUint16(at, 0xc00c); // A pointer to the name of the question, at byte 12.
    view.setUint16(at + 2, type);
    view.setUint16(at + 4, 1);
    view.setUint32(at + 6, TTL);
    view.setUint16(at + 10, bytes.length);
    message.set(bytes, at + 12);
    at += 12 + bytes.length;
  }
  return message;
}

/** Makes an answer without records and with a response code. */
export function refuse(query: Uint8Array, question: Question, rcode: number): Uint8Array<ArrayBuffer> {
  return begin(query, question, rcode, 0, 0);
}

/** Parses "name=address". */
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
  // A URL normalises the address to groups of hexadecimal digits with at most one "::".
  const url = URL.parse(`http://[${text}]/`);
  if (url === null) return null;
  const [left, right] = url.hostname.slice(1, -1).split("::").map((side) => side === "" ? [] : side.split(":"));
  const gap = right === undefined ? [] : Array(8 - left!.length - right.length).fill("0");
  const groups = [...left!, ...gap, ...right ?? []].map((group) => parseInt(group, 16));
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}
