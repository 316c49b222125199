import { libc } from "../libc/libc.ts";
import { setOption } from "./option.ts";
import { sockopt } from "./sockopt.ts";

/** Sets the option that spreads load over the sockets of one port: SO_REUSEPORT on Linux, SO_REUSEPORT_LB on FreeBSD,
 * socket(7) and setsockopt(2).
 *
 * @throws {Deno.errors.NotSupported} on a system where the last socket bound would receive everything
 */
export function setReusePort(fd: number): void {
  const { reusePortOption, name } = libc().system;
  if (reusePortOption === null) {
    throw new Deno.errors.NotSupported(
      `reusePort: true: ${name} does not spread load over the sockets of one port; ` +
        "to share the port all the same, set SO_REUSEPORT in control",
    );
  }
  setOption(fd, sockopt[reusePortOption], true);
}
