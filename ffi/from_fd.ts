import { libc } from "./libc/libc.ts";
import { readFamily } from "./struct/sockaddr.ts";
import { moveOwned, OwnedFd, setOpener } from "./io/owned_fd.ts";
import { SeqpacketConn, SeqpacketListener } from "./unix/seqpacket.ts";
import { type Descriptor, requireForeignSocket, takeOver } from "./io/descriptor.ts";
import { getOption } from "./option/option.ts";
import { socketName } from "./address/sockname.ts";
import { sockopt } from "./option/sockopt.ts";
import { TcpConn, TcpListener } from "./tcp/tcp.ts";
import { UdpSocket } from "./udp/udp.ts";
import { UnixConn, UnixListener } from "./unix/unix.ts";
import { UnixDatagram } from "./unix/datagram.ts";

/** Any socket that people hold: what {@linkcode fromFd} and {@linkcode OwnedFd.open} give. `instanceof` has no class to
 * go by; the members tell.
 *
 * @example
 * ```ts
 * import { type AnySocket, fromFd, listenDatagram } from "@berkeley/sockets";
 *
 * function describe(socket: AnySocket): string {
 *   return "addr" in socket ? "listens or receives" : "is a connection";
 * }
 * using udp = fromFd(listenDatagram({ transport: "udp", hostname: "127.0.0.1" }).detach());
 * console.log(describe(udp)); // listens or receives
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

function makerFor(fd: number): (descriptor: Descriptor) => AnySocket {
  const { constants } = libc().system;
  const family = readFamily(libc().system, socketName(fd), 0);
  const type = getOption(fd, sockopt.SO_TYPE);
  const listening = type !== constants.SOCK_DGRAM && getOption(fd, sockopt.SO_ACCEPTCONN);
  if (family === constants.AF_INET || family === constants.AF_INET6) {
    if (type === constants.SOCK_DGRAM) return (descriptor) => new UdpSocket(descriptor);
    if (type === constants.SOCK_STREAM && listening) return (descriptor) => new TcpListener(descriptor);
    if (type === constants.SOCK_STREAM) return (descriptor) => new TcpConn(descriptor);
  }
  if (family === constants.AF_UNIX) {
    if (type === constants.SOCK_DGRAM) return (descriptor) => new UnixDatagram(descriptor);
    if (type === constants.SOCK_STREAM && listening) return (descriptor) => new UnixListener(descriptor);
    if (type === constants.SOCK_STREAM) return (descriptor) => new UnixConn(descriptor);
    if (type === constants.SOCK_SEQPACKET && listening) return (descriptor) => new SeqpacketListener(descriptor);
    if (type === constants.SOCK_SEQPACKET) return (descriptor) => new SeqpacketConn(descriptor);
  }
  throw new TypeError(
    `Descriptor ${fd} is a socket of family ${family} and type ${type}, which has no class here: ` +
      "Socket.fromFd takes it",
  );
}
