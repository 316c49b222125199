import { withCallers } from "../libc/caller_stack.ts";
import type { InetAddress } from "../struct/sockaddr.ts";
import { encodeUnix, formatHost, parseHost, parsePort, type UnixAddr } from "./address.ts";
import type { WaitOptions } from "../validate/options.ts";
import { requireUnaborted } from "../validate/options.ts";
import { requireName, requireNet, requireNotDenied } from "./permissions.ts";
import { quote } from "../validate/quote.ts";
import { type Family, lookUp, lookUpNow } from "./lookup.ts";

/** The networks of Go's net whose addresses are IP addresses, for {@linkcode resolveAddress}; a digit asks for that
 * family alone.
 *
 * @example
 * ```ts
 * import { type IpNetwork, resolveAddress } from "@berkeley/sockets";
 *
 * const network: IpNetwork = "tcp6";
 * console.log((await resolveAddress(network, "[::1]:80")).hostname); // ::1
 * ```
 */
export type IpNetwork = "tcp" | "tcp4" | "tcp6" | "udp" | "udp4" | "udp6" | "ip" | "ip4" | "ip6";

/** The networks of Go's net whose addresses are paths, for {@linkcode resolveAddress}.
 *
 * @example
 * ```ts
 * import { resolveAddress, type UnixNetwork } from "@berkeley/sockets";
 *
 * const network: UnixNetwork = "unixgram";
 * console.log((await resolveAddress(network, "/run/log")).transport); // unixpacket
 * ```
 */
export type UnixNetwork = "unix" | "unixgram" | "seqpacket";

function literal(hostname: string, port: number, family: Family): InetAddress | null {
  const address = parseHost(hostname, port);
  if (address === null) return null;
  if (family !== "any" && family !== address.family) {
    throw new TypeError(`Not an ${family === "inet" ? "IPv4" : "IPv6"} address: ${quote(hostname)}`);
  }
  return address;
}

/** The addresses of a host. Looking a name up blocks the event loop, as Deno.listen does. */
export function resolveNow(hostname: string, port: number, family: Family = "any"): InetAddress[] {
  const address = literal(hostname, port, family);
  if (address !== null) return [address];
  requireName(hostname);
  return lookUpNow(hostname, family).map((found) => ({ ...found, port }));
}

/** The addresses of a host, in the order the system prefers them. */
export async function resolveHost(
  hostname: string,
  port: number,
  family: Family = "any",
  options?: WaitOptions,
): Promise<InetAddress[]> {
  requireUnaborted(options?.signal);
  const address = literal(hostname, port, family);
  if (address !== null) return [address];
  requireName(hostname);
  return (await lookUp(hostname, family, options?.signal)).map((found) => ({ ...found, port }));
}

const NETWORK = /^(tcp|udp|ip)([46]?)$/;

/** Splits "host:port", "[v6%zone]:port" and ":port". */
function splitHostPort(address: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d+)$/.exec(typeof address === "string" ? address : "");
  if (match === null) {
    throw new TypeError(
      `Invalid address: ${quote(address)}, expected "host:port", "[v6%zone]:port" or ":port"`,
    );
  }
  return { host: match[1] ?? match[2]!, port: parsePort(match[3]) };
}

async function resolveInet(network: string, address: string, options?: WaitOptions): Promise<Deno.NetAddr> {
  const [, protocol, digit] = NETWORK.exec(network)!;
  const family: Family = digit === "4" ? "inet" : digit === "6" ? "inet6" : "any";
  const { host, port } = protocol === "ip" ? { host: address, port: 0 } : splitHostPort(address);
  const transport = protocol === "tcp" ? "tcp" : "udp";
  if (host === "") {
    if (protocol === "ip") throw new TypeError(`Invalid address: "", expected an IP address or a name`);
    return { transport, hostname: family === "inet6" ? "::" : "0.0.0.0", port };
  }
  const isName = parseHost(host, port) === null;
  if (isName) requireNet(host, port);
  const found = await resolveHost(host, port, family, options);
  // IPv4 is preferred, as by Go: more hosts can be reached by it.
  const chosen = found.find((one) => one.family === "inet") ?? found[0]!;
  const hostname = formatHost(chosen);
  if (isName) requireNotDenied(hostname, port);
  return { transport, hostname, port };
}

