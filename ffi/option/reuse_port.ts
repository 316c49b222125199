import { libc } from "../libc/libc.ts";
import { setOption } from "./option.ts";
import { sockopt } from "./sockopt.ts";

/** Sets the option that spreads load over the sockets of one port. Where the system would give all of it to the last
 * one bound, the request is refused and not ignored.
 *
 * @throws {Deno.errors.NotSupported} on such a system
 */
export function shareLoad(fd: number): void {
  const { spreadsLoad, name } = libc().system;
  if (spreadsLoad === null) {
    throw new Deno.errors.NotSupported(
      `reusePort: true: ${name} would not spread load over sockets that share a port; ` +
        "control may set SO_REUSEPORT to share it all the same",
    );
  }
  setOption(fd, sockopt[spreadsLoad], true);
}
