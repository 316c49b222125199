import type { InetAddress } from "../struct/sockaddr.ts";
import { encodeInet, formatHost, parseHost, parsePort } from "../address/address.ts";
import { requireNet, requireNotDenied } from "../address/permissions.ts";
import { quote } from "../validate/quote.ts";
import { resolveHost } from "../address/resolve.ts";
import type { WaitOptions } from "../validate/options.ts";

/** Where a datagram goes: a sockaddr, and the words for it in errors. */
export interface Destination {
  readonly sockaddr: Uint8Array<ArrayBuffer>;
  readonly text: string;
}

/** Destinations remembered: encoding one takes longer than sending to it. */
const MOST_REMEMBERED = 1024;

/** An IPv4 address as an IPv6 socket of both families knows it: ::ffff:a.b.c.d. */
function mapped(address: InetAddress): InetAddress {
  const bytes = new Uint8Array(16);
  bytes.fill(0xff, 10, 12);
  bytes.set(address.address, 12);
  return { ...address, family: "inet6", address: bytes };
}

/** Puts an address into the family of a socket.
 *
 * @throws {TypeError} for an IPv6 address on an IPv4 socket
 */
export function inFamily(family: "inet" | "inet6", address: InetAddress, hostname: string): InetAddress {
  if (address.family === family) return address;
  if (family === "inet6") return mapped(address);
  throw new TypeError(`An IPv4 socket cannot reach the IPv6 address ${hostname}: open it with hostname: "::" for both`);
}

/** Encodes the destinations of one socket, and asks for each once whether the program may reach it. */
export class Destinations {
  readonly #family: "inet" | "inet6";
  readonly #known = new Map<string, Destination>();
  #hostname = "";
  #port = -1;
  #last: Destination | null = null;

  constructor(family: "inet" | "inet6") {
    this.#family = family;
  }

  /** The destination for an address in text; null for a name, which takes time to look up. */
  find(addr: Deno.NetAddr): Destination | null {
    // The port tells first: it differs wherever there is no address at all.
    if (addr?.port === this.#port && addr.hostname === this.#hostname && addr.transport === "udp") return this.#last;
    const destination = this.#recall(addr);
    if (destination === null) return null;
    this.#hostname = addr.hostname;
    this.#port = addr.port;
    return this.#last = destination;
  }

  /** The destination for a name. */
  async lookUp(addr: Deno.NetAddr, options?: WaitOptions): Promise<Destination> {
    const port = parsePort(addr.port);
    requireNet(addr.hostname, port);
    const [address] = await resolveHost(addr.hostname, port, this.#family === "inet" ? "inet" : "any", options);
    requireNotDenied(formatHost(address!), port);
    return this.#encode(address!, addr.hostname, port);
  }

  #recall(addr: Deno.NetAddr): Destination | null {
    if (addr === null || typeof addr !== "object") {
      throw new TypeError(`Not an address: ${quote(addr)}, expected { transport: "udp", hostname, port }`);
    }
    if (addr.transport !== "udp" && addr.transport !== undefined) {
      throw new TypeError(`Not a UDP address: transport ${quote(addr.transport)}, expected "udp"`);
    }
    const hostname = addr.hostname ?? "127.0.0.1";
    const key = `${addr.port} ${hostname}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const port = parsePort(addr.port);
    const address = parseHost(hostname, port);
    if (address === null) return null;
    const destination = this.#encode(address, hostname, port);
    requireNet(hostname, port);
    if (this.#known.size === MOST_REMEMBERED) this.#known.clear();
    this.#known.set(key, destination);
    return destination;
  }

  #encode(address: InetAddress, hostname: string, port: number): Destination {
    const sockaddr = encodeInet(inFamily(this.#family, address, hostname));
    return { sockaddr, text: hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}` };
  }
}
