import type { InetAddress } from "../struct/sockaddr.ts";
import { encodeInet, formatAddress, formatHost, parseHost, parsePeerPort } from "../address/address.ts";
import { grantEpoch } from "../address/grants.ts";
import { requireNet, requireNotDenied } from "../address/permissions.ts";
import { quote } from "../validate/quote.ts";
import { resolveHost } from "../address/resolve.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { type OptionsShape, requireKnown, type WaitOptions } from "../validate/options.ts";
import { isSocketError } from "../libc/socket_error.ts";
import { lookupError } from "../address/lookup_error.ts";
import { carriedBy, inFamily, type IpFamily, packetFamily } from "./families.ts";

/** The destination of a datagram: its sockaddr, and its text for error messages. */
export interface Destination {
  readonly sockaddr: Uint8Array<ArrayBuffer>;
  readonly text: string;
  /** The family of its packets: IPv4 also where the address is mapped to IPv6. */
  readonly packets: IpFamily;
}

/** The lookup of a destination's host name. It ends as soon as its signal is aborted. */
export interface Lookup {
  /** The destination in errors: "name:port". */
  readonly text: string;
  run(signal: AbortSignal): Promise<Destination>;
}

/** The number of destinations that are cached. Encoding one takes longer than sending to it. */
const MOST_REMEMBERED = 1024;

/** A copied and checked address of the caller. */
interface Copied {
  readonly hostname: string;
  readonly port: number;
}

function requireAddress(addr: unknown): void {
  if (addr !== null && typeof addr === "object") return;
  throw new TypeError(`Not an address: ${quote(addr)}, expected { transport: "udp", hostname, port }`);
}

const ADDRESS: OptionsShape<Deno.NetAddr> = {
  of: "addresses",
  expected: '{ transport: "udp", hostname, port }',
  name: "address",
  kinds: { transport: "any", hostname: "any", port: "any" },
};

/** Checks the members of an address. One without a hostname is checked for a misspelt one, which would send to this host:
 * `hostName`, or `address` as of node:dgram. */
function copied(addr: Deno.NetAddr, transport: unknown, hostname: unknown, port: unknown): Copied {
  if (transport !== "udp" && transport !== undefined) {
    throw new TypeError(`Not a UDP address: transport ${quote(transport)}, expected "udp"`);
  }
  if (hostname === undefined) requireKnown(addr, ADDRESS);
  const host = hostname ?? "127.0.0.1";
  if (typeof host === "string") return { hostname: host, port: parsePeerPort(port) };
  throw new TypeError(`Invalid hostname: ${quote(host)}, expected an IP address or a name`);
}

/** A cached destination, and when its permission was last queried. */
interface KnownDestination extends Destination {
  /** The value of `grantEpoch()` at that time. The grant is valid as long as it has not changed. */
  epoch: number;
}

/** Encodes and caches the destinations of one socket. The permission for each is queried once, and again after a grant may
 * have been revoked. One with a zone is not cached, since an interface can be removed and another one get its name. */
export class Destinations {
  readonly #descriptor: Descriptor;
  readonly #family: IpFamily;
  readonly #known = new Map<string, KnownDestination>();
  #hostname = "";
  #port = -1;
  #last: KnownDestination | null = null;

  constructor(descriptor: Descriptor, family: IpFamily) {
    this.#descriptor = descriptor;
    this.#family = family;
  }

  /** Returns the destination for an address; its lookup if it has a host name. Each member of the address is read once, so
   * that the datagram goes to the address whose permission was queried. */
  find(addr: Deno.NetAddr): Destination | Lookup {
    requireAddress(addr);
    const { transport, hostname, port } = addr;
    if (port === this.#port && hostname === this.#hostname && transport === "udp") {
      return this.#granted(this.#last!, hostname, port);
    }
    const copy = copied(addr, transport, hostname, port);
    return this.#recall(copy) ?? this.#lookup(copy);
  }

  /** Returns the destination for an IP address.
   *
   * @throws {TypeError} for a name
   */
  findLiteral(addr: Deno.NetAddr): Destination {
    requireAddress(addr);
    const { transport, hostname, port } = addr;
    const copy = copied(addr, transport, hostname, port);
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
      destination = { ...this.#encode(address, hostname), epoch: NaN };
      requireNet(hostname, port);
      if (hostname.includes("%")) return destination;
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

  #lookup({ hostname, port }: Copied): Lookup {
    requireNet(hostname, port);
    return {
      text: `${hostname}:${port}`,
      run: async (signal) => {
        const address = await this.#resolve(hostname, port, { signal });
        requireNotDenied(formatHost(address), port);
        return this.#encode(address, hostname);
      },
    };
  }

  /** Resolves a host name to the first address that the socket can send to. */
  async #resolve(hostname: string, port: number, options: WaitOptions): Promise<InetAddress> {
    const { families, reason } = carriedBy(this.#descriptor.fd, this.#family);
    try {
      const found = await resolveHost(hostname, port, families.length > 1 ? "any" : families[0], options);
      return found[0]!;
    } catch (error) {
      if (families.length > 1 || !isSocketError(error) || !(error instanceof Deno.errors.NotFound)) throw error;
      // getaddrinfo(3) returns the same for an unknown name and for one with addresses of the other family only.
      const others = await resolveHost(hostname, port, "any", options).catch(() => null);
      options.signal?.throwIfAborted();
      if (others === null || others.some((address) => families.includes(packetFamily(address)))) throw error;
      const words = `it has no ${families[0] === "inet" ? "IPv4" : "IPv6"} address, and ${reason}`;
      throw lookupError(hostname, "EAI_ADDRFAMILY", words);
    }
  }

  #encode(address: InetAddress, hostname: string): Destination {
    const { port } = address;
    return {
      sockaddr: encodeInet(inFamily(this.#family, address, hostname)),
      text: formatAddress({ transport: "udp", hostname, port }),
      packets: packetFamily(address),
    };
  }
}
