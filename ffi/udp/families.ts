import { decodeInet, formatHost } from "../address/address.ts";
import { socketName } from "../address/sockname.ts";
import { getOption } from "../option/option.ts";
import { sockopt } from "../option/sockopt.ts";
import { isMapped, isUnspecified } from "../struct/ip.ts";
import type { InetAddress } from "../struct/sockaddr.ts";

/** A family of IP packets, and of the sockets for it. */
export type IpFamily = "inet" | "inet6";

/** Whether an IPv6 socket takes and sends IPv4 packets too, as the kernel has it now: IPV6_V6ONLY. */
export function isDualStack(fd: number, family: IpFamily): boolean {
  return family === "inet6" && !getOption(fd, sockopt.IPV6_V6ONLY);
}

/** The family of the packets that go to an address: IPv4 also for one that is mapped to IPv6. */
export function packetFamily({ family, address }: InetAddress): IpFamily {
  return family === "inet6" && !isMapped(address) ? "inet6" : "inet";
}

/** What a socket can send, as its options and its local address are now. */
export interface Carried {
  readonly families: readonly IpFamily[];
  /** Why no others, for errors. */
  readonly reason: string;
}

/** Asks the kernel which packets a socket can send. A socket bound to one address sends those of its family. */
export function carriedBy(fd: number, family: IpFamily): Carried {
  if (family === "inet") return { families: ["inet"], reason: "this is an IPv4 socket" };
  const local = decodeInet(socketName(fd));
  if (local !== null && !isUnspecified(local.address)) {
    return { families: [packetFamily(local)], reason: `the socket is bound to ${formatHost(local)}` };
  }
  if (isDualStack(fd, family)) return { families: ["inet", "inet6"], reason: "" };
  return { families: ["inet6"], reason: "the socket is for IPv6 only (IPV6_V6ONLY)" };
}

/** The address as a socket of a family names it: IPv4 mapped to IPv6, ::ffff:a.b.c.d, or back.
 *
 * @throws {TypeError} for an IPv6 address on an IPv4 socket
 */
export function inFamily(family: IpFamily, address: InetAddress, hostname: string): InetAddress {
  if (address.family === family) return address;
  if (family === "inet6") {
    const bytes = new Uint8Array(16);
    bytes.fill(0xff, 10, 12);
    bytes.set(address.address, 12);
    return { ...address, family, address: bytes };
  }
  if (isMapped(address.address)) return { ...address, family, address: address.address.slice(12), scopeId: 0 };
  throw new TypeError(
    `An IPv4 socket cannot reach the IPv6 address ${hostname}; open it with hostname: "::" for both families`,
  );
}

/** The longest payload of UDP in one packet of a family, in bytes: 65,535 without the headers that IP counts in. */
export const LONGEST_PAYLOAD: Readonly<Record<IpFamily, number>> = { inet: 65_507, inet6: 65_527 };
