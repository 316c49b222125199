import { libc } from "../libc/libc.ts";
import { isSocketError, unwrap } from "../libc/socket_error.ts";
import { decodeInet, decodeNet, formatAddress } from "../address/address.ts";
import { peerName, socketName } from "../address/sockname.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { getOption, setOption } from "../option/option.ts";
import { sockopt } from "../option/sockopt.ts";
import type { Destination } from "./destinations.ts";

/** The interface that a socket is bound to; "" where it is bound to none, its interface was removed, or the kernel does
 * not return it, as older ones of macOS and Linux. */
function deviceOf(fd: number): string {
  if (!sockopt.SO_BINDTODEVICE.supported) return "";
  try {
    return getOption(fd, sockopt.SO_BINDTODEVICE);
  } catch (error) {
    if (isSocketError(error)) return "";
    throw error;
  }
}

/** The association of a UDP socket with one peer: connect(2).
 *
 * A second connect(2) would keep the source address that the first one chose, so each is made from a socket without a
 * peer. Dissolving gives up more than the peer on Linux: the port, where the system chose it, and SO_BINDTODEVICE. Both
 * are restored. */
export class Association {
  readonly #descriptor: Descriptor;
  /** Where the socket was bound. */
  readonly #bound: Uint8Array<ArrayBuffer>;
  /** The interface before connect(2), and after it: an address with a zone binds the socket to that interface. */
  #device: { readonly before: string; readonly after: string };

  constructor(descriptor: Descriptor, bound: Uint8Array<ArrayBuffer>) {
    this.#descriptor = descriptor;
    this.#bound = bound;
    const peer = peerName(descriptor.fd);
    const after = deviceOf(descriptor.fd);
    const isByZone = peer !== null && (decodeInet(peer)?.scopeId ?? 0) !== 0;
    this.#device = { before: isByZone ? "" : after, after };
  }

  /** Connects to a peer. Where that fails, the socket is connected to the peer it had before. */
  connect(to: Destination): void {
    const { fd } = this.#descriptor;
    const former = peerName(fd)?.slice();
    if (former !== undefined) this.dissolve();
    const before = deviceOf(fd);
    try {
      unwrap(libc().c.connect(fd, to.sockaddr, to.sockaddr.length), "connect", to.text);
    } catch (error) {
      if (former !== undefined) libc().c.connect(fd, former, former.length);
      throw error;
    } finally {
      this.#device = { before, after: deviceOf(fd) };
    }
  }

  /** connect(2) to an address of no family. */
  dissolve(): void {
    const { fd } = this.#descriptor;
    const { c, errno, system: { constants, errors, layout } } = libc();
    const device = this.#deviceToKeep(fd);
    const nowhere = new Uint8Array(this.#bound.length);
    nowhere[layout.sockaddrHasLength ? 1 : 0] = constants.AF_UNSPEC;
    if (layout.sockaddrHasLength) nowhere[0] = nowhere.length;
    if (c.connect(fd, nowhere, nowhere.length) === -1) {
      const code = errno();
      // BSD dissolves the association and complains about the address all the same.
      if (code !== errors.EAFNOSUPPORT && code !== errors.EINVAL) unwrap(-1, "connect");
    }
    if (device !== "" && deviceOf(fd) === "") setOption(fd, sockopt.SO_BINDTODEVICE, device);
    if (decodeNet("udp", socketName(fd)).port !== 0) return;
    unwrap(c.bind(fd, this.#bound, this.#bound.length), "bind", formatAddress(decodeNet("udp", this.#bound)));
  }

  #deviceToKeep(fd: number): string {
    const now = deviceOf(fd);
    const { before, after } = this.#device;
    return now === after ? before : now;
  }
}
