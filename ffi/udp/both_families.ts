import { isSocketError } from "../libc/socket_error.ts";
import { setOption, type SocketOption } from "../option/option.ts";
import { type IpFamily, isDualStack } from "./families.ts";

/** Sets an option that each family has of its own, on a dual-stack socket for both. The value must be checked already. */
export function setForBoth<T>(
  fd: number,
  family: IpFamily,
  v4: SocketOption<T>,
  v6: SocketOption<T>,
  value: T,
): void {
  if (family === "inet") return setOption(fd, v4, value);
  setOption(fd, v6, value);
  if (isDualStack(fd, family)) onIPv6Socket(() => setOption(fd, v4, value));
}

/** Sets an option of IPv4 on an IPv6 socket. BSD and macOS have none there, and their IPv4 packets keep the default. */
export function onIPv6Socket(set: () => void): void {
  try {
    set();
  } catch (error) {
    if (!isSocketError(error) || !["EINVAL", "ENOPROTOOPT"].includes(error.code)) throw error;
  }
}
