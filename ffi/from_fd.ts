import { libc } from "./libc/libc.ts";
import { readFamily } from "./struct/sockaddr.ts";
import { moveOwned, OwnedFd, setOpener } from "./io/owned_fd.ts";
import { type SeqpacketConn, seqpacketConn, type SeqpacketListener, seqpacketListener } from "./unix/seqpacket.ts";
import { type Descriptor, requireForeignSocket, takeOver } from "./io/descriptor.ts";
import { getOption } from "./option/option.ts";
import { socketName } from "./address/sockname.ts";
import { sockopt } from "./option/sockopt.ts";
import { type TcpConn, tcpConn, type TcpListener, tcpListener } from "./tcp/tcp.ts";
import { type UdpSocket, udpSocket } from "./udp/udp.ts";
import { type UnixConn, unixConn, type UnixListener, unixListener } from "./unix/unix.ts";
import { type UnixDatagram, unixDatagram } from "./unix/datagram.ts";

/** A socket of any class: the result of {@linkcode fromFd} and {@linkcode OwnedFd.open}. Use `kind` or `instanceof` to tell
 * the classes apart.
 *
 * @example
 * ```ts
 * import { type AnySocket, fromFd, listenDatagram } from "@berkeley/sockets";
 *
 * function describe(socket: AnySocket): string {
 *   return socket.kind === "UdpSocket" ? `receives at port ${socket.addr.port}` : socket.kind;
 * }
 * using udp = fromFd(listenDatagram({ transport: "udp", hostname: "127.0.0.1" }).detach());
 * console.log(describe(udp)); // receives at port …
 * ```
 */
export type AnySocket =
  | TcpListener
  | TcpConn
  | UdpSocket
  | UnixListener
  | UnixConn
  | UnixDatagram
  | SeqpacketListener
  | SeqpacketConn;

/** Takes ownership of an open socket and returns an object of its own class, determined by the family, the type
 * (SO_TYPE) and whether it is listening (SO_ACCEPTCONN): getsockname(2), getsockopt(2). The event loop is not blocked.
 *
 * The descriptor becomes non-blocking and close-on-exec. If this throws, it stays open and unchanged. A Unix listener
 * that was taken over does not remove its path on close. Several objects can share one open socket, but not one
 * descriptor number.
 *
 * @param fd a descriptor number, or an {@linkcode OwnedFd}, which is closed without closing the descriptor
 * @throws {TypeError} if the descriptor is not a socket, is owned by another object of this module, or is of a kind that
 * has no class
 * @throws {Deno.errors.BadResource} if the descriptor is not open
 *
 * @example
 * ```ts
 * import { fromFd, listenDatagram } from "@berkeley/sockets";
 *
 * const fd = listenDatagram({ transport: "udp", hostname: "127.0.0.1" }).detach();
 * using again = fromFd(fd);
 * console.log(again.socket.fd === fd); // true
 * ```
 */
export function fromFd(fd: number | OwnedFd): AnySocket {
  return fd instanceof OwnedFd ? moveOwned(fd, take) : take(fd);
}

setOpener(fromFd);

/** Determines the class first: a descriptor without one stays unchanged. */
function take(fd: number): AnySocket {
  const foreign = requireForeignSocket(fd);
  return takeOver(foreign, makerFor(foreign));
}

/** Returns the factory of a socket's class, by family, type and whether it is listening. */
function makerFor(fd: number): (descriptor: Descriptor) => AnySocket {
  const { constants } = libc().system;
  const family = readFamily(libc().system, socketName(fd), 0);
  const type = getOption(fd, sockopt.SO_TYPE);
  const listening = type !== constants.SOCK_DGRAM && getOption(fd, sockopt.SO_ACCEPTCONN);
  if (family === constants.AF_INET || family === constants.AF_INET6) {
    if (type === constants.SOCK_DGRAM) return udpSocket;
    if (type === constants.SOCK_STREAM && listening) return tcpListener;
    if (type === constants.SOCK_STREAM) return tcpConn;
  }
  if (family === constants.AF_UNIX) {
    if (type === constants.SOCK_DGRAM) return unixDatagram;
    if (type === constants.SOCK_STREAM && listening) return unixListener;
    if (type === constants.SOCK_STREAM) return unixConn;
    if (type === constants.SOCK_SEQPACKET && listening) return seqpacketListener;
    if (type === constants.SOCK_SEQPACKET) return seqpacketConn;
  }
  throw new TypeError(
    `Descriptor ${fd} is a socket of family ${family} and type ${type}, which has no class here: ` +
      "Socket.fromFd takes it",
  );
}