/** Resolves the text of an IP address, as Go's ResolveTCPAddr, ResolveUDPAddr and ResolveIPAddr do. Host names are resolved
 * with getaddrinfo(3) on another thread, without blocking the event loop; IPv4 is preferred among several addresses.
 *
 * @param network "tcp", "udp" or "ip"; with "4" or "6" appended, only addresses of that family
 * @param address `host:port`, `[v6%zone]:port` or `:port`; for "ip" a host without a port
 * @returns a promise for the address; its port is 0 for "ip"
 * @throws {TypeError} for text that is not an address of the network
 * @throws {RangeError} for a port outside 0 to 65535
 * @throws {Deno.errors.NotFound} for an unknown host; its `code` is "EAI_NONAME" or another error of getaddrinfo(3)
 * @throws {Deno.errors.NotCapable} for a host name without `--allow-net`
 * @throws the reason of the signal, if it is aborted
 *
 * @example
 * ```ts
 * import { resolveAddress } from "@berkeley/sockets";
 *
 * const { hostname, port } = await resolveAddress("tcp", "[::1]:80"); // as `connect({ hostname, port })` takes them
 * console.log(hostname, port); // ::1 80
 * console.log(await resolveAddress("udp", "[::1]:53")); // { transport: "udp", hostname: "::1", port: 53 }
 * ```
 */
export function resolveAddress(network: IpNetwork, address: string, options?: WaitOptions): Promise<Deno.NetAddr>;
/** Converts the text of a Unix socket address to an address, as Go's ResolveUnixAddr does. No system call is made.
 *
 * @param network "unix", "unixgram" or "seqpacket"
 * @param address a path, or `@name` or `\0name` for an abstract name
 * @returns a promise for the address
 * @throws {TypeError} for an unknown network, or a path that is empty, too long or contains a NUL
 *
 * @example
 * ```ts
 * import { resolveAddress } from "@berkeley/sockets";
 *
 * console.log(await resolveAddress("unixgram", "/dev/log")); // { transport: "unixpacket", path: "/dev/log" }
 * ```
 */
export function resolveAddress(network: UnixNetwork, address: string, options?: WaitOptions): Promise<UnixAddr>;
export function resolveAddress(
  network: IpNetwork | UnixNetwork,
  address: string,
  options?: WaitOptions,
): Promise<Deno.NetAddr | UnixAddr> {
  if (typeof network === "string" && NETWORK.test(network)) return withCallers(resolveInet(network, address, options));
  const transports: Readonly<Record<string, UnixAddr["transport"]>> = {
    unix: "unix",
    unixgram: "unixpacket",
    seqpacket: "seqpacket",
  };
  const named = typeof network === "string" && Object.hasOwn(transports, network);
  const transport = named ? transports[network] : undefined;
  if (transport === undefined) {
    const known = [
      ...["tcp", "udp", "ip"].flatMap((name) => [name, `${name}4`, `${name}6`]),
      ...Object.keys(transports),
    ];
    const words = known.map(quote).join(", ");
    return Promise.reject(new TypeError(`Unknown network: ${quote(network)}, expected one of ${words}`));
  }
  if (typeof address !== "string" || address === "") {
    return Promise.reject(new TypeError(`Invalid address: ${quote(address)}, expected a path`));
  }
  return Promise.try(() => {
    const path = address.startsWith("@") ? `\0${address.slice(1)}` : address;
    // A path that does not fit a sockaddr is refused here, not where it is used.
    encodeUnix(path);
    return { transport, path };
  });
}
