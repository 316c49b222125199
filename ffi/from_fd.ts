import { libc } from "./libc/libc.ts";
import { readFamily } from "./struct/sockaddr.ts";
import { openOwnedWith } from "./unix/owned_fd.ts";
import { SeqpacketConn, SeqpacketListener } from "./unix/seqpacket.ts";
import { type Descriptor, takeOver } from "./io/descriptor.ts";
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

/** Takes over a descriptor number as the object it really is: by its family (SO_DOMAIN), its type (SO_TYPE) and whether
 * it listens (SO_ACCEPTCONN). A listener taken over leaves its path where it is on close.
 *
 * A descriptor is made non-blocking and close-on-exec. Several objects may share one open socket, but not one number.
 *
 * @throws {TypeError} for a descriptor that is no socket, that a socket here already owns, or of a kind that has no
 * class here; it stays open
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
export function fromFd(fd: number): AnySocket {
  const descriptor = takeOver(fd);
  try {
    return wrap(descriptor);
  } catch (error) {
    if (!descriptor.closed) descriptor.detach();
    throw error;
  }
}

openOwnedWith(fromFd);

function wrap(descriptor: Descriptor): AnySocket {
  const { constants } = libc().system;
  const family = readFamily(libc().system, socketName(descriptor.fd), 0);
  const type = getOption(descriptor.fd, sockopt.SO_TYPE);
  const listening = type !== constants.SOCK_DGRAM && getOption(descriptor.fd, sockopt.SO_ACCEPTCONN);
  if (family === constants.AF_INET || family === constants.AF_INET6) {
    if (type === constants.SOCK_DGRAM) return new UdpSocket(descriptor);
    if (type === constants.SOCK_STREAM) return listening ? new TcpListener(descriptor) : new TcpConn(descriptor);
  }
  if (family === constants.AF_UNIX) {
    if (type === constants.SOCK_DGRAM) return new UnixDatagram(descriptor);
    if (type === constants.SOCK_STREAM) return listening ? new UnixListener(descriptor) : new UnixConn(descriptor);
    if (type === constants.SOCK_SEQPACKET) {
      return listening ? new SeqpacketListener(descriptor) : new SeqpacketConn(descriptor);
    }
  }
  throw new TypeError(
    `Descriptor ${descriptor.fd} is a socket of family ${family} and type ${type}, which has no class here: ` +
      "Socket.fromFd takes it",
  );
}
