import { libc } from "../libc/libc.ts";
import { thisSystem } from "../libc/host.ts";
import { formatIPv4, formatIPv6, isMulticastIPv4, isMulticastIPv6, parseIPv4, parseIPv6 } from "../struct/ip.ts";
import {
  type InetAddress,
  readFamily,
  readInetAddress,
  readPort,
  readScopeId,
  readUnixAddress,
  SIN6_ADDR,
  SIN_ADDR,
  SOCKADDR_STORAGE_SIZE,
  writeInetAddress,
  writeUnixAddress,
} from "../struct/sockaddr.ts";
import { interfaceName, zoneIndex } from "./interface.ts";
import { quote } from "../validate/quote.ts";

/** The address of a Unix domain socket of any type: sockaddr_un of unix(7).
 *
 * @example
 * ```ts
 * import { resolveAddress, type UnixAddr } from "@berkeley/sockets";
 *
 * const addr: UnixAddr = await resolveAddress("unix", "@bus");
 * console.log(addr); // { transport: "unix", path: "\0bus" }
 * ```
 */
export interface UnixAddr {
  /** "unix" for streams, "unixpacket" for datagrams, "seqpacket" for SOCK_SEQPACKET. */
  transport: "unix" | "unixpacket" | "seqpacket";
  /** A file path, "\0name" for an abstract name, or null for an unnamed socket and for a name that is not UTF-8. */
  path: string | null;
}

/** A port as Deno takes it: a number, or one in digits. `what` is its name in errors. */
export function parsePort(port: unknown, otherwise?: number, what = "port"): number {
  if (port === undefined || port === null) {
    if (otherwise !== undefined) return otherwise;
    throw new TypeError(`Invalid ${what}: ${port}, expected a whole number from 0 to 65535`);
  }
  const digits = typeof port === "string" && /^-?\d+$/.test(port);
  const number = digits ? Number(port) : port;
  if (typeof number !== "number" || !Number.isInteger(number)) {
    // Deno's own words, except that text is quoted: it may look like a number.
    const shown = typeof port === "string" ? `'${port.slice(0, 200)}'` : quote(port);
    throw new TypeError(`Invalid ${what}: ${shown}, expected a whole number from 0 to 65535`);
  }
  if (number < 0 || number > 65535) {
    throw new RangeError(`Invalid ${what} (out of range): ${number}, expected 0 to 65535`);
  }
  return number + 0;
}

/** The port of a peer. Nothing receives at port 0: the system would take it, and no answer could ever come. */
export function parsePeerPort(given: unknown): number {
  const port = parsePort(given);
  if (port !== 0) return port;
  throw new RangeError("Invalid port (out of range): 0, expected 1 to 65535 for a peer");
}

/** Parses an IP address, with or without brackets. Returns null for anything else, such as a name. */
export function parseHost(hostname: string, port: number): InetAddress | null {
  if (typeof hostname !== "string") {
    throw new TypeError(`Invalid hostname: ${quote(hostname)}, expected an IP address or a name`);
  }
  const v4 = parseIPv4(hostname);
  if (v4 !== null) return { family: "inet", address: v4, port, scopeId: 0 };
  const bare = hostname.startsWith("[") && hostname.endsWith("]") ? hostname.slice(1, -1) : hostname;
  const v6 = parseIPv6(bare);
  if (v6 === null) return null;
  const scopeId = v6.zone === "" ? 0 : zoneIndex(v6.zone);
  return { family: "inet6", address: v6.bytes, port, scopeId };
}

export function isMulticast(address: InetAddress): boolean {
  return address.family === "inet" ? isMulticastIPv4(address.address) : isMulticastIPv6(address.address);
}

/** Formats an address without its port, with its zone. */
export function formatHost(address: InetAddress): string {
  if (address.family === "inet") return formatIPv4(address.address);
  const host = formatIPv6(address.address);
  return address.scopeId === 0 ? host : `${host}%${interfaceName(address.scopeId)}`;
}

/** Formats an address: "127.0.0.1:80", "[::1]:80", a path, "@name" for an abstract name, "(unnamed)". */
export function formatAddress(address: Deno.NetAddr | UnixAddr | Deno.Addr): string {
  if ("hostname" in address) {
    const { hostname, port } = address;
    return hostname.includes(":") && !hostname.startsWith("[") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
  }
  if (!("path" in address) || !address.path) return "(unnamed)";
  return address.path.startsWith("\0") ? `@${address.path.slice(1)}` : address.path;
}

/** Encodes a struct sockaddr_in or sockaddr_in6. */
export function encodeInet(address: InetAddress): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SOCKADDR_STORAGE_SIZE);
  return bytes.slice(0, writeInetAddress(libc().system, bytes, 0, address));
}

/** Encodes a struct sockaddr_un; "" is the unnamed address. Throws TypeError for a path that does not fit. */
export function encodeUnix(path: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SOCKADDR_STORAGE_SIZE);
  return bytes.slice(0, writeUnixAddress(thisSystem(), bytes, 0, path));
}

/** The text of recent IPv4 addresses: a socket receives from few. */
const hostnames = new Map<number, string>();
const MOST_HOSTNAMES = 1024;

function hostnameV4(sockaddr: Uint8Array, at: number): string {
  const key = (sockaddr[at]! << 24) | (sockaddr[at + 1]! << 16) | (sockaddr[at + 2]! << 8) | sockaddr[at + 3]!;
  let hostname = hostnames.get(key);
  if (hostname === undefined) {
    if (hostnames.size === MOST_HOSTNAMES) hostnames.clear();
    hostname = formatIPv4(sockaddr, at);
    hostnames.set(key, hostname);
  }
  return hostname;
}

/** Decodes a struct sockaddr_in or sockaddr_in6 at `offset`. Any other family decodes as the unspecified address,
 * 0.0.0.0 port 0. */
export function decodeNet(transport: "tcp" | "udp", sockaddr: Uint8Array, offset = 0): Deno.NetAddr {
  const { constants } = libc().system;
  const family = readFamily(libc().system, sockaddr, offset);
  if (family === constants.AF_INET) {
    return { transport, hostname: hostnameV4(sockaddr, offset + SIN_ADDR), port: readPort(sockaddr, offset) };
  }
  if (family !== constants.AF_INET6) return { transport, hostname: "0.0.0.0", port: 0 };
  const host = formatIPv6(sockaddr, offset + SIN6_ADDR);
  const scope = readScopeId(sockaddr, offset);
  const hostname = scope === 0 ? host : `${host}%${interfaceName(scope)}`;
  return { transport, hostname, port: readPort(sockaddr, offset) };
}

/** Decodes a struct sockaddr_un of `length` bytes. */
export function decodeUnix(transport: UnixAddr["transport"], sockaddr: Uint8Array, length: number): UnixAddr {
  return { transport, path: readUnixAddress(libc().system, sockaddr, 0, length) };
}

/** Decodes a struct sockaddr_in or sockaddr_in6; null for another family. */
export function decodeInet(sockaddr: Uint8Array): InetAddress | null {
  return readInetAddress(libc().system, sockaddr, 0, sockaddr.length);
}
