/** struct sockaddr_in, sockaddr_in6 and sockaddr_un: ip(7), ipv6(7), unix(7), <sys/socket.h>. */

import type { System } from "../libc/system.ts";

/** The members of a struct sockaddr_in or sockaddr_in6, in host order. */
export type InetAddress = {
  family: "inet" | "inet6";
  /** 4 or 16 bytes in network order. */
  address: Uint8Array;
  port: number;
  /** sin6_scope_id; 0 with "inet". */
  scopeId: number;
  /** sin6_flowinfo; undefined where it is 0. */
  flowInfo?: number;
};

/** The part of a system's table that addresses depend on. */
export type SockaddrSystem = Pick<System, "constants" | "layout">;

/** sizeof(struct sockaddr_storage): room for an address of any family. */
export const SOCKADDR_STORAGE_SIZE = 128;
/** sizeof(struct sockaddr_in). */
export const SOCKADDR_IN_SIZE = 16;
/** sizeof(struct sockaddr_in6). */
export const SOCKADDR_IN6_SIZE = 28;
/** offsetof(struct sockaddr_in, sin_addr). */
export const SIN_ADDR = 4;
/** offsetof(struct sockaddr_in6, sin6_addr). */
export const SIN6_ADDR = 8;

/** Characters of a path that errors show. */
const LONGEST_SHOWN = 200;

const encoder = new TextEncoder();
// Without ignoreBOM, a U+FEFF at the start of a path would be dropped as a byte order mark.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** Writes a struct sockaddr_in or sockaddr_in6 and returns its length in bytes. */
export function writeInetAddress(system: SockaddrSystem, target: Uint8Array, offset: number, a: InetAddress): number {
  const v4 = a.family === "inet";
  const length = v4 ? SOCKADDR_IN_SIZE : SOCKADDR_IN6_SIZE;
  assertRoom(target, offset, length);
  if (a.address.length !== (v4 ? 4 : 16)) {
    throw new TypeError(`An address of family "${a.family}" cannot have ${a.address.length} bytes`);
  }
  writeFamily(system, target, offset, length, v4 ? system.constants.AF_INET : system.constants.AF_INET6);
  target[offset + 2] = a.port >> 8;
  target[offset + 3] = a.port;
  if (v4) {
    for (let index = 0; index < 4; index++) target[offset + SIN_ADDR + index] = a.address[index]!;
    target.fill(0, offset + 8, offset + SOCKADDR_IN_SIZE);
    return length;
  }
  const flowInfo = a.flowInfo ?? 0;
  target[offset + 4] = flowInfo >>> 24;
  target[offset + 5] = flowInfo >>> 16;
  target[offset + 6] = flowInfo >>> 8;
  target[offset + 7] = flowInfo;
  for (let index = 0; index < 16; index++) target[offset + SIN6_ADDR + index] = a.address[index]!;
  target[offset + 24] = a.scopeId;
  target[offset + 25] = a.scopeId >>> 8;
  target[offset + 26] = a.scopeId >>> 16;
  target[offset + 27] = a.scopeId >>> 24;
  return length;
}

/** sa_family, numbered by the system. */
export function readFamily(system: SockaddrSystem, source: Uint8Array, offset: number): number {
  return system.layout.sockaddrHasLength ? source[offset + 1]! : source[offset]! | (source[offset + 1]! << 8);
}

/**
 * sin_port, which has the offset of sin6_port. Together with formatIPv4 at SIN_ADDR it reads the sender of a datagram
 * without allocating an array, which would take longer than the system call.
 */
export function readPort(source: Uint8Array, offset: number): number {
  return (source[offset + 2]! << 8) | source[offset + 3]!;
}

/** sin6_scope_id. */
export function readScopeId(source: Uint8Array, offset: number): number {
  return (source[offset + 24]! | (source[offset + 25]! << 8) | (source[offset + 26]! << 16) |
    (source[offset + 27]! << 24)) >>> 0;
}

