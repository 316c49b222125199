import { ERRORS } from "./errno_words.ts";
import { libc } from "./libc.ts";

/** An error from a failed system call or an expired deadline. The object is also an instance of the `Deno.errors` class
 * that Deno throws in the same case (AddrInUse, ConnectionRefused, BrokenPipe, TimedOut, PermissionDenied, …), or of
 * Error where Deno has none. {@linkcode isSocketError} recognises it.
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
  /** Symbolic name of the errno, such as "EADDRINUSE". */
  readonly code: string;
  /** Number of the errno on the running system, positive; 0 where no system call failed, as for a deadline. */
  readonly errno: number;
  /** Name of the system call that failed: "bind", "connect", "recvmsg", … */
  readonly syscall: string;
  /** Whether a deadline expired or the system reported ETIMEDOUT, as Go's net.Error.Timeout(). */
  readonly timeout: boolean;
  /** The address that the call was given, formatted; undefined where there was none. */
  readonly address?: string | undefined;
  /** Bytes written before a write failed. */
  readonly bytesWritten?: number | undefined;
  /** Datagrams sent before sendMany failed. */
  readonly sent?: number | undefined;
  /** With EMSGSIZE of a datagram that may not be fragmented: the MTU of the path in bytes, where the system knows it. */
  readonly mtu?: number | undefined;
}

/** Hints by call and errno, each for a failure that has one cause. */
const HINTS: Readonly<Record<string, string>> = {
  "sendmsg ETOOMANYREFS": "too many passed descriptors have not been received yet",
  "setsockopt ENOPROTOOPT": "the socket or the kernel does not have this option",
  "getsockopt ENOPROTOOPT": "the socket or the kernel does not have this option",
};

/** Hints for addresses that end in a port. */
const PORT_HINTS: Readonly<Record<string, (port: number) => string | undefined>> = {
  "bind EADDRINUSE": (port) =>
    port === 0
      ? "no local port is free"
      : "pass reusePort: true to every socket that is to share the port, or port: 0 for a free one",
  "bind EACCES": (port) => port < 1024 ? "ports below 1024 need root or CAP_NET_BIND_SERVICE" : undefined,
  "connect EADDRINUSE": () => "a connection with the same addresses and ports exists or is in TIME_WAIT",
  "connect EADDRNOTAVAIL": () => "no local address or no free local port for this destination",
};

/** Hints for the addresses of Unix sockets. */
const PATH_HINTS: Readonly<Record<string, string>> = {
  "connect EPROTOTYPE": 'the socket has another transport; there are "unix", "seqpacket" and "unixgram"',
  "sendmsg EMSGSIZE": "the limit is the size of the send buffer (SO_SNDBUF)",
  "sendmsg EPROTOTYPE": "the socket has another transport than unixgram",
};

/** Options that Linux lets only privileged processes set: socket(7), ip(7), ipv6(7). */
const PRIVILEGED_OPTION =
  /^(SO_(MARK|PRIORITY|BINDTODEVICE|BUSY_POLL|PREFER_BUSY_POLL|RCVBUFFORCE|SNDBUFFORCE)|IP(V6)?_TRANSPARENT)$/;

function hintFor(code: string, syscall: string, address: string | undefined): string | undefined {
  if (code === "EMFILE") return "the limit is RLIMIT_NOFILE (ulimit -n)";
  const hint = HINTS[`${syscall} ${code}`];
  if (hint !== undefined || address === undefined) return hint;
  if (syscall === "setsockopt" && code === "EPERM") {
    return PRIVILEGED_OPTION.test(address) ? "this option needs root or CAP_NET_ADMIN" : undefined;
  }
  const port = /:(\d+)$/.exec(address);
  return port === null ? PATH_HINTS[`${syscall} ${code}`] : PORT_HINTS[`${syscall} ${code}`]?.(Number(port[1]));
}

let namesByNumber: Map<number, string> | undefined;

/** The symbolic name of an errno of the running system, such as "EADDRINUSE". */
export function errnoName(errno: number): string {
  namesByNumber ??= new Map(Object.entries(libc().system.errors).reverse().map(([name, number]) => [number, name]));
  return namesByNumber.get(errno) ?? `errno ${errno}`;
}

/** Adds the members of SocketError to an error. */
export function asSocketError(error: Error, members: Omit<SocketError, "name" | "message">): SocketError {
  return Object.assign(error, members);
}

/** Makes the error for an errno. The message has the call and its address, the system's words, the errno's name, and a
 * hint: the one given, else the table's. */
export function systemError(errno: number, syscall: string, address?: string, hint?: string): SocketError {
  const code = errnoName(errno);
  const [words, errorClass = Error] = ERRORS[code] ?? ["unknown error"];
  const advice = hint ?? hintFor(code, syscall, address);
  const subject = address === undefined ? syscall : `${syscall} ${address}`;
  const error = new errorClass(`${subject}: ${words} (${code})${advice === undefined ? "" : `; ${advice}`}`);
  return asSocketError(error, { code, errno, syscall, timeout: code === "ETIMEDOUT", address });
}

/** Throws the error for a result of -1 and returns any other result. The argument must be the system call itself, so that
 * nothing can overwrite errno before it is read. `hint` may return a hint for a code. */
export function unwrap(
  result: number,
  syscall: string,
  address?: string,
  hint?: (code: string) => string | undefined,
): number {
  if (result !== -1) return result;
  const errno = libc().errno();
  throw systemError(errno, syscall, address, hint?.(errnoName(errno)));
}

/** Reports whether an error is a {@linkcode SocketError}, made by this module for a failed system call or an expired
 * deadline.
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
