/**
 * Decoders of what the kernel and libc write, fed with bytes that no kernel writes: they end, stay within what they were given, and refuse
 * in their own words or not at all.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { decodeNet, decodeUnix } from "../../ffi/address/address.ts";
import { libc } from "../../ffi/libc/libc.ts";
import type { System } from "../../ffi/libc/system.ts";
import { readAddrinfo } from "../../ffi/struct/addrinfo.ts";
import { ControlCursor, controlSpace, writeControlMessage } from "../../ffi/struct/cmsg.ts";
import { decodePacketInfo4, decodePacketInfo6 } from "../../ffi/struct/in_pktinfo.ts";
import { formatIPv4, formatIPv6, parseIPv4, parseIPv6 } from "../../ffi/struct/ip.ts";
import { decodeLinger } from "../../ffi/struct/linger.ts";
import { readFamily, readInetAddress, readUnixAddress, writeInetAddress } from "../../ffi/struct/sockaddr.ts";
import { decodeTimespec, decodeTimeval } from "../../ffi/struct/timeval.ts";
import { decodeCredentials } from "../../ffi/struct/ucred.ts";
import { readDetails, segmentSize } from "../../ffi/udp/packet_info.ts";
import { systems } from "../struct/support.ts";
import { generator, randomBytes } from "../support/random.ts";

type Next = (limit: number) => number;

/** Memory around what a decoder is given: it shows in whatever reads beyond. */
const MARGIN = 64;

/** Bytes in the middle of others. */
function bytesOf(next: Next, length: number): Uint8Array<ArrayBuffer> {
  const memory = new Uint8Array(length + 2 * MARGIN).fill(0xee);
  memory.set(randomBytes(next, length), MARGIN);
  return memory.subarray(MARGIN, MARGIN + length);
}

/** Numbers that a decoder looks for, more often than chance would have them. */
function plausible(next: Next, bytes: Uint8Array, system: System): void {
  const { AF_INET, AF_INET6, AF_UNIX } = system.constants;
  const family = [AF_INET, AF_INET6, AF_UNIX][next(3)]!;
  if (bytes.length < 2 || next(2) === 0) return;
  bytes[0] = system.layout.sockaddrHasLength ? next(256) : family;
  bytes[1] = system.layout.sockaddrHasLength ? family : 0;
}

/** What a decoder may throw: a sentence of its own that says how much it wanted. */
function assertOwnRefusal(error: unknown): void {
  assert(error instanceof RangeError && /^A struct \w+ of \d+ bytes, expected \d+$/.test(error.message), String(error));
}

function refusing<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    assertOwnRefusal(error);
    return undefined;
  }
}

/** Control messages: now noise, now a header that is nearly right. */
function controlBytes(next: Next, system: System): Uint8Array<ArrayBuffer> {
  const bytes = bytesOf(next, next(256));
  const { constants, layout, options } = system;
  const levels = [constants.SOL_SOCKET, constants.IPPROTO_IP, constants.IPPROTO_IPV6, options.UDP_GRO?.level ?? 17];
  for (let at = 0; at < bytes.length && next(8) !== 0;) {
    const length = next(40);
    if (at + controlSpace(layout, length) > bytes.length) break;
    const type = next(3) === 0 ? next(2 ** 30) : next(110);
    const end = writeControlMessage(layout, bytes, at, levels[next(4)]!, type, randomBytes(next, length));
    // A length that is a little off, or by much.
    if (next(4) === 0) bytes[at] = next(256);
    at = end;
  }
  return bytes;
}

function walk(next: Next, system: System): void {
  const bytes = controlBytes(next, system);
  const cursor = new ControlCursor(system.layout, bytes);
  const offset = next(bytes.length + 1);
  const length = next(300);
  const end = Math.min(offset + length, bytes.length);
  cursor.begin(offset, length);
  let steps = 0;
  let last = offset;
  while (cursor.next()) {
    assert(++steps <= bytes.length, "the walk does not end");
    assert(cursor.start >= last && cursor.start <= cursor.end && cursor.end <= end, "a message outside its buffer");
    assertEquals(cursor.data.length, cursor.end - cursor.start);
    last = cursor.end;
  }
}

