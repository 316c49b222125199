import type { InetAddress } from "../struct/sockaddr.ts";
import { encodeInet, formatHost, parseHost, parsePort } from "../address/address.ts";
import { grantEpoch } from "../address/grants.ts";
import { requireNet, requireNotDenied } from "../address/permissions.ts";
import { quote } from "../validate/quote.ts";
import { resolveHost } from "../address/resolve.ts";

/** The destination of a datagram: its sockaddr, and its text for error messages. */
export interface Destination {
  readonly sockaddr: Uint8Array<ArrayBuffer>;
  readonly text: string;
}

/** The number of destinations that are cached. Encoding one takes longer than sending to it. */
const MOST_REMEMBERED = 1024;

/** Converts an IPv4 address to its IPv4-mapped IPv6 address, ::ffff:a.b.c.d. */
function mapped(address: InetAddress): InetAddress {
  const bytes = new Uint8Array(16);
  bytes.fill(0xff, 10, 12);
  bytes.set(address.address, 12);
  return { ...address, family: "inet6", address: bytes };
}

/** Converts an address to the family of a socket.
 *
 * @throws {TypeError} for an IPv6 address on an IPv4 socket
 */
export function inFamily(family: "inet" | "inet6", address: InetAddress, hostname: string): InetAddress {
  if (address.family === family) return address;
  if (family === "inet6") return mapped(address);
  throw new TypeError(
    `An IPv4 socket cannot reach the IPv6 address ${hostname}; open it with hostname: "::" for both families`,
  );
}

/** A copied and checked address of the caller. */
interface Copied {
  readonly hostname: string;
  readonly port: number;
}

function requireAddress(addr: unknown): void {
  if (addr !== null && typeof addr === "object") return;
  throw new TypeError(`Not an address: ${quote(addr)}, expected { transport: "udp", hostname, port }`);
}

function copied(transport: unknown, hostname: unknown, port: unknown): Copied {
  if (transport !== "udp" && transport !== undefined) {
    throw new TypeError(`Not a UDP address: transport ${quote(transport)}, expected "udp"`);
  }
  const host = hostname ?? "127.0.0.1";
  if (typeof host === "string") return { hostname: host, port: parsePort(port) };
  throw new TypeError(`Invalid hostname: ${quote(host)}, expected an IP address or a name`);
}

/** A cached destination, and when its permission was last queried. */
interface KnownDestination extends Destination {
  /** The value of `grantEpoch()` at that time. The grant is valid as long as it has not changed. */
  epoch: number;
}

/** Encodes and caches the destinations of one socket. The permission for each is queried once, and again after a grant may
 * have been revoked. */
export class Destinations {
  readonly #family: "inet" | "inet6";
  readonly #known = new Map<string, KnownDestination>();
  #hostname = "";
  #port = -1;
  #last: KnownDestination | null = null;

  constructor(family: "inet" | "inet6") {
    this.#family = family;
  }

  /** Returns the destination for an address; a promise if it has a host name, which is resolved. Each member of the
   * address is read once, so that the datagram goes to the address whose permission was queried. */
  find(addr: Deno.NetAddr): Destination | Promise<Destination> {
    requireAddress(addr);
    const { transport, hostname, port } = addr;
    if (port === this.#port && hostname === this.#hostname && transport === "udp") {
      return this.#granted(this.#last!, hostname, port);
    }
    const copy = copied(transport, hostname, port);
    return this.#recall(copy) ?? this.#lookUp(copy);
  }

  /** Returns the destination for an IP address.
   *
   * @throws {TypeError} for a name
   */
  findLiteral(addr: Deno.NetAddr): Destination {
    requireAddress(addr);
    const { transport, hostname, port } = addr;
    const copy = copied(transport, hostname, port);
    const destination = this.#recall(copy);
    if (destination !== null) return destination;
    throw new TypeError(`Not an IP address: ${quote(copy.hostname)}; resolveAddress looks names up`);
  }

  /** Returns the destination for an IP address, from the cache or new; null for a host name. */
  #recall({ hostname, port }: Copied): Destination | null {
    const key = `${port} ${hostname}`;
    let destination = this.#known.get(key);
    if (destination === undefined) {
      const address = parseHost(hostname, port);
      if (address === null) return null;
      destination = { ...this.#encode(address, hostname, port), epoch: NaN };
      requireNet(hostname, port);
      if (this.#known.size === MOST_REMEMBERED) this.#known.clear();
      this.#known.set(key, destination);
    }
    this.#hostname = hostname;
    this.#port = port;
    this.#last = destination;
    return this.#granted(destination, hostname, port);
  }

  /** Queries the permission again if a grant may have been revoked since. */
  #granted(destination: KnownDestination, hostname: string, port: number): Destination {
    const epoch = grantEpoch();
    if (destination.epoch !== epoch) {
      requireNet(hostname, port);
      destination.epoch = epoch;
    }
    return destination;
  }

  /** Resolves a host name to its destination. */
  async #lookUp({ hostname, port }: Copied): Promise<Destination> {
    requireNet(hostname, port);
    const [address] = await resolveHost(hostname, port, this.#family === "inet" ? "inet" : "any");
    requireNotDenied(formatHost(address!), port);
    return this.#encode(address!, hostname, port);
  }

  #encode(address: InetAddress, hostname: string, port: number): Destination {
    const sockaddr = encodeInet(inFamily(this.#family, address, hostname));
    return { sockaddr, text: hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}` };
  }
}
