import { libc } from "../libc/libc.ts";
import { interfaceIndex, interfaceName } from "../address/interface.ts";
import { isUnknownOption, setOption, writeOption } from "../option/option.ts";
import { sockopt } from "../option/sockopt.ts";
import { parseIPv4 } from "../struct/ip.ts";
import { quote } from "../validate/quote.ts";

/** Checks the option `interface` of a socket: the name or the index of an interface of this machine.
 *
 * @throws {TypeError} for anything else
 * @throws {Deno.errors.NotFound} for an interface that is not there
 */
export function requireInterface(given: string | number): void {
  if (interfaceIndex(given) === 0) {
    throw new TypeError(`Invalid interface: ${quote(given)}, expected a name or an index`);
  }
}

function bindToIndex(fd: number, index: number): void {
  try {
    setOption(fd, sockopt.SO_BINDTOIFINDEX, index);
  } catch (error) {
    // Linux before 5.0.
    if (!isUnknownOption(error)) throw error;
    setOption(fd, sockopt.SO_BINDTODEVICE, interfaceName(index));
  }
}

/** Binds a socket to an interface, so that it sends and receives by that one alone: SO_BINDTODEVICE for a name,
 * SO_BINDTOIFINDEX for an index, socket(7); IP_BOUND_IF and IPV6_BOUND_IF on macOS.
 *
 * @throws {Deno.errors.NotSupported} on a system without any of them
 */
export function bindToInterface(fd: number, v6: boolean, given: string | number): void {
  const { name: system, constants, network: { constants: { IP_BOUND_IF, IPV6_BOUND_IF } } } = libc().system;
  const index = interfaceIndex(given);
  if (sockopt.SO_BINDTOIFINDEX.supported) {
    // An IPv4 address names an interface too, and only its index is known then.
    if (typeof given === "string" && parseIPv4(given) === null) setOption(fd, sockopt.SO_BINDTODEVICE, given);
    else bindToIndex(fd, index);
  } else if (IP_BOUND_IF !== 0) {
    const value = new Uint8Array(Uint32Array.of(index).buffer);
    const [level, name] = v6 ? [constants.IPPROTO_IPV6, IPV6_BOUND_IF] : [constants.IPPROTO_IP, IP_BOUND_IF];
    writeOption(fd, level, name, value, v6 ? "IPV6_BOUND_IF" : "IP_BOUND_IF");
  } else {
    throw new Deno.errors.NotSupported(`interface: ${quote(given)}: ${system} cannot bind a socket to an interface`);
  }
}
