import { libc } from "../libc/libc.ts";
import { readFamily, readUnixAddress, SOCKADDR_STORAGE_SIZE } from "../struct/sockaddr.ts";
import {
  decodeInet,
  decodeNet,
  encodeInet,
  formatAddress,
  formatHost,
  parseHost,
  parsePeerPort,
  parsePort,
  type UnixAddr,
} from "./address.ts";
import { requireEveryHost, requireEveryPath, requireNet, requireUnix } from "./permissions.ts";
import { isBytes, lengthOf } from "../validate/bytes.ts";
import { getOption } from "../option/option.ts";
import { sockopt } from "../option/sockopt.ts";
import { quote } from "../validate/quote.ts";
import { socketName } from "./sockname.ts";
import { bindingOf, locate, targetOf, type UnixTarget } from "./unix_path.ts";

/** An address as Socket takes it: Deno's type, ours for Unix sockets, or the bytes of a sockaddr. */
export type SocketAddress = Deno.NetAddr | UnixAddr | Uint8Array;

/** What an address is for: the name of the socket itself, a peer to connect to, or the destination of one message. */
export type AddressUse = "bind" | "connect" | "send";

/** An address ready for a system call, with the text that errors name it by. Dispose of it after the call: the
 * directory of a long Unix path is open until then. */
export class EncodedAddress implements Disposable {
  readonly sockaddr: Uint8Array<ArrayBuffer>;
  readonly text: string;
  readonly #target: UnixTarget | null;

  constructor(sockaddr: Uint8Array<ArrayBuffer>, text: string, target: UnixTarget | null = null) {
    this.sockaddr = sockaddr;
    this.text = text;
    this.#target = target;
  }

  [Symbol.dispose](): void {
    this.#target?.[Symbol.dispose]();
  }
}

/** Encodes an address for bind, connect or sendto, and asks for the permission it needs. Names are not looked up here.
 * Each member is read once: what was asked about is what the system gets. */
export function encodeSocketAddress(address: SocketAddress, use: AddressUse): EncodedAddress {
  if (isBytes(address)) return encodeBytes(address, use);
  if (address !== null && typeof address === "object") {
    if ("hostname" in address) return encodeNet(address);
    if ("path" in address) return encodePath(address.path ?? "", use);
  }
  throw new TypeError(
    `Not an address: ${quote(address)}, expected { hostname, port }, { path } or a sockaddr`,
  );
}

function encodeNet(address: Deno.NetAddr): EncodedAddress {
  const { hostname, port } = address;
  const number = parsePort(port);
  const inet = parseHost(hostname, number);
  if (inet === null) {
    throw new TypeError(`Not an IP address: ${quote(hostname)}; resolveAddress looks names up`);
  }
  requireNet(hostname, number);
  return new EncodedAddress(encodeInet(inet), formatAddress({ transport: "tcp", hostname, port: number }));
}

function encodePath(path: unknown, use: AddressUse): EncodedAddress {
  if (typeof path !== "string") throw new TypeError(`Invalid path: ${quote(path)}, expected text or null`);
  const place = locate(path);
  requireUnix(place, use === "send" ? "destination" : "socket");
  const target = use === "bind" ? bindingOf(place) : targetOf(place);
  return new EncodedAddress(target.sockaddr, formatAddress({ transport: "unix", path }), target);
}

function encodeBytes(bytes: Uint8Array, use: AddressUse): EncodedAddress {
  const { system } = libc();
  const length = lengthOf(bytes);
  if (length < 2 || length > SOCKADDR_STORAGE_SIZE) {
    throw new TypeError(`A sockaddr of ${length} bytes, expected 2 to ${SOCKADDR_STORAGE_SIZE}`);
  }
  const sockaddr = new Uint8Array(bytes);
  const family = readFamily(system, sockaddr, 0);
  const { AF_INET, AF_INET6, AF_UNIX } = system.constants;
  const text = `(address family ${family})`;
  if ((family === AF_INET && sockaddr.length >= 16) || (family === AF_INET6 && sockaddr.length >= 28)) {
    const address = decodeNet("udp", sockaddr);
    requireNet(address.hostname, address.port);
    return new EncodedAddress(sockaddr, formatAddress(address));
  }
  if (family !== AF_UNIX) {
    requireEveryHost(`address family ${family}`);
    return new EncodedAddress(sockaddr, text);
  }
  const path = readUnixAddress(system, sockaddr, 0, sockaddr.length);
  if (path !== null) return encodePath(path, use);
  const { path: start } = system.layout.sockaddr_un;
  if (sockaddr.length <= start) return encodePath("", use);
  if (system.abstractUnixNames && sockaddr[start] === 0) requireEveryHost(`address family ${family}`);
  else requireEveryPath(`address family ${family}`);
  return new EncodedAddress(sockaddr, text);
}

/** Refuses port 0 of a peer, to which connect(2) would connect a UDP socket, and at which nothing can listen. Raw sockets
 * have no ports.
 *
 * @throws {RangeError} for port 0 on a TCP or UDP socket
 */
export function requirePeerPort(fd: number, sockaddr: Uint8Array): void {
  const address = decodeInet(sockaddr);
  if (address === null || address.port !== 0) return;
  const { IPPROTO_TCP, IPPROTO_UDP, SOCK_DGRAM, SOCK_STREAM } = libc().system.constants;
  const protocol = sockopt.SO_PROTOCOL.supported ? getOption(fd, sockopt.SO_PROTOCOL) : null;
  if (protocol !== null && protocol !== IPPROTO_TCP && protocol !== IPPROTO_UDP) return;
  const type = getOption(fd, sockopt.SO_TYPE);
  if (type === SOCK_STREAM || type === SOCK_DGRAM) parsePeerPort(0);
}

/** Asks for the permission of the bind that listen(2) does on a socket which is not bound. */
export function requireListening(fd: number): void {
  const address = decodeInet(socketName(fd));
  if (address !== null && address.port === 0) requireNet(formatHost(address), 0);
}
