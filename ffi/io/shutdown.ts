import { libc } from "../libc/libc.ts";
import { systemError } from "../libc/socket_error.ts";
import { getOption } from "../option/option.ts";
import { sockopt } from "../option/sockopt.ts";
import type { Descriptor } from "./descriptor.ts";
import { Operation } from "./operation.ts";
import { eofError, recordPending } from "./fatal_error.ts";

/** Shuts down a direction of a connection: shutdown(2). One that has ended on both sides has nothing left to shut down:
 * ENOTCONN is then no error, unless the connection has failed, which is thrown. */
export function shutDown(descriptor: Descriptor, how: "read" | "write"): void {
  const { c, errno, system: { constants, errors } } = libc();
  if (c.shutdown(descriptor.fd, how === "read" ? constants.SHUT_RD : constants.SHUT_WR) !== -1) return;
  const code = errno();
  if (code !== errors.ENOTCONN) throw systemError(code, "shutdown");
  recordPending(descriptor, getOption(descriptor.fd, sockopt.SO_ERROR));
  const failure = eofError(descriptor, "shutdown");
  if (failure !== null) throw failure;
}

/** Does nothing. It resolves when all operations queued before it have ended. */
class Turn extends Operation<void> {
  readonly syscall = "sendmsg";

  override attempt(): void {}
}

/** Runs a step when the writes that wait have gone out, or failed; at once where none waits. */
export function behindWrites({ writes }: Descriptor, step: () => void): Promise<void> {
  // Even so a turn of its own might wait: a write that was aborted leaves a full buffer behind.
  if (writes.idle) return Promise.try(step);
  return writes.run(new Turn()).then(step, step);
}
