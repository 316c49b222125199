import { readFamily } from "./memory/sockaddr.ts";
import { libc } from "./libc/libc.ts";
import { type Descriptor, takeOver } from "./socket/descriptor.ts";
import { getOption } from "./socket/option.ts";
import { socketName } from "./socket/sockname.ts";
import { sockopt } from "./socket/sockopt.ts";
import { TcpConn, TcpListener } from "./tcp.ts";
import { UdpSocket } from "./udp.ts";

/** Takes over a descriptor number as the object it really is, by its family, its type and whether it listens.
 *
 * @throws {TypeError} for a descriptor that is no socket, that a socket here already owns, or of a kind that has no class here; it stays open
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
export function fromFd(fd: number): TcpListener | TcpConn | UdpSocket {
  const descriptor = takeOver(fd);
  try {
    return kind(descriptor);
  } catch (error) {
    descriptor.detach();
    throw error;
  }
}

function kind(descriptor: Descriptor): TcpListener | TcpConn | UdpSocket {
  const { constants } = libc().system;
  const family = readFamily(libc().system, socketName(descriptor.fd), 0);
  const type = getOption(descriptor.fd, sockopt.SO_TYPE);
  const inet = family === constants.AF_INET || family === constants.AF_INET6;
  if (inet && type === constants.SOCK_DGRAM) return new UdpSocket(descriptor);
  const listening = getOption(descriptor.fd, sockopt.SO_ACCEPTCONN);
  if (inet && type === constants.SOCK_STREAM) return listening ? new TcpListener(descriptor) : new TcpConn(descriptor);
  throw new TypeError(
    `Descriptor ${descriptor.fd} is a socket of family ${family} and type ${type}: Socket.fromFd takes it`,
  );
}
