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
    const { errno, system: { errors } } = libc();
    for (;;) {
      const fd = this.#accept();
      if (fd !== -1) return this.#made(fd);
      const code = errno();
      if (code === errors.EAGAIN) return AGAIN;
      if (!OF_THE_CONNECTION.has(errnoName(code)) || !this.#listens(code)) throw systemError(code, "accept");
    }
  }

  override interrupted(): Error {
    return this.#listener.refusal() ?? super.interrupted();
  }

  #accept(): number {
    const { c, system: { constants } } = libc();
    const { bytes, length } = this.#peer;
    length[0] = bytes.length;
    const listener = this.#listener.fd;
    return constants.SOCK_NONBLOCK === 0
      ? c.accept(listener, bytes, length)
      : c.accept4!(listener, bytes, length, constants.SOCK_NONBLOCK | constants.SOCK_CLOEXEC);
  }

  /** EOPNOTSUPP is also what a socket says that does not listen at all. */
  #listens(errno: number): boolean {
    if (errno !== libc().system.errors.EOPNOTSUPP) return true;
    return getOption(this.#listener.fd, sockopt.SO_ACCEPTCONN);
  }

  #made(fd: number): T {
    const descriptor = new Descriptor(fd);
    return closeUnless(descriptor, () => {
      if (libc().system.constants.SOCK_NONBLOCK === 0) setNonblockingCloseOnExec(fd);
      return this.#make(descriptor, this.#peer);
    });
  }
}
