import { libc } from "./libc.ts";

/** What every error that came from the system carries. The object is also an instance of the `Deno.errors` class that
 * Deno itself would throw (AddrInUse, ConnectionRefused, BrokenPipe, TimedOut, PermissionDenied, …), else of Error.
 *
 * @example
 * ```ts
 * import { isSocketError, listenDatagram } from "@berkeley/sockets";
 *
 * using first = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 * try {
 *   listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: first.addr.port });
 * } catch (error) {
 *   if (!isSocketError(error) || error.code !== "EADDRINUSE") throw error;
 *   console.log(error.syscall, error.address); // bind 127.0.0.1:…
 * }
 * ```
 */
export interface SocketError extends Error {
  /** Symbolic errno, such as "EADDRINUSE". */
  readonly code: string;
  /** Positive errno of the running system; 0 where no system call failed (a deadline). */
  readonly errno: number;
  /** The call that failed: "bind", "connect", "recvmsg", … */
  readonly syscall: string;
  /** True for an expired deadline and for ETIMEDOUT, as Go's net.Error.Timeout() is. */
  readonly timeout: boolean;
  /** The address the call was about, formatted, where there was one. */
  readonly address?: string | undefined;
  /** Bytes that went out before a write failed. */
  readonly bytesWritten?: number | undefined;
}

type ErrorClass = new (message?: string) => Error;

/** What each code means in words, and the class Deno itself throws for it. */
const MEANINGS: Readonly<Record<string, readonly [words: string, errorClass?: ErrorClass]>> = {
  EACCES: ["permission denied", Deno.errors.PermissionDenied],
  EADDRINUSE: ["address already in use", Deno.errors.AddrInUse],
  EADDRNOTAVAIL: ["this machine does not have that address", Deno.errors.AddrNotAvailable],
  EAFNOSUPPORT: ["address family not supported"],
  EAGAIN: ["the call would block", Deno.errors.WouldBlock],
  EALREADY: ["a connection is already being made"],
  EBADF: ["not an open descriptor", Deno.errors.BadResource],
  EBUSY: ["busy", Deno.errors.Busy],
  ECONNABORTED: ["connection aborted", Deno.errors.ConnectionAborted],
  ECONNREFUSED: ["nobody listens there", Deno.errors.ConnectionRefused],
  ECONNRESET: ["connection reset by the peer", Deno.errors.ConnectionReset],
  EDESTADDRREQ: ["no destination given and none connected"],
  EEXIST: ["already there", Deno.errors.AlreadyExists],
  EHOSTDOWN: ["the host is down", Deno.errors.NetworkUnreachable],
  EHOSTUNREACH: ["no route to the host", Deno.errors.NetworkUnreachable],
  EINTR: ["interrupted", Deno.errors.Interrupted],
  EINVAL: ["invalid argument"],
  EIO: ["input/output error"],
  EISCONN: ["already connected"],
  EISDIR: ["a directory", Deno.errors.IsADirectory],
  ELOOP: ["too many symbolic links", Deno.errors.FilesystemLoop],
  EMFILE: ["this process has as many descriptors open as it may (ulimit -n)"],
  EMSGSIZE: ["the message is too long for the socket"],
  ENAMETOOLONG: ["the name is too long"],
  ENETDOWN: ["the network is down", Deno.errors.NetworkUnreachable],
  ENETUNREACH: ["no route to the network", Deno.errors.NetworkUnreachable],
  ENFILE: ["the system has as many descriptors open as it can"],
  ENOBUFS: ["no buffer space left"],
  ENODEV: ["no such interface or device", Deno.errors.NotFound],
  ENOENT: ["no such file or directory", Deno.errors.NotFound],
  ENOMEM: ["out of memory"],
  ENOPROTOOPT: ["there is no such option on a socket of this kind"],
  ENOSPC: ["no space left"],
  ENOTCONN: ["not connected", Deno.errors.NotConnected],
  ENOTDIR: ["part of the path is not a directory", Deno.errors.NotADirectory],
  ENOTSOCK: ["not a socket"],
  ENXIO: ["no such device or address"],
  EOPNOTSUPP: ["the socket does not support this"],
  EPERM: ["operation not permitted", Deno.errors.PermissionDenied],
  EPIPE: ["the other end no longer reads", Deno.errors.BrokenPipe],
  EPROTONOSUPPORT: ["protocol not supported"],
  EPROTOTYPE: ["the socket there is of another type"],
  EROFS: ["read-only file system"],
  ETIMEDOUT: ["timed out", Deno.errors.TimedOut],
  ETOOMANYREFS: ["too many descriptors are on their way; their receivers have to take some first"],
};