/** Decodes a struct sockaddr_in or sockaddr_in6. Returns null for another family, or where it is too short. */
export function readInetAddress(
  system: SockaddrSystem,
  source: Uint8Array,
  offset: number,
  length: number,
): InetAddress | null {
  const room = Math.min(length, source.length - offset);
  if (room < SOCKADDR_IN_SIZE) return null;
  const family = readFamily(system, source, offset);
  const port = readPort(source, offset);
  if (family === system.constants.AF_INET) {
    return { family: "inet", address: source.slice(offset + SIN_ADDR, offset + SIN_ADDR + 4), port, scopeId: 0 };
  }
  if (family !== system.constants.AF_INET6 || room < SOCKADDR_IN6_SIZE) return null;
  const address = source.slice(offset + SIN6_ADDR, offset + SIN6_ADDR + 16);
  const scopeId = readScopeId(source, offset);
  const flowInfo = ((source[offset + 4]! << 24) | (source[offset + 5]! << 16) | (source[offset + 6]! << 8) |
    source[offset + 7]!) >>> 0;
  return flowInfo === 0
    ? { family: "inet6", address, port, scopeId }
    : { family: "inet6", address, port, scopeId, flowInfo };
}

/**
 * Writes a struct sockaddr_un and returns its length in bytes: unix(7), "Address format". An empty path is the unnamed
 * address, for which bind(2) on Linux chooses an abstract name; a path that begins with a NUL is an abstract name.
 */
export function writeUnixAddress(
  system: SockaddrSystem & Pick<System, "name" | "abstractUnixNames">,
  target: Uint8Array,
  offset: number,
  path: string,
): number {
  const { path: start, pathSize } = system.layout.sockaddr_un;
  if (!path.isWellFormed()) throw new TypeError(`Path ${shown(path)} is not well-formed Unicode`);
  const abstract = path.startsWith("\0");
  if (abstract && !system.abstractUnixNames) {
    throw new Deno.errors.NotSupported(
      `Path ${shown(path)} is an abstract name, which ${system.name} does not support`,
    );
  }
  if (!abstract && path.includes("\0")) {
    throw new TypeError(`Path ${shown(path)} contains a NUL, which would end a Unix socket path`);
  }
  const name = encoder.encode(path);
  // Linux accepts a path that fills sun_path without a final NUL, but programs that read it back as a C string fail.
  const most = abstract ? pathSize : pathSize - 1;
  if (name.length > most) {
    throw new TypeError(
      `Path ${shown(path)} has ${name.length} bytes, expected at most ${most} for a Unix socket path`,
    );
  }
  const length = start + name.length + (abstract || name.length === 0 ? 0 : 1);
  assertRoom(target, offset, length);
  writeFamily(system, target, offset, length, system.constants.AF_UNIX);
  target.set(name, offset + start);
  target.fill(0, offset + start + name.length, offset + length);
  return length;
}

/** Decodes sun_path of a struct sockaddr_un: "\0name" for an abstract name, null for an unnamed socket or another
 * family. */
export function readUnixAddress(
  system: SockaddrSystem & Pick<System, "abstractUnixNames">,
  source: Uint8Array,
  offset: number,
  length: number,
): string | null {
  const start = offset + system.layout.sockaddr_un.path;
  // The system reports the full length of an address even if the buffer held only part of it.
  const end = Math.min(offset + length, source.length);
  if (end <= start || readFamily(system, source, offset) !== system.constants.AF_UNIX) return null;
  if (system.abstractUnixNames && source[start] === 0) return decodeName(source.subarray(start, end));
  let stop = start;
  while (stop < end && source[stop] !== 0) stop++;
  return stop === start ? null : decodeName(source.subarray(start, stop));
}

/** The text of a name; null for bytes that are not UTF-8: decoded with replacement characters, the name would be
 * another socket's. */
function decodeName(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

function writeFamily(
  system: SockaddrSystem,
  target: Uint8Array,
  offset: number,
  length: number,
  family: number,
): void {
  target[offset] = system.layout.sockaddrHasLength ? length : family;
  target[offset + 1] = system.layout.sockaddrHasLength ? family : family >> 8;
}

/** A path as errors quote it: a whole file given by mistake is cut. */
function shown(path: string): string {
  return JSON.stringify(path.length > LONGEST_SHOWN ? `${path.slice(0, LONGEST_SHOWN)}…` : path);
}

/** Throws a RangeError where an address would not fit. Writes past the end of a typed array are silently dropped, and
 * the kernel would read stale bytes. */
function assertRoom(target: Uint8Array, offset: number, length: number): void {
  if (offset < 0 || offset + length > target.length) {
    throw new RangeError(`A socket address of ${length} bytes does not fit ${target.length} bytes at ${offset}`);
  }
}
