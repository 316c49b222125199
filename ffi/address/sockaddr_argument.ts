import { libc } from "../libc/libc.ts";
import { readFamily, readUnixAddress, SOCKADDR_STORAGE_SIZE } from "../struct/sockaddr.ts";
import {
  decodeInet,
  decodeNet,
  encodeInet,
  encodeUnix,
  formatAddress,
  formatHost,
  parseHost,
  parsePort,
  type UnixAddr,
} from "./address.ts";
import { requireEveryHost, requireNet, requireUnix } from "./permissions.ts";
import { isBytes, lengthOf } from "../validate/bytes.ts";
import { quote } from "../validate/quote.ts";
import { socketName } from "./sockname.ts";

/** An address as Socket takes it: Deno's type, ours for Unix sockets, or the bytes of a sockaddr. */
export type SocketAddress = Deno.NetAddr | UnixAddr | Uint8Array;

/** An address ready for a system call, with the words to name it by. */
export interface EncodedAddress {
  readonly sockaddr: Uint8Array<ArrayBuffer>;
  readonly text: string;
}

function encodeBytes(bytes: Uint8Array): EncodedAddress {
  const { system } = libc();
  const length = lengthOf(bytes);
  if (length < 2 || length > SOCKADDR_STORAGE_SIZE) {
    throw new TypeError(`A sockaddr of ${length} bytes, expected 2 to ${SOCKADDR_STORAGE_SIZE}`);
  }
  const sockaddr = new Uint8Array(bytes);
  const family = readFamily(system, sockaddr, 0);
  const { AF_INET, AF_INET6, AF_UNIX } = system.constants;
  if ((family === AF_INET && sockaddr.length >= 16) || (family === AF_INET6 && sockaddr.length >= 28)) {
    const address = decodeNet("udp", sockaddr);
    requireNet(address.hostname, address.port);
    return { sockaddr, text: formatAddress(address) };
  }
  const path = family === AF_UNIX ? readUnixAddress(system, sockaddr, 0, sockaddr.length) : null;
  if (path !== null) requireUnix(path);
  else requireEveryHost(`address family ${family}`);
  return { sockaddr, text: path ?? `(address family ${family})` };
}

/** Encodes an address for bind, connect or sendto, and asks for the permission it needs. Names are not looked up here.
 */
export function encodeSocketAddress(address: SocketAddress): EncodedAddress {
  if (isBytes(address)) return encodeBytes(address);
  if (address !== null && typeof address === "object" && "hostname" in address) {
    const port = parsePort(address.port);
    const inet = parseHost(String(address.hostname), port);
    if (inet === null) {
      throw new TypeError(`Not an IP address: ${quote(address.hostname)}; resolveAddress looks names up`);
    }
    requireNet(address.hostname, port);
    return { sockaddr: encodeInet(inet), text: formatAddress(address) };
  }
  if (address !== null && typeof address === "object" && "path" in address) {
    const path: unknown = address.path ?? "";
    if (typeof path !== "string") throw new TypeError(`Invalid path: ${quote(path)}, expected text or null`);
    const sockaddr = encodeUnix(path);
    if (address.path) requireUnix(address.path);
    return { sockaddr, text: formatAddress(address) };
  }
  throw new TypeError(
    `Not an address: ${quote(address)}, expected { hostname, port }, { path } or a sockaddr`,
  );
}

/** listen(2) binds a socket that is not bound yet: for that it takes the permission which the bind would have. */
export function requireListening(fd: number): void {
  const address = decodeInet(socketName(fd));
  if (address !== null && address.port === 0) requireNet(formatHost(address), 0);
}
