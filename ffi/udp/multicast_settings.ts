import { libc } from "../libc/libc.ts";
import { parseIPv4 } from "../struct/ip.ts";
import { interfaceIndex } from "../address/interface.ts";
import { setOption, writeOption } from "../option/option.ts";
import { sockopt } from "../option/sockopt.ts";
import { quote } from "../validate/quote.ts";
import { onIPv6Socket, setForBoth } from "./both_families.ts";
import { type IpFamily, isDualStack } from "./families.ts";

/** Sets whether sent multicast is looped back to this host. */
export function setLoopback(fd: number, family: IpFamily, loopback: boolean): void {
  setForBoth(fd, family, sockopt.IP_MULTICAST_LOOP, sockopt.IPV6_MULTICAST_LOOP, loopback);
}

/** Sets the TTL or hop limit of multicast. */
export function setMulticastHops(fd: number, family: IpFamily, ttl: number): void {
  if (!Number.isInteger(ttl) || ttl < 0 || ttl > 255) {
    throw new RangeError(`Invalid TTL: ${quote(ttl)}, expected 0 to 255`);
  }
  setForBoth(fd, family, sockopt.IP_MULTICAST_TTL, sockopt.IPV6_MULTICAST_HOPS, ttl);
}

/** Sets the interface that multicast is sent through. */
export function setInterface(fd: number, family: IpFamily, networkInterface: string | number): void {
  const index = interfaceIndex(networkInterface);
  if (family === "inet6") setOption(fd, sockopt.IPV6_MULTICAST_IF, index);
  if (family === "inet") setInterfaceV4(fd, index, networkInterface);
  else if (isDualStack(fd, family)) onIPv6Socket(() => setInterfaceV4(fd, index, networkInterface));
}

function setInterfaceV4(fd: number, index: number, networkInterface: string | number): void {
  const { IPPROTO_IP, IP_MULTICAST_IF } = libc().system.constants;
  // struct ip_mreqn: the index selects the interface. The address becomes the source address of sent datagrams, which
  // otherwise follows the default route.
  const request = new Uint8Array(12);
  const address = parseIPv4(String(networkInterface));
  if (address !== null) request.set(address, 4);
  new DataView(request.buffer).setInt32(8, index, true);
  writeOption(fd, IPPROTO_IP, IP_MULTICAST_IF, request, `IP_MULTICAST_IF ${networkInterface}`);
}
