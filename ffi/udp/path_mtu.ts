import { libc } from "../libc/libc.ts";
import type { SocketError } from "../libc/socket_error.ts";
import { decodeInet } from "../address/address.ts";
import { peerName } from "../address/sockname.ts";
import { getOption, type SocketOption } from "../option/option.ts";
import { sockopt } from "../option/sockopt.ts";
import { readFamily } from "../struct/sockaddr.ts";
import type { Destination } from "./destinations.ts";
import { setForBoth } from "./both_families.ts";
import { type IpFamily, packetFamily } from "./families.ts";

/** IP_PMTUDISC_DO and IP_PMTUDISC_PROBE of ip(7): never fragment; and send what exceeds the known path MTU too. */
const NEVER = 2;
const PROBE = 3;

/** Sets whether what a socket sends may be fragmented, for IPv4 packets of a dual-stack socket too.
 *
 * @throws {Deno.errors.NotSupported} for "probe" on a system that cannot ignore the known path MTU
 */
export function setDontFragment(fd: number, family: IpFamily, dontFragment: boolean | "probe"): void {
  if (dontFragment === false) return;
  const { IP_DONTFRAG, IP_MTU_DISCOVER, IPV6_DONTFRAG, IPV6_MTU_DISCOVER } = sockopt;
  if (IP_MTU_DISCOVER.supported) {
    return setForBoth(fd, family, IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, dontFragment === "probe" ? PROBE : NEVER);
  }
  if (dontFragment !== "probe") return setForBoth(fd, family, IP_DONTFRAG, IPV6_DONTFRAG, true);
  throw new Deno.errors.NotSupported(`dontFragment: "probe": ${libc().system.name} has no option IP_MTU_DISCOVER`);
}

function mtuOption(packets: IpFamily): SocketOption<number> {
  return packets === "inet" ? sockopt.IP_MTU : sockopt.IPV6_MTU;
}

/** The known MTU of the path to the connected peer, in bytes.
 *
 * @throws {Deno.errors.NotConnected} without a peer
 */
export function pathMtu(fd: number): number {
  const peer = peerName(fd);
  const address = peer === null ? null : decodeInet(peer);
  return getOption(fd, mtuOption(address === null ? "inet" : packetFamily(address)));
}

/** Adds the path's MTU to the error of a datagram that was too long and may not be fragmented, where the system knows
 * it. */
export function withMtu(error: SocketError, fd: number, to: Destination | null): SocketError {
  if (error.mtu !== undefined) return error;
  const mtu = to === null ? connectedMtu(fd) : mtuTo(to);
  return mtu === undefined ? error : Object.assign(error, { mtu });
}

function connectedMtu(fd: number): number | undefined {
  try {
    return pathMtu(fd);
  } catch {
    return undefined;
  }
}

/** The known MTU of the path to a destination, from a socket that is connected to it for that. For UDP, connect(2) only
 * looks up the route. */
function mtuTo({ sockaddr, packets }: Destination): number | undefined {
  const { c, system } = libc();
  if (!mtuOption(packets).supported) return undefined;
  const { SOCK_CLOEXEC, SOCK_DGRAM } = system.constants;
  const fd = c.socket(readFamily(system, sockaddr, 0), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd === -1) return undefined;
  try {
    if (c.connect(fd, sockaddr, sockaddr.length) === -1) return undefined;
    return getOption(fd, mtuOption(packets));
  } catch {
    return undefined;
  } finally {
    c.close(fd);
  }
}
