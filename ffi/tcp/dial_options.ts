import { libc } from "../libc/libc.ts";
import { isSocketError } from "../libc/socket_error.ts";
import type { InetAddress } from "../struct/sockaddr.ts";
import { isMapped } from "../struct/ip.ts";
import { setOption } from "../option/option.ts";
import { sockopt } from "../option/sockopt.ts";
import { bindToInterface, requireInterface } from "../socket/bind_interface.ts";
import { requireWithin } from "../validate/number.ts";
import { type KeepAlive, setKeepAlive } from "./keep_alive.ts";

/** The options of a dial that are options of its socket. */
export interface DialSettings {
  readonly reuseAddress?: boolean;
  readonly reusePort?: boolean;
  readonly noDelay?: boolean;
  readonly keepAlive?: boolean | KeepAlive;
  readonly interface?: string | number;
  readonly userTimeout?: number;
  readonly fastOpen?: boolean;
  readonly trafficClass?: number;
}

/** Checks what the kernel would cut or clamp unseen, before anything is dialled.
 *
 * @throws {TypeError} for a value that is no whole number, and for what names no interface
 * @throws {RangeError} for a number outside its range
 * @throws {Deno.errors.NotFound} for an interface that is not there
 */
export function checkDialSettings({ userTimeout, trafficClass, interface: by }: DialSettings): void {
  if (userTimeout !== undefined) requireWithin("userTimeout", userTimeout, 0, 0x7fff_ffff, "milliseconds");
  if (trafficClass !== undefined) requireWithin("trafficClass", trafficClass, 0, 255, "as a traffic class");
  if (by !== undefined) requireInterface(by);
}

/** Sets the options of a socket that will dial an address. */
export function setDialOptions(fd: number, to: InetAddress, settings: DialSettings): void {
  const { userTimeout, trafficClass } = settings;
  if (settings.reuseAddress ?? false) setOption(fd, sockopt.SO_REUSEADDR, true);
  if (settings.reusePort ?? false) setOption(fd, sockopt.SO_REUSEPORT, true);
  if (settings.noDelay ?? true) setOption(fd, sockopt.TCP_NODELAY, true);
  if (settings.keepAlive !== undefined) setKeepAlive(fd, settings.keepAlive);
  if (settings.interface !== undefined) bindToInterface(fd, to.family === "inet6", settings.interface);
  if (userTimeout !== undefined) setOption(fd, sockopt.TCP_USER_TIMEOUT, userTimeout);
  if (settings.fastOpen ?? false) setOption(fd, sockopt.TCP_FASTOPEN_CONNECT, true);
  if (trafficClass === undefined) return;
  // IPv4 inside an IPv6 address travels as IPv4.
  if (to.family === "inet" || isMapped(to.address)) setOption(fd, sockopt.IP_TOS, trafficClass);
  if (to.family === "inet6") setOption(fd, sockopt.IPV6_TCLASS, trafficClass);
}

/** Lets the system choose the port of a local address when it connects, and not when it binds: then one port serves for
 * as many connections as there are destinations. IP_BIND_ADDRESS_NO_PORT of ip(7), where the system has it. */
export function leavePortOpen(fd: number): void {
  if (!sockopt.IP_BIND_ADDRESS_NO_PORT.supported) return;
  try {
    setOption(fd, sockopt.IP_BIND_ADDRESS_NO_PORT, true);
  } catch (error) {
    // Linux before 4.2, and emulations of it.
    if (!isSocketError(error) || error.errno !== libc().system.errors.ENOPROTOOPT) throw error;
  }
}
