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

/** Any socket that people hold: what {@linkcode fromFd} and {@linkcode OwnedFd.open} give. `instanceof` and
 * `kind` tell them apart.
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

/** Takes over a descriptor, a number or an {@linkcode OwnedFd}, as the object it really is: by its family (SO_DOMAIN), its type (SO_TYPE) and whether
 * it listens (SO_ACCEPTCONN). A listener taken over leaves its path where it is on close.
 *
 * A descriptor is made non-blocking and close-on-exec. Several objects may share one open socket, but not one number.
 *
 * @throws {TypeError} for a descriptor that is no socket, that a socket or an OwnedFd here already owns, or of a kind
 * that has no class here; it stays open and as it was
 * @throws {Deno.errors.BadResource} for a number that is not open
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

/** Nothing of the descriptor is changed before it is known that there is a class for it. */
function take(fd: number): AnySocket {
  requireForeignSocket(fd);
  return takeOver(fd, makerFor(fd));
}

/** What makes the object of a socket's class, by its family, its type and whether it listens. */
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