/** What a code means of one call. */
const MEANINGS_OF_CALLS: Readonly<Record<string, string>> = {
  "setsockopt EADDRNOTAVAIL": "address not available",
};

/** What helps, where one thing usually does. */
const HELP: Readonly<Record<string, string>> = {
  "sendmsg EBADF": "one of the descriptors to pass has been closed",
  "setsockopt EPERM": "this option needs root or a capability",
  "setsockopt ENOBUFS": "a socket holds 20 memberships by default on Linux (net.ipv4.igmp_max_memberships)",
  "socket EPERM": "a raw socket needs root or CAP_NET_RAW",
};

/** What helps at an address that has a port. */
const HELP_AT_PORTS: Readonly<Record<string, string>> = {
  "bind EADDRINUSE":
    "another socket has it: pass reusePort: true to every socket that is to share it, or port: 0 for one that is free",
  "bind EACCES": "ports below 1024 need root or CAP_NET_BIND_SERVICE",
  "connect EADDRINUSE": "a connection between the same two ports is there, or was a moment ago",
  "connect EADDRNOTAVAIL": "or no port is left to dial from",
  "sendmsg EACCES": "a broadcast address needs broadcast: true",
};

/** What helps at a path or an abstract name. */
const HELP_AT_PATHS: Readonly<Record<string, string>> = {
  "connect EPROTOTYPE": 'it was opened with another transport than this: "unix", "seqpacket" or "unixgram"',
  "sendmsg EMSGSIZE": "a larger send buffer (SO_SNDBUF) takes longer ones",
  "sendmsg EPROTOTYPE": "it was opened with another transport than unixgram",
};

/** What usually helps. Of an address that is not told, it may be either kind. */
function usualHelp(about: string, address: string | undefined): string | undefined {
  const port = address === undefined || /:\d+$/.test(address) ? HELP_AT_PORTS[about] : undefined;
  const path = address === undefined || !/:\d+$/.test(address) ? HELP_AT_PATHS[about] : undefined;
  return HELP[about] ?? port ?? path;
}

let namesByNumber: Map<number, string> | undefined;

/** "EADDRINUSE" for its number on the running system. */
export function errnoName(errno: number): string {
  namesByNumber ??= new Map(Object.entries(libc().system.errors).reverse().map(([name, number]) => [number, name]));
  return namesByNumber.get(errno) ?? `errno ${errno}`;
}

/** Puts the members of SocketError on an error. */
export function asSocketError(error: Error, members: Omit<SocketError, "name" | "message">): SocketError {
  return Object.assign(error, members);
}

/** The error for an errno. `help` is put behind the system's own words, else what usually helps. */
export function systemError(errno: number, syscall: string, address?: string, help?: string): SocketError {
  const code = errnoName(errno);
  const [words, errorClass = Error] = MEANINGS[code] ?? ["the system refused"];
  const advice = help ?? usualHelp(`${syscall} ${code}`, address);
  const about = address === undefined ? syscall : `${syscall} ${address}`;
  const meaning = MEANINGS_OF_CALLS[`${syscall} ${code}`] ?? words;
  const error = new errorClass(`${about}: ${meaning} (${code})${advice === undefined ? "" : `; ${advice}`}`);
  return asSocketError(error, { code, errno, syscall, timeout: code === "ETIMEDOUT", address });
}

/** Turns -1 into an error; every other result passes. To be called on the system call itself, so that errno is still
 * its. `help` knows what helps with a code in this place. */
export function unwrap(
  result: number,
  syscall: string,
  address?: string,
  help?: (code: string) => string | undefined,
): number {
  if (result !== -1) return result;
  const errno = libc().errno();
  throw systemError(errno, syscall, address, help?.(errnoName(errno)));
}

/** Whether an error is one that this module made from a failing system call or an expired deadline: whether it has the
 * members of {@linkcode SocketError}.
 *
 * @example
 * ```ts
 * import { connect, isSocketError } from "@berkeley/sockets";
 *
 * const error = await connect({ port: 1 }).catch((error) => error);
 * if (!isSocketError(error)) throw error;
 * console.log(error.code, error.syscall, error.timeout); // ECONNREFUSED connect false
 * ```
 */
export function isSocketError(error: unknown): error is SocketError {
  return error instanceof Error && "code" in error && typeof error.code === "string" &&
    "errno" in error && typeof error.errno === "number" && "syscall" in error && "timeout" in error;
}
