import { libc } from "../libc/libc.ts";
import { isSocketError, systemError } from "../libc/socket_error.ts";
import { readFamily } from "../struct/sockaddr.ts";
import { encodeInet } from "../address/address.ts";
import { interfaceExists } from "../address/interface.ts";
import { getOption, setOption } from "../option/option.ts";
import { sockopt } from "../option/sockopt.ts";
import type { Destination } from "./destinations.ts";
import type { Source } from "./source.ts";

// An errno of a failed send can have several causes. Each hint is given only if a probe confirms its cause.

/** Returns the hint for EACCES, if the destination is a broadcast address and the socket has no SO_BROADCAST. The error of
 * a prohibited route is EACCES too. */
function broadcastHint(fd: number, to: Destination | null): string | undefined {
  if (to === null || getOption(fd, sockopt.SO_BROADCAST)) return undefined;
  // For UDP, connect(2) only looks up the route.
  const reachable = probe(to.sockaddr, (socket) => {
    setOption(socket, sockopt.SO_BROADCAST, true);
    return libc().c.connect(socket, to.sockaddr, to.sockaddr.length) === 0;
  });
  return reachable === true ? "a broadcast address needs broadcast: true" : undefined;
}

/** Returns the hint for a source that is not an address of this machine, or an interface that does not exist. */
function sourceHint({ address, interfaceIndex }: Source): string | undefined {
  if (interfaceIndex !== 0 && !interfaceExists(interfaceIndex)) return `no interface has the index ${interfaceIndex}`;
  if (address === null) return undefined;
  const sockaddr = encodeInet(address);
  const local = probe(sockaddr, (socket) => libc().c.bind(socket, sockaddr, sockaddr.length) === 0);
  return local === false ? "source must be a local address" : undefined;
}

/** Tries something with a new UDP socket of an address's family; undefined if there is no socket. */
function probe(sockaddr: Uint8Array<ArrayBuffer>, attempt: (socket: number) => boolean): boolean | undefined {
  const { c, system } = libc();
  const { SOCK_CLOEXEC, SOCK_DGRAM } = system.constants;
  const socket = c.socket(readFamily(system, sockaddr, 0), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket === -1) return undefined;
  try {
    return attempt(socket);
  } finally {
    c.close(socket);
  }
}

/** The errors for a source that is not a local address, or an interface that does not exist. */
const SOURCE_REFUSED: readonly string[] = ["EADDRNOTAVAIL", "EINVAL", "ENETUNREACH", "ENODEV"];

/** Adds the hint to the error of a send, or of connect(2), where its cause is confirmed. */
export function withHint(error: unknown, fd: number, to: Destination | null, source: Source | null): unknown {
  if (!isSocketError(error)) return error;
  let hint: string | undefined;
  if (error.code === "EACCES") hint = broadcastHint(fd, to);
  else if (source !== null && SOURCE_REFUSED.includes(error.code)) hint = sourceHint(source);
  return hint === undefined ? error : systemError(error.errno, error.syscall, error.address, hint);
}
