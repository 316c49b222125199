import { libc } from "../libc/libc.ts";
import { errnoName, systemError } from "../libc/socket_error.ts";
import { SOCKADDR_STORAGE_SIZE } from "../struct/sockaddr.ts";
import { getOption } from "../option/option.ts";
import { sockopt } from "../option/sockopt.ts";
import { closeUnless, Descriptor, setNonblockingCloseOnExec } from "./descriptor.ts";
import { AGAIN, type Again, Operation } from "./operation.ts";

/** What accept(2) reports of the connection that was to be accepted, under "Error handling"; the next one may be good. */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set([
  ..."ECONNABORTED EHOSTDOWN EHOSTUNREACH EINTR ENETDOWN ENETUNREACH ENONET ENOPROTOOPT EOPNOTSUPP EPROTO".split(" "),
]);

/** Where accept(2) writes the peer's address. */
export class PeerName {
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(SOCKADDR_STORAGE_SIZE);
  readonly length: Uint32Array<ArrayBuffer> = new Uint32Array(1);
}

/** Whether accept4(2) was found to be missing. */
let withoutAccept4 = false;

/** Whether an errno of accept4(2) says that there is no such call: kernels and sandboxes without it refuse it whatever it
 * is given. */
function isMissing(code: number): boolean {
  const { c, errno, system: { errors } } = libc();
  if (code !== errors.ENOSYS && code !== errors.EPERM) return false;
  c.accept4!(-1, null, null, 0);
  return withoutAccept4 = errno() !== errors.EBADF;
}

/** Whether a descriptor gets its flags from the call that makes it. */
function hasAccept4(): boolean {
  const { c, system: { constants } } = libc();
  return !withoutAccept4 && c.accept4 !== null && constants.SOCK_NONBLOCK !== 0;
}

/** accept(2): makes what the listener gives out of each new descriptor. */
export class Accepting<T> extends Operation<T> {
  readonly syscall = "accept";
  readonly #listener: Descriptor;
  readonly #peer: PeerName;
  readonly #make: (descriptor: Descriptor, peer: PeerName) => T;

  constructor(listener: Descriptor, peer: PeerName, make: (descriptor: Descriptor, peer: PeerName) => T) {
    super();
    this.#listener = listener;
    this.#peer = peer;
    this.#make = make;
  }

  override attempt(): T | Again {
    const { errors } = libc().system;
    for (;;) {
      const fd = this.#accept();
      if (fd >= 0) {
        if (this.#peer.length[0] !== 0) return this.#made(fd);
        // A connection that was reset before it was accepted: macOS and FreeBSD return it without an address.
        libc().c.close(fd);
        continue;
      }
      if (fd === -errors.EAGAIN!) return AGAIN;
      if (!OF_THE_CONNECTION.has(errnoName(-fd)) || !this.#listens(-fd)) throw systemError(-fd, "accept");
    }
  }

  override interrupted(): Error {
    return this.#listener.refusal() ?? super.interrupted();
  }

  /** A descriptor, or the negative errno. */
  #accept(): number {
    const { c, errno, system: { constants } } = libc();
    const { bytes, length } = this.#peer;
    const listener = this.#listener.fd;
    length[0] = bytes.length;
    if (hasAccept4()) {
      const fd = c.accept4!(listener, bytes, length, constants.SOCK_NONBLOCK | constants.SOCK_CLOEXEC);
      if (fd !== -1) return fd;
      const code = errno();
      if (!isMissing(code)) return -code;
    }
    const fd = c.accept(listener, bytes, length);
    return fd === -1 ? -errno() : fd;
  }

  /** EOPNOTSUPP is also what a socket says that does not listen at all. */
  #listens(errno: number): boolean {
    if (errno !== libc().system.errors.EOPNOTSUPP) return true;
    return getOption(this.#listener.fd, sockopt.SO_ACCEPTCONN);
  }

  #made(fd: number): T {
    const descriptor = new Descriptor(fd);
    return closeUnless(descriptor, () => {
      if (!hasAccept4()) setNonblockingCloseOnExec(fd);
      return this.#make(descriptor, this.#peer);
    });
  }
}