/** The decoders of this system's own messages, which throw nothing. */
function details(next: Next): void {
  const { system } = libc();
  const bytes = controlBytes(next, system);
  const cursor = new ControlCursor(system.layout, bytes);
  const read = readDetails(cursor, 0, bytes.length, bytes);
  for (const [name, value] of Object.entries(read)) {
    assert(typeof value === "number" ? Number.isFinite(value) : /^[\d.]+$|:/.test(value as string), `${name} ${value}`);
  }
  const size = segmentSize(cursor, 0, bytes.length);
  assert(size >= 0 && Number.isInteger(size), String(size));
}

function sockaddrs(next: Next, system: System): void {
  const bytes = bytesOf(next, 2 + next(140));
  plausible(next, bytes, system);
  const offset = next(4);
  const length = next(200);
  readFamily(system, bytes, 0);
  const inet = readInetAddress(system, bytes, offset, length);
  if (inet !== null) {
    assertEquals(inet.address.length, inet.family === "inet" ? 4 : 16);
    const again = new Uint8Array(128);
    const written = writeInetAddress(system, again, 0, inet);
    assertEquals(readInetAddress(system, again, 0, written), inet);
  }
  const path = readUnixAddress(system, bytes, offset, length);
  assert(path === null || path.length <= bytes.length);
}

function texts(next: Next): void {
  const v4 = randomBytes(next, 4);
  assertEquals(parseIPv4(formatIPv4(v4)), v4);
  const v6 = randomBytes(next, 16).map((byte) => next(2) === 0 ? 0 : byte);
  assertEquals(parseIPv6(formatIPv6(v6))?.bytes, v6);
  const characters = "0123456789abcdefABCDEF.:%[]xX -\0é";
  const text = Array.from({ length: next(48) }, () => characters[next(characters.length)]!).join("");
  for (const parsed of [parseIPv4(text), parseIPv6(text)?.bytes ?? null]) {
    assert(parsed === null || parsed.length === 4 || parsed.length === 16, text);
  }
}

function structures(next: Next, system: System): void {
  const bytes = bytesOf(next, next(64));
  const decoded = [
    refusing(() => decodeTimeval(system.layout, bytes)),
    refusing(() => decodeTimespec(bytes)),
    refusing(() => decodeLinger(bytes)),
    system.layout.ucred === null ? undefined : refusing(() => decodeCredentials(system.layout, bytes).uid),
  ];
  for (const number of decoded) assert(number === undefined || number === null || Number.isFinite(number));
  for (const decode of [decodePacketInfo4, decodePacketInfo6]) {
    const info = refusing(() => decode(bytes));
    if (info !== undefined) assert(info.address.byteOffset + info.address.length <= bytes.byteOffset + bytes.length);
  }
  const addrinfo = refusing(() => readAddrinfo(system, bytes));
  assert(addrinfo === undefined || addrinfo.addrlen < 2 ** 32);
}

function decodedHere(next: Next): void {
  const { system } = libc();
  const bytes = new Uint8Array(128);
  bytes.set(randomBytes(next, next(128)));
  plausible(next, bytes, system);
  const { hostname, port } = decodeNet("udp", bytes);
  assert(hostname.length > 0 && !hostname.includes("undefined") && port >= 0 && port < 65_536, `${hostname} ${port}`);
  const { path } = decodeUnix("unix", bytes, next(200));
  assert(path === null || path.length > 0);
}

/** Registers the tests, with so many inputs for each kind of decoder. */
export function registerDecoders(seed: number, inputs: number): void {
  const each = (name: string, feed: (next: Next, system: System) => void) =>
    it(name, () => {
      for (const [index, system] of systems.entries()) {
        const next = generator(seed + index);
        for (let count = 0; count < inputs; count++) feed(next, system);
      }
    });
  each("of control messages end, and stay within their bytes", walk);
  each("of what comes beside a datagram pass over what is cut short", details);
  each("of addresses read what was written, and nothing behind it", sockaddrs);
  each("of structures refuse bytes that were cut short", structures);
  each("of addresses in text read what they write", texts);
  each("of this system's addresses find words for any bytes", decodedHere);
}
