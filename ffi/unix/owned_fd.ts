import { libc } from "../libc/libc.ts";
import { control } from "../io/descriptor.ts";
import type { AnySocket } from "../from_fd.ts";

/** Descriptors whose owner was collected without having given them away. */
const forgotten = new FinalizationRegistry<number>((fd) => {
  libc().c.close(fd);
});

let opener: ((fd: number) => AnySocket) | undefined;

/** fromFd knows every class, and every class gives out descriptors: it is handed in from above. */
export function openOwnedWith(open: (fd: number) => AnySocket): void {
  opener = open;
}

/** A received descriptor: close-on-exec, owned by whoever holds this. One that nobody took is closed when this object
 * is collected.
 *
 * @example
 * ```ts
 * import { listenDatagram, socketPair } from "@berkeley/sockets";
 *
 * const [one, two] = socketPair("seqpacket");
 * using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 * await one.sendMessage({ data: new Uint8Array(1), fds: [udp] });
 * const message = await two.receiveMessage();
 * using same = message!.fds[0]!.open();
 * console.log(same.socket.fd !== udp.socket.fd); // true: another descriptor of the same socket
 * one.close();
 * two.close();
 * ```
 */
export class OwnedFd implements Disposable {
  #fd: number;

  /** @ignore */
  constructor(fd: number) {
    this.#fd = fd;
    forgotten.register(this, fd, this);
  }

  /** The number.
   *
   * @throws {Deno.errors.BadResource} when it is closed or given away
   */
  get fd(): number {
    if (this.#fd === -1) throw new Deno.errors.BadResource("The descriptor has been closed or given away");
    return this.#fd;
  }

  /** The object it really is: a TcpListener, TcpConn, UdpSocket, UnixListener, … which owns it from then on.
   *
   * @throws {TypeError} where it is no socket; it stays open and owned
   * @throws {Deno.errors.BadResource} when it is closed or given away
   */
  open(): AnySocket {
    const socket = opener!(this.fd);
    this.detach();
    return socket;
  }

  /** Gives the number away: it is the caller's to close.
   *
   * @throws {Deno.errors.BadResource} when it is closed or given away
   */
  detach(): number {
    const fd = this.fd;
    this.#fd = -1;
    forgotten.unregister(this);
    return fd;
  }

  /** Closes it: close(2).
   *
   * @throws {Deno.errors.BadResource} the second time, or when it was given away
   */
  close(): void {
    libc().c.close(this.detach());
  }

  /** Closes it unless it is closed or given away. */
  [Symbol.dispose](): void {
    if (this.#fd !== -1) this.close();
  }
}

/** Takes received numbers into ownership: `most` of them, and closes the rest. Where the kernel could not make them so,
 * they become close-on-exec here. */
export function own(fds: readonly number[], most: number): OwnedFd[] {
  const { c, system: { constants } } = libc();
  for (const surplus of fds.slice(most)) c.close(surplus);
  return fds.slice(0, most).map((fd) => {
    if (constants.MSG_CMSG_CLOEXEC === 0) control(fd, constants.F_SETFD, constants.FD_CLOEXEC);
    return new OwnedFd(fd);
  });
}
